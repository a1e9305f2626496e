import assert from 'node:assert/strict';
import { join } from 'node:path';
import { ProgramAnswer } from '../../src/agentd/auto-answer.js';
import { defaultConfig } from '../../src/agentd/config.js';
import { JournaledDriver } from '../../src/agentd/drivers/journaled.js';
import { HeldMounts } from '../../src/agentd/held-mounts.js';
import { OwnershipJournal, readJournal } from '../../src/agentd/journal.js';
import { JournaledMounts } from '../../src/agentd/journaled-mounts.js';
import { isBesideNode, namedServed } from '../../src/agentd/places.js';
import type { Served } from '../../src/agentd/served.js';
import { SharedNotifier } from '../../src/agentd/shared-notifier.js';
import type { MountDriver, MountOptions, RealMount } from '../../src/core/access/agent/ports.js';
import { tempDir } from '../kit/cli.js';
import { script, somePrograms } from './kit.js';

const OPTIONS: MountOptions = { epoch: 7, force: false, softwareLock: false };

/** Mounts in memory, and every call as a line. Fails where `failing` names the action. */
class Mounts implements MountDriver {
  readonly name = 'test';
  readonly calls: string[] = [];
  readonly failing = new Set<string>();

  constructor(readonly modes = new Map<string, RealMount['mode']>()) {}

  async mount(volume: string, mode: 'ro' | 'rw', { epoch, force }: MountOptions): Promise<void> {
    this.call(mode, `${mode} ${volume} ${epoch}${force ? ' force' : ''}`);
    this.modes.set(volume, mode);
  }

  async unmount(volume: string, { force }: Pick<MountOptions, 'force'>): Promise<void> {
    this.call('unmount', `unmount ${volume}${force ? ' force' : ''}`);
    this.modes.delete(volume);
  }

  async mounted(): Promise<RealMount[]> {
    this.call('mounted', 'mounted');
    return [...this.modes].map(([volume, mode]) => ({ volume, mode }));
  }

  async written(): Promise<string | null> {
    return null;
  }

  private call(action: string, line: string): void {
    this.calls.push(line);
    if (this.failing.has(action)) throw new Error(`${action} fails`);
  }
}

function kit(modes: [string, RealMount['mode']][] = []) {
  const stateDir = tempDir('mounts');
  let t = 0;
  const journal = new OwnershipJournal({ stateDir, node: 'client~c1', bootId: 'b', monotonicMs: () => ++t });
  const mounts = new Mounts(new Map(modes));
  const problems: string[] = [];
  const options = { ends: 'stop' as const, onProblem: (error: Error) => void problems.push(error.message) };
  const lines = () => readJournal(stateDir).map(({ event, volume, epoch }) => `${event} ${volume} ${epoch}`);
  return { journal, mounts, problems, lines, journaled: new JournaledMounts(mounts, journal, options) };
}

describe('mounts of a client in the ownership journal', () => {
  it('stand there from before they are for writing until after they are read-only or gone', async () => {
    const { journaled, lines, journal } = kit();
    await journaled.mount('v1', 'ro', OPTIONS);
    assert.deepEqual(lines(), []);
    await journaled.mount('v1', 'rw', OPTIONS);
    await journaled.mount('v2', 'rw', { ...OPTIONS, epoch: 9 });
    assert.deepEqual(journal.open().length, 2);
    await journaled.mount('v1', 'ro', OPTIONS);
    await journaled.unmount('v2', OPTIONS);
    await journaled.unmount('v2', OPTIONS);
    assert.deepEqual(lines(), ['start v1 7', 'start v2 9', 'stop v1 7', 'stop v2 9']);
  });

  it('stay there when a mount fails, and when it cannot be made read-only', async () => {
    const { journaled, mounts, journal } = kit();
    mounts.failing.add('rw').add('ro');
    await assert.rejects(journaled.mount('v1', 'rw', OPTIONS));
    await assert.rejects(journaled.mount('v1', 'ro', OPTIONS));
    assert.deepEqual(journal.open(), [{ volume: 'v1', epoch: 7 }]);
  });

  it('are put right by what is really mounted', async () => {
    const { journaled, journal, lines } = kit([['v2', 'rw']]);
    journal.add('start', { volume: 'v1', epoch: 3 });
    await journaled.mounted();
    assert.deepEqual(lines(), ['start v1 3', 'stop v1 3', 'found v2 0']);
    await journaled.mount('v2', 'ro', OPTIONS);
    assert.deepEqual(journal.open(), []);
  });

  it('are not ended by a look that began before they were made', async () => {
    const { journaled, mounts, journal } = kit();
    let answer = (): void => {};
    mounts.mounted = () =>
      new Promise((resolve) => {
        const seen = [...mounts.modes].map(([volume, mode]) => ({ volume, mode }));
        answer = () => resolve(seen);
      });
    const looking = journaled.mounted();
    await journaled.mount('v1', 'rw', OPTIONS);
    answer();
    assert.deepEqual(await looking, []);
    assert.deepEqual(journal.open(), [{ volume: 'v1', epoch: 7 }]);
  });
});

