/**
 * Acceptance of access control (spec/access-control.md) with real agents and real mounts on this machine: two clients over bind mounts,
 * and over one ext4 image that each sees as a loop device of its own. Titles are the specification's lines. Needs root.
 */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import {
  appendFileSync,
  closeSync,
  fsyncSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { problemsOf, proofOf, violationsOf } from '../../scripts/access/check-writers.js';
import type { ClientAgent, VolumeSource } from '../../scripts/access/client-agent.js';
import { ClientLab } from '../../scripts/access/client-lab.js';
import { commandDriverOf } from '../../scripts/access/command-driver.js';
import { LoopDevice, whyNoMounts } from '../../scripts/access/real-mounts.js';
import { monotonicMs } from '../../scripts/lab/proc.js';
import { waitFor } from '../../scripts/lab/wait.js';
import { isLoggedOn, writerOf } from '../../src/core/access/look.js';
import { requestWrite } from '../../src/core/access/requests.js';
import { tempDir } from '../kit/cli.js';

const V = 'v1';
const TIMEOUT_MS = 2000;

function needsMounts(test: Mocha.Context): void {
  const why = whyNoMounts();
  if (why === null) return;
  console.error(`skipped, because ${why}: ${test.currentTest?.fullTitle() ?? test.test?.fullTitle() ?? ''}`);
  test.skip();
}

/** Two clients, A and B, over one volume; taken down when the process ends, whatever happens. */
class Pair {
  readonly lab: ClientLab;
  private readonly cleanups: (() => void)[] = [];
  private readonly onExit = (): void => this.close();

  constructor(options: Partial<ConstructorParameters<typeof ClientLab>[0]> = {}) {
    process.prependListener('exit', this.onExit);
    this.lab = new ClientLab({ base: join(tempDir('access'), 'lab'), clients: ['A', 'B'], volumes: [V], ...options });
    this.cleanups.push(() => this.lab.close());
  }

  static onImage(): Pair {
    const image = join(tempDir('image'), 'v1.img');
    const made = spawnSync('sh', ['-c', `truncate -s 24M '${image}' && mkfs.ext4 -q -F '${image}'`], {
      encoding: 'utf8',
    });
    assert.equal(made.status, 0, made.stderr);
    const devices = new Map(['A', 'B'].map((client) => [client, new LoopDevice(image)]));
    const source = (client: string): VolumeSource => ({ device: devices.get(client)!.device, fsType: 'ext4' });
    const pair = new Pair({ agent: (client) => ({ volumes: { [V]: source(client) } }) });
    pair.cleanups.push(() => {
      for (const device of devices.values()) device.detach();
    });
    return pair;
  }

  async start(): Promise<void> {
    await this.lab.create();
    for (const agent of this.lab.agents.values()) agent.start();
    await this.lab.converged();
  }

  get writer(): string | null {
    return writerOf(this.lab.cluster.snapshot(), V).writer;
  }

  agent(client: string): ClientAgent {
    return this.lab.agent(client);
  }

  path(client: string, file = 'data'): string {
    return this.lab.space.path(join(this.agent(client).mountPoint(V), file));
  }

  mode(client: string): 'ro' | 'rw' | null {
    return this.lab.space.modeAt(this.agent(client).mountPoint(V));
  }

  /** Appends and flushes, as a program that means it. */
  write(client: string, text: string, file = 'data'): void {
    const fd = openSync(this.path(client, file), 'a');
    appendFileSync(fd, text);
    fsyncSync(fd);
    closeSync(fd);
  }

  read(client: string, file = 'data'): string {
    return readFileSync(this.path(client, file), 'utf8');
  }

  assertReadOnly(client: string): void {
    assert.throws(() => this.write(client, 'no'), { code: 'EROFS' });
    assert.throws(() => writeFileSync(this.path(client, 'new'), ''), { code: 'EROFS' });
  }

  /** `cfs volume request-write --wait`, through the built binary. */
  async asks(client: string, wait = '60s'): Promise<{ status: number; stderr: string; stdout: string }> {
    return this.agent(client).cfs(['volume', 'request-write', V, '--wait', wait]);
  }

  /** Asks, and waits until the client's own mount is for writing. */
  async obtains(client: string): Promise<void> {
    const { status, stderr } = await this.asks(client);
    assert.equal(status, 0, stderr);
    await waitFor(`${client} to have it for writing`, 20_000, () => this.mode(client) === 'rw', {
      explain: () => this.lab.describe(),
    });
  }

  async assertProved(): Promise<void> {
    const proof = await proofOf(
      this.lab.dir,
      [...this.lab.agents.values()].map(({ stateDir }) => stateDir),
    );
    assert.deepEqual([violationsOf(proof), problemsOf(proof)], [[], []]);
  }

  close(): void {
    process.removeListener('exit', this.onExit);
    for (const cleanup of this.cleanups.splice(0)) cleanup();
  }
}

/** A program that keeps a file open for writing until it is killed. @param also what it does besides */
async function openFile({ lab }: Pair, client: string, also = ''): Promise<ChildProcess> {
  const path = join(lab.agent(client).mountPoint(V), 'data');
  const program = `${also}require('fs').openSync(process.argv[1], 'a'); console.log('open'); setInterval(() => {}, 1000)`;
  const [file, ...argv] = lab.space.argv([process.execPath, '-e', program, path]);
  const child = spawn(file!, argv, { stdio: ['ignore', 'pipe', 'inherit'] });
  let isOpen = false;
  child.stdout!.on('data', () => {
    isOpen = true;
  });
  await waitFor('the program to open its file', 20_000, () => isOpen);
  return child;
}

for (const [kind, make] of [
  ['a directory (bind mounts)', () => new Pair()],
  ['an ext4 image by two loop devices', () => Pair.onImage()],
] as const) {
  describe(`two clients with agents over ${kind}`, () => {
    let pair: Pair;

    before(async function () {
      needsMounts(this);
      pair = make();
      await pair.start();
    });

    after(async () => {
      if (pair === undefined) return;
      await pair.lab.stopAll();
      pair.close();
    });

    it("A writes; B requests with --wait; A's agent answers; B writes; A is read-only", async () => {
      await pair.obtains('A');
      pair.write('A', 'one\n');
      await pair.obtains('B');
      assert.equal(pair.mode('A'), 'ro');
      assert.equal(pair.read('B'), 'one\n');
      pair.write('B', 'two\n');
      assert.equal(pair.writer, 'B');
    });

    it('a write by the reader fails with EROFS; after the handover the new writer sees every byte the old one wrote', async () => {
      pair.assertReadOnly('A');
      pair.write('B', 'x'.repeat(300_000), 'large');
      await pair.obtains('A');
      pair.assertReadOnly('B');
      assert.equal(pair.read('A'), 'one\ntwo\n');
      assert.equal(pair.read('A', 'large'), 'x'.repeat(300_000));
      pair.write('A', 'three\n');
    });

    it('[F46] a writer with an open file: the answer is a denial that names the process; closed, it is handed over', async () => {
      const program = await openFile(pair, 'A');
      try {
        const { status, stderr } = await pair.asks('B');
        assert.equal(status, 5, stderr);
        assert.match(stderr, new RegExp(`\\b${program.pid}\\b`));
        assert.equal(pair.writer, 'A');
        assert.equal(pair.mode('A'), 'rw', 'its mount was not torn away');
        pair.write('A', 'four\n');
      } finally {
        program.kill('SIGKILL');
      }
      await pair.obtains('B');
      assert.equal(pair.read('B'), 'one\ntwo\nthree\nfour\n');
      pair.write('B', 'five\n');
    });

    it("[F44] A is killed while writing: B gets the volume after A's lease lapses; A, back, finds itself read-only", async () => {
      await pair.obtains('A');
      const program = await openFile(pair, 'A');
      pair.write('A', 'six\n');
      const killed = monotonicMs();
      assert.ok(pair.agent('A').signal('both', 'SIGKILL'));
      await pair.agent('A').wait();
      assert.equal(pair.mode('A'), 'ro', 'the end of the service makes everything read-only');
      pair.assertReadOnly('A');
      await waitFor(
        'the program with the open file to have been ended',
        5000,
        () => program.exitCode ?? program.signalCode,
      );
      await pair.obtains('B');
      const lapsed = monotonicMs() - killed;
      assert.ok(lapsed > TIMEOUT_MS, `B had it after ${lapsed} ms`);
      assert.equal(isLoggedOn(pair.lab.cluster.snapshot(), 'A'), false);
      assert.equal(pair.read('B'), 'one\ntwo\nthree\nfour\nfive\nsix\n');
      pair.write('B', 'seven\n');
      pair.agent('A').start();
      await pair.lab.converged();
      assert.equal(pair.mode('A'), 'ro');
      pair.assertReadOnly('A');
      assert.ok(pair.read('A').startsWith('one\ntwo\nthree\n'), 'it reads');
      assert.equal(pair.writer, 'B');
      assert.equal(isLoggedOn(pair.lab.cluster.snapshot(), 'A'), true);
    });

    it('at no generation, and at no time, two writers', () => pair.assertProved());
  });
}

describe('a client whose worker freezes while it writes', () => {
  const LEASE_MS = 4000;
  let pair: Pair;

  before(async function () {
    needsMounts(this);
    pair = new Pair({ settings: { 'lease.timeout': LEASE_MS } });
    await pair.start();
  });

  after(async () => {
    if (pair === undefined) return;
    await pair.lab.stopAll();
    pair.close();
  });

  it('[F45] is read-only before its lease is over, though a program there ignores TERM and its state directory is gone', async () => {
    await pair.obtains('A');
    const program = await openFile(pair, 'A', "process.on('SIGTERM', () => {}); ");
    const agent = pair.agent('A');
    renameSync(agent.stateDir, `${agent.stateDir}.gone`);
    writeFileSync(agent.stateDir, 'no directory');
    const frozen = monotonicMs();
    assert.ok(agent.signal('worker', 'SIGSTOP'));
    await waitFor('its mount to be read-only', 20_000, () => pair.mode('A') === 'ro', {
      explain: () => pair.lab.describe(),
    });
    const tookMs = monotonicMs() - frozen;
    assert.ok(tookMs < LEASE_MS, `read-only after ${tookMs} ms`);
    await waitFor('the program to be ended', 5000, () => program.exitCode ?? program.signalCode);
    rmSync(agent.stateDir);
    renameSync(`${agent.stateDir}.gone`, agent.stateDir);
    await pair.obtains('B');
  });
});

describe('an agent that is killed between two steps', () => {
  let pair: Pair;
  const holdFile = (client: string): string => join(pair.lab.options.base, client, 'hold');

  before(async function () {
    needsMounts(this);
    // Long enough that nobody takes over what nobody cleans up after: that is what stop-all and fencing are for.
    pair = new Pair({
      settings: { 'lease.timeout': 20_000 },
      agent: (_, base) => {
        const sources = join(base, '..', 'volumes');
        return { driver: commandDriverOf({ base, sources, holdFile: join(base, 'hold') }) };
      },
    });
    await pair.start();
  });

  after(async () => {
    if (pair === undefined) return;
    await pair.lab.stopAll();
    pair.close();
  });

  /** Kills the agent while its driver is about to change something; nothing cleans up. */
  async function killAtStep(client: string, mode: string): Promise<void> {
    const agent = pair.agent(client);
    const holding = await waitFor(`the driver of ${client} to be about to make it ${mode}`, 20_000, () =>
      stepOf(client, mode),
    );
    assert.ok(holding > 0);
    agent.hasUnit = false;
    assert.ok(agent.signal('both', 'SIGKILL'));
    await agent.wait();
    agent.hasUnit = true;
  }

  /** The driver's process that waits at its step; null: none. */
  function stepOf(client: string, mode: string): number | null {
    const { base } = pair.agent(client).options;
    const { stdout } = spawnSync('pgrep', ['-f', `${join(base, 'mounts')} ${mode} ${V}`], { encoding: 'utf8' });
    return Number(stdout.split('\n')[0]) || null;
  }

  it('before its mount is for writing: the next start mounts what the tables say', async () => {
    writeFileSync(holdFile('A'), '');
    await pair.lab.cluster.change(requestWrite, { volume: V, client: 'A' });
    await killAtStep('A', 'rw');
    assert.equal(pair.mode('A'), 'ro', 'the tables name the writer first, so that there is less than they say');
    rmSync(holdFile('A'));
    pair.agent('A').start();
    await pair.lab.converged();
    // Whether it came back in time or was found gone: the mount is as the tables say.
    assert.equal(pair.mode('A'), pair.writer === 'A' ? 'rw' : 'ro');
  });

  it('[F47] before its mount is read-only: the next start makes it so first, and only then another one may write', async () => {
    await pair.obtains('A');
    pair.write('A', 'one\n');
    writeFileSync(holdFile('A'), '');
    const asked = pair.asks('B');
    await killAtStep('A', 'ro');
    assert.equal(pair.mode('A'), 'rw', 'nobody has made it read-only');
    assert.equal(pair.writer, 'A', 'and so nobody else may write');
    pair.agent('A').start();
    rmSync(holdFile('A'));
    const { status, stderr } = await asked;
    assert.equal(status, 0, stderr);
    await waitFor('B to have it for writing', 20_000, () => pair.mode('B') === 'rw', {
      explain: () => pair.lab.describe(),
    });
    assert.equal(pair.mode('A'), 'ro');
    assert.equal(pair.read('B'), 'one\n');
    await pair.lab.converged();
  });

  it('never lets two clients write at one time', () => pair.assertProved());
});
