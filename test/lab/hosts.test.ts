/** Agents on hosts of their own, over a file system that is taken away, hangs and fills up. Root and netlab.sh, else skipped. */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { LabHost } from '../../scripts/lab/hosts.js';
import { isAlive } from '../../scripts/lab/proc.js';
import { fillUp } from '../../scripts/lab/scenarios/storage.js';
import type { Surroundings } from '../../scripts/lab/surroundings.js';
import {
  holdingsOf,
  type LabCluster,
  labCluster,
  monotonicMs,
  takeoverOf,
  testLab,
  verdictOf,
  waitFor,
} from '../kit/agents.js';

const TIMEOUT_MS = 2000;

describe('agents on hosts of the lab', () => {
  let surroundings: Surroundings;
  let cluster: LabCluster;

  before(async function () {
    surroundings = await testLab(this, 3);
    cluster = await labCluster(surroundings, 'hosts', { volumes: 6 });
    cluster.startAll();
    await cluster.settled();
  });

  after(() => {
    cluster?.killAll();
    surroundings?.remove();
  });

  const host = (node: string): LabHost => cluster.agent(node).host as LabHost;
  const owners = (): string => JSON.stringify([...cluster.owners()]);
  const generation = async (): Promise<number> => Number((await cluster.cfsJson(['status'])).generation);

  it('[F1] a powered off host is taken over from within 1.5 times lease.timeout', async () => {
    const before = holdingsOf(cluster, 'h1');
    const faultMs = await cluster.powerOff('h1');
    const { lastMs } = await takeoverOf(cluster, before, faultMs);
    await cluster.powerOn('h1');
    await cluster.settled();
    assert.ok(lastMs < 1.5 * TIMEOUT_MS, `took ${lastMs} ms`);
  });

  it('[F11] [F13] [F16] hosts that lose the directory stop in time, one that sees it runs everything, and they come in again', async () => {
    // What lies below the mount point may look like it: an agent that was started too early has left a leases/ there.
    const empty = join(cluster.options.base, 'empty');
    mkdirSync(join(empty, 'leases'), { recursive: true });
    const lost = ['h2', 'h3'];
    const before = new Map(lost.flatMap((node) => [...holdingsOf(cluster, node)]));
    const faultMs = monotonicMs();
    for (const node of lost) await host(node).must('mount', '--bind', empty, cluster.dir);
    await waitFor('both to stop what they run', 0.95 * TIMEOUT_MS, () =>
      lost.every((node) => cluster.agent(node).volumes().size === 0),
    );
    await takeoverOf(cluster, before, faultMs);
    assert.equal(cluster.agent('h1').volumes().size, 6);
    for (const node of lost) await host(node).must('umount', cluster.dir);
    await cluster.settled();
  });

  it('[F12] where every call hangs and workers cannot be killed, all stop in time; then each goes on with what it had', async () => {
    const [before, number] = [owners(), await generation()];
    const workers = await Promise.all(
      [...cluster.agents.values()].map(async (agent) => (await agent.bothPids()).worker),
    );
    await surroundings.disk!.freeze();
    try {
      await waitFor('all to stop', TIMEOUT_MS, () =>
        [...cluster.owners().values()].every((nodes) => nodes.length === 0),
      );
      // Killed, and yet there: in the kernel, in a call on the directory (D), some thread of it at least.
      assert.ok(workers.some(isAlive), 'the calls do not hang');
    } finally {
      await surroundings.disk!.thaw();
    }
    await cluster.settled();
    assert.deepEqual([owners(), await generation()], [before, number]);
  });

  it('[F29] [F30] [F31] on a full file system leases go on, one failover fits, and status shows an alarm', async () => {
    const [before, number] = [owners(), await generation()];
    const filler = join(surroundings.disk!.mountPoint, 'filler');
    try {
      await waitFor('the ballast', 20_000, () => existsSync(join(cluster.dir, 'ballast')));
      fillUp(filler);
      const fullMs = monotonicMs();
      await waitFor('two lease timeouts to pass', 3 * TIMEOUT_MS, () => monotonicMs() - fullMs > 2 * TIMEOUT_MS);
      assert.deepEqual([owners(), await generation()], [before, number], 'nothing moves');
      const had = holdingsOf(cluster, 'h2');
      const faultMs = await cluster.powerOff('h2');
      await takeoverOf(cluster, had, faultMs);
      const said = await cluster.cfs(['status']);
      assert.match(said, /ALARM|full/);
    } finally {
      rmSync(filler, { force: true });
    }
  });

  it('never let a volume have two owners in all that time', () => {
    const { overlaps, problems } = verdictOf(cluster);
    assert.deepEqual([overlaps, problems], [[], []]);
  });
});