describe('mounts for writing as the supervisor holds them', () => {
  it('are stopped by making them read-only, by force', async () => {
    const { mounts, journal } = kit([['v1', 'rw']]);
    await new HeldMounts(mounts, journal).stop({ volume: 'v1', epoch: 7 });
    assert.deepEqual(mounts.calls, ['mounted', 'ro v1 7 force']);
  });

  it('are not mounted by that where nothing is, and unmounted where they cannot be made read-only', async () => {
    const { mounts, journal } = kit([['v1', 'rw']]);
    const held = new HeldMounts(mounts, journal);
    mounts.failing.add('ro');
    await Promise.all(['v1', 'v2'].map((volume) => held.stop({ volume, epoch: 7 })));
    assert.deepEqual(mounts.calls.sort(), ['mounted', 'ro v1 7 force', 'unmount v1 force', 'unmount v2 force']);
    assert.equal(mounts.modes.size, 0);
  });

  it('are made read-only also where the driver cannot say what is mounted, or does not in time', async () => {
    const { mounts, journal } = kit([['v1', 'rw']]);
    const held = new HeldMounts(mounts, journal);
    mounts.failing.add('mounted');
    await held.stop({ volume: 'v1', epoch: 7 });
    mounts.mounted = () => new Promise(() => {});
    await held.stop({ volume: 'v1', epoch: 7 });
    assert.deepEqual(mounts.calls, ['mounted', 'ro v1 7 force', 'ro v1 7 force']);
  });

  it('that cannot be stopped at all are a failure with both reasons', async () => {
    const { mounts, journal } = kit([['v1', 'rw']]);
    mounts.failing.add('ro').add('unmount');
    const stop = new HeldMounts(mounts, journal).stop({ volume: 'v1', epoch: 7 });
    await assert.rejects(stop, { message: 'ro fails; nor can it be unmounted: unmount fails' });
  });

  it('are those that are mounted for writing, with the epoch that the journal knows', async () => {
    const { mounts, journal, lines } = kit([
      ['v1', 'rw'],
      ['v2', 'ro'],
      ['v3', 'rw'],
    ]);
    journal.add('start', { volume: 'v1', epoch: 7 });
    const driver = new JournaledDriver(new HeldMounts(mounts, journal), journal, {
      ends: 'fenced',
      onProblem: () => {},
    });
    assert.deepEqual(await driver.running(), [
      { volume: 'v1', epoch: 7 },
      { volume: 'v3', epoch: 0 },
    ]);
    await driver.stop({ volume: 'v1', epoch: 7 });
    assert.deepEqual(lines(), ['start v1 7', 'found v3 0', 'fenced v1 7']);
  });
});

describe('the automatic answer', () => {
  const asks = { volume: 'v1', from: 'c2', message: 'my turn' };
  const by = (program: string | null, timeoutMs = 5000) =>
    new ProgramAnswer({ client: 'c1', dir: '/shared/cfs', program, timeoutMs, programs: somePrograms() });

  it('is yes where no program is configured', async () => {
    assert.deepEqual(await by(null).answer(asks), { grant: true, message: null });
  });

  it('is what the program says: its status, and its last line', async () => {
    const program = script(
      'echo first; echo "$CFS_CLIENT $CFS_VOLUME $CFS_FROM $CFS_MESSAGE $CFS_DIR"; [ -n "$CFS_MESSAGE" ]',
    );
    assert.deepEqual(await by(program).answer(asks), { grant: true, message: 'c1 v1 c2 my turn /shared/cfs' });
    const { grant, message } = await by(program).answer({ ...asks, message: null });
    assert.deepEqual([grant, message], [false, 'c1 v1 c2  /shared/cfs']);
  });

  it('is no when the program fails without a word, takes too long, or is not trusted', async () => {
    assert.deepEqual(await by(script('exit 3')).answer(asks), {
      grant: false,
      message: 'the automatic answer ended with 3',
    });
    const late = await by(script('sleep 30'), 200).answer(asks);
    assert.deepEqual([late.grant, late.message], [false, 'the automatic answer took longer than 0.2 s']);
    const missing = await by(join(tempDir('none'), 'none')).answer(asks);
    assert.equal(missing.grant, false);
    assert.match(missing.message ?? '', /The automatic answer .* is not used: it does not exist/);
  });
});

