/** Clocks: those of people may be wrong (libfaketime makes them jump), those of agents are monotonic. Numbers: docs/FAILURES.md. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { CLOCK_LIBRARY, clockEnv, setClock } from '../../scripts/lab/clock.js';
import { CFS, runHere } from '../../scripts/lab/hosts.js';
import { LeaseObserver } from '../../src/core/membership/observer.js';
import {
  holdingsOf,
  type LabCluster,
  localCluster,
  monotonicMs,
  takeoverOf,
  verdictOf,
  waitFor,
} from '../kit/agents.js';
import { tempDir } from '../kit/cli.js';

const TIMEOUT_MS = 2000;
const HOUR = 3600;

describe('an observer of leases', () => {
  it('[F19] does not count time against others in which it could not look', () => {
    const observer = new LeaseObserver(900);
    const leases = new Map([['n2', { node: 'n2', seq: 7, released: 1, applied: 1, timeoutMs: TIMEOUT_MS }]]);
    observer.look({ leases, beganMs: 0, endedMs: 1 });
    observer.look({ leases, beganMs: 300, endedMs: 301 });
    // The directory hung for a minute: one gap, as long as the longest that counts.
    observer.look({ leases, beganMs: 60_000, endedMs: 60_001 });
    assert.equal(observer.isLapsed('n2', TIMEOUT_MS), false);
    for (let ms = 60_300; ms < 60_300 + TIMEOUT_MS; ms += 300) observer.look({ leases, beganMs: ms, endedMs: ms + 1 });
    assert.equal(observer.isLapsed('n2', TIMEOUT_MS), true, 'but what it has watched itself does');
  });
});

describe('agents whose clocks jump', () => {
  let cluster: LabCluster;
  const at = (node: string): string => join(cluster.options.base, node);
  const generation = async (): Promise<number> => Number((await cluster.cfsJson(['status'])).generation);

  before(async function () {
    if (!existsSync(CLOCK_LIBRARY)) {
      console.error(`skipped, because libfaketime is not installed: ${this.currentTest?.fullTitle() ?? 'clocks'}`);
      this.skip();
    }
    cluster = await localCluster({ nodes: 3, volumes: 6, agent: (_node, base) => ({ env: clockEnv(base) }) });
    cluster.startAll();
    await cluster.settled();
  });

  after(() => cluster?.killAll());

  it('[F20] go on as if nothing had happened, forth and back', async () => {
    const before = [JSON.stringify([...cluster.owners()]), await generation(), cluster.journal().length];
    for (const [node, offset] of [
      ['n1', HOUR],
      ['n2', -HOUR],
      ['n1', -HOUR],
    ] as const) {
      setClock(at(node), offset);
      const jumpedMs = monotonicMs();
      await waitFor('a lease timeout to pass', 2 * TIMEOUT_MS, () => monotonicMs() - jumpedMs > 1.2 * TIMEOUT_MS);
    }
    assert.deepEqual([JSON.stringify([...cluster.owners()]), await generation(), cluster.journal().length], before);
  });

  it('[F21] take over as ever while clocks jump', async () => {
    const before = holdingsOf(cluster, 'n3');
    const faultMs = await cluster.powerOff('n3');
    setClock(at('n1'), HOUR);
    setClock(at('n2'), -HOUR);
    const { lastMs } = await takeoverOf(cluster, before, faultMs);
    assert.ok(lastMs < 1.5 * TIMEOUT_MS, `took ${lastMs} ms`);
    assert.deepEqual(verdictOf(cluster).overlaps, []);
  });

  it('[F22] write into history what their clocks say, in the right order all the same', async () => {
    const dir = tempDir('clock');
    const env = { CFS_DIR: cluster.dir, ...clockEnv(dir) };
    setClock(dir, HOUR);
    const first = await generation();
    const set = ['node', 'set', 'n1', '--weight', '2'];
    const { status, stderr } = await runHere([process.execPath, CFS, ...set], env);
    assert.equal(status, 0, stderr);
    await cluster.cfs(['node', 'set', 'n1', '--weight', '1']);
    const { history } = (await cluster.cfsJson(['history'])) as {
      history: { generation: number; time: string }[];
    };
    const [late, early] = [first + 2, first + 1].map((number) => history.find((one) => one.generation === number)!);
    assert.ok(
      Date.parse(early!.time) - Date.parse(late!.time) > 0.9 * HOUR * 1000,
      'an hour later, and yet the earlier one',
    );
  });
});
