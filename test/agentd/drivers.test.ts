import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { DriverConfig } from '../../src/agentd/config.js';
import { driverOf } from '../../src/agentd/drivers/index.js';
import { OwnershipJournal, readJournal } from '../../src/agentd/journal.js';
import type { Driver } from '../../src/core/agent/ports.js';
import { tempDir } from '../kit/cli.js';
import { script, somePrograms } from './kit.js';

interface Node {
  driver: Driver;
  journal: OwnershipJournal;
  problems: string[];
  /** `event volume epoch` of every line of the journal. */
  events: () => string[];
}

function nodeWith(
  config: DriverConfig,
  options: { ends?: 'stop' | 'fenced'; stateDir?: string; limitMs?: number } = {},
): Node {
  const { ends = 'stop', stateDir = tempDir('state'), ...rest } = options;
  let now = 0;
  const journal = new OwnershipJournal({ stateDir, node: 'n1', bootId: 'b', monotonicMs: () => ++now });
  const problems: string[] = [];
  const programs = somePrograms(stateDir);
  const parts = { node: 'n1', dir: '/shared/cfs', programs, journal, ends, ...rest };
  const driver = driverOf(config, { ...parts, onProblem: (error) => problems.push(error.message) });
  const events = () => readJournal(stateDir).map(({ event, volume, epoch }) => `${event} ${volume} ${epoch}`);
  return { driver, journal, problems, events };
}

const exec = (command: string, timeoutMs = 10_000): DriverConfig => ({ type: 'exec', command, timeoutMs });
const v1 = { volume: 'v 1', epoch: 7 };

describe('the record driver', () => {
  it('runs what it is told, and remembers it over the end of its process', async () => {
    const stateDir = tempDir('state');
    const { driver, events } = nodeWith({ type: 'record' }, { stateDir });
    await driver.start(v1);
    await driver.start({ volume: 'v2', epoch: 3 });
    await driver.stop({ volume: 'v2', epoch: 3 });
    assert.deepEqual(await nodeWith({ type: 'record' }, { stateDir }).driver.running(), [v1]);
    assert.deepEqual(events(), ['start v 1 7', 'start v2 3', 'stop v2 3']);
  });

  it('calls an end by the supervisor fenced', async () => {
    const { driver, events } = nodeWith({ type: 'record' }, { ends: 'fenced' });
    await driver.stop(v1);
    assert.deepEqual(events(), ['fenced v 1 7']);
  });
});

describe('the driver that is a program', () => {
  it('is told what to do, for what, and in whose name', async () => {
    const out = join(tempDir('out'), 'calls');
    const command = script(`echo "$# $1 $2 $CFS_NODE $CFS_DIR $CFS_ACTION $CFS_VOLUME $CFS_EPOCH" >> ${out}`);
    const { driver, events } = nodeWith(exec(command));
    await driver.start(v1);
    await driver.stop(v1);
    assert.deepEqual(await driver.running(), []);
    assert.deepEqual(readFileSync(out, 'utf8').split('\n'), [
      '2 start v 1 n1 /shared/cfs start v 1 7',
      '2 stop v 1 n1 /shared/cfs stop v 1 7',
      '1 running  n1 /shared/cfs running  ',
      '',
    ]);
    assert.deepEqual(events(), ['start v 1 7', 'stop v 1 7']);
  });

  it('says what runs, names with blanks too; what nobody knew of is found, and what is gone has ended', async () => {
    const { driver, journal, events } = nodeWith(exec(script('printf "v 1 7\\n\\n  v2\\t12 \\n"')));
    journal.add('start', { volume: 'v2', epoch: 12 });
    journal.add('start', { volume: 'v3', epoch: 1 });
    assert.deepEqual(await driver.running(), [v1, { volume: 'v2', epoch: 12 }]);
    assert.deepEqual(events(), ['start v2 12', 'start v3 1', 'stop v3 1', 'found v 1 7']);
    assert.deepEqual(journal.open(), [{ volume: 'v2', epoch: 12 }, v1]);
  });

  it('fails when it says of what runs something that is no volume and epoch', async () => {
    for (const output of ['v1', 'v1 x', '/dev/sda 7', '.hidden 7', 'v1 -7']) {
      const { driver } = nodeWith(exec(script(`echo '${output}'`)));
      await assert.rejects(driver.running(), /running printed ".*", which is no line "VOLUME EPOCH"$/, output);
    }
  });

  it('fails with its status and last words; a volume that failed to start may run and counts as owned', async () => {
    const { driver, events } = nodeWith(exec(script('echo "mount: /dev/x is busy" >&2; exit 32')));
    await assert.rejects(driver.start(v1), {
      message: `the driver's start "v 1" ended with 32: mount: /dev/x is busy`,
    });
    await assert.rejects(driver.stop(v1), { message: `the driver's stop "v 1" ended with 32: mount: /dev/x is busy` });
    await assert.rejects(driver.running(), { message: "the driver's running ended with 32: mount: /dev/x is busy" });
    assert.deepEqual(events(), ['start v 1 7']);
  });

  it('that takes too long has failed, in the supervisor after what that one has left', async () => {
    const slow = exec(script('exec sleep 60'), 200);
    await assert.rejects(nodeWith(slow).driver.stop(v1), { message: `the driver's stop "v 1" took longer than 0.2 s` });
    const supervisor = nodeWith({ ...slow, timeoutMs: 60_000 } as DriverConfig, { ends: 'fenced', limitMs: 100 });
    await assert.rejects(supervisor.driver.stop(v1), /took longer than 0\.1 s$/);
    assert.deepEqual(supervisor.events(), []);
  });

  it('that others can change is not run', async () => {
    const { driver } = nodeWith(exec(join(tempDir('none'), 'driver')));
    await assert.rejects(driver.stop(v1), { code: 'PROGRAM_NOT_TRUSTED' });
  });
});

describe('a driver with its journal', () => {
  it('starts nothing that cannot be written down, and stops all the same', async () => {
    const out = join(tempDir('out'), 'calls');
    let isFull = false;
    const journal = {
      add() {
        if (isFull) throw new Error('ENOSPC: no space left on device');
      },
      open: () => [],
    };
    const problems: string[] = [];
    const driver = driverOf(exec(script(`echo $1 >> ${out}`)), {
      node: 'n1',
      dir: '/shared',
      programs: somePrograms(),
      journal,
      ends: 'stop',
      onProblem: (error) => problems.push(error.message),
    });
    isFull = true;
    await assert.rejects(driver.start(v1), /ENOSPC/);
    await driver.stop(v1);
    assert.equal(readFileSync(out, 'utf8'), 'stop\n');
    assert.deepEqual(problems, ['ENOSPC: no space left on device']);
  });
});