describe('whom an agent serves', () => {
  const config = (node: string | null, client: string | null) => ({
    ...defaultConfig(),
    node,
    client: client === null ? null : { ...EMPTY, name: client },
  });
  const EMPTY = { autoRespond: null, autoRespondTimeoutMs: 1, driver: { type: 'record' as const }, volumes: {} };
  const names = (served: Served[]) => served.map(({ role, name }) => `${role} ${name}`).join(', ');
  const of = (flags: { node?: string; client?: string }, node: string | null, client: string | null) =>
    names(namedServed({ node: undefined, client: undefined, ...flags }, config(node, client)));

  it('is said by flags before all else, and by the configuration, which may name both', () => {
    assert.equal(of({}, 'n1', 'c1'), 'node n1, client c1');
    assert.equal(of({}, null, 'c1'), 'client c1');
    assert.equal(of({}, null, null), '');
    assert.equal(of({ client: 'c2' }, 'n1', 'c1'), 'client c2');
    assert.equal(of({ node: 'n2' }, 'n1', 'c1'), 'node n2');
    assert.equal(of({ node: 'n2', client: 'c2' }, 'n1', 'c1'), 'node n2, client c2');
    assert.throws(() => of({ client: '' }, null, null), { code: 'BAD_NAME' });
  });

  it('is said by variables where no flag is there', () => {
    process.env.CFS_CLIENT = 'c7';
    try {
      assert.equal(of({}, 'n1', 'c1'), 'node n1, client c7');
      assert.equal(of({ node: 'n2' }, null, null), 'node n2');
    } finally {
      delete process.env.CFS_CLIENT;
    }
  });

  it('decides where a client keeps its state: below that of a node where the directory is for both', () => {
    const client: Served = { role: 'client', name: 'c1' };
    const node: Served = { role: 'node', name: 'n1' };
    const beside = (all: Served[], flag: string | undefined, named: string | null) =>
      isBesideNode(client, { all, flag, config: config(named, null) });
    assert.equal(beside([node, client], '/d', null), true);
    assert.equal(beside([client], '/d', 'n1'), false);
    assert.equal(beside([client], undefined, 'n1'), true);
    assert.equal(beside([client], undefined, null), false);
  });
});

describe('messages to systemd of two agents in one process', () => {
  const shared = () => {
    const said: string[] = [];
    const to = {
      send: (...messages: string[]) => void said.push(...messages),
      says: (text: string) => void said.push(text),
    };
    const notifier = new SharedNotifier(to, ['node n1', 'client c1']);
    return { said, notifier, n1: notifier.of('node n1'), c1: notifier.of('client c1') };
  };

  it('say ready when both are, stopping once, and the status of both', () => {
    const { said, n1, c1 } = shared();
    n1.send('READY=1');
    assert.deepEqual(said, []);
    n1.says('online');
    c1.send('READY=1');
    c1.says('logged on');
    n1.send('STOPPING=1');
    c1.send('STOPPING=1');
    const both = 'node n1: online | client c1: logged on';
    assert.deepEqual(said, ['node n1: online', 'READY=1', both, 'STOPPING=1']);
  });

  it('do not wait for one that has ended, and never say ready when nothing is', () => {
    const { said, notifier, n1 } = shared();
    notifier.gone('client c1');
    n1.send('READY=1');
    assert.ok(said.includes('READY=1'));
    const other = shared();
    other.notifier.gone('node n1');
    other.notifier.gone('client c1');
    assert.ok(!other.said.includes('READY=1'));
  });

  it('say ready when the one that is not ready ends', () => {
    const { said, notifier, n1 } = shared();
    n1.send('READY=1');
    notifier.gone('client c1');
    assert.ok(said.includes('READY=1'));
  });
});
