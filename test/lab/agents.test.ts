/**
 * Real agents as plain processes on this machine, killed, frozen and cut off; no root needed. Numbers in titles: docs/FAILURES.md.
 * One cluster of three nodes for all, one fault after the other; at the end the checker judges the whole time.
 */
import assert from 'node:assert/strict';
import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isAlive } from '../../scripts/lab/proc.js';
import { leaseName, listLeases } from '../../src/core/membership/leases.js';
import { nodePlatform } from '../../src/node/platform.js';
import {
  holdingsOf,
  type LabCluster,
  localCluster,
  monotonicMs,
  takeoverOf,
  verdictOf,
  waitFor,
} from '../kit/agents.js';

const TIMEOUT_MS = 2000;

describe('agents of one machine', () => {
  let cluster: LabCluster;

  before(async () => {
    cluster = await localCluster({ nodes: 3, volumes: 6 });
    cluster.startAll();
    await cluster.settled();
  });

  after(() => cluster?.killAll());

  const generation = async (): Promise<number> => Number((await cluster.cfsJson(['status'])).generation);
  const owners = (): string => JSON.stringify([...cluster.owners()]);
  const gone = (node: string): Promise<unknown> =>
    waitFor(`${node} to run nothing`, 5000, () => cluster.agent(node).volumes().size === 0);

  it('[F8] a service that is stopped and started again within lease.timeout keeps its volumes, and nothing moves', async () => {
    const [before, number] = [owners(), await generation()];
    const agent = cluster.agent('n1');
    await agent.stop();
    assert.equal(agent.volumes().size, 0, 'an agent that has ended runs nothing');
    agent.start();
    await cluster.settled();
    assert.equal(owners(), before);
    assert.equal(await generation(), number);
  });

  it('[F4] the supervisor of a dead worker stops what the node runs, and starts a new worker', async () => {
    const agent = cluster.agent('n1');
    const before = holdingsOf(cluster, 'n1');
    const { worker } = await agent.bothPids();
    const faultMs = monotonicMs();
    await agent.signal('worker', 'SIGKILL');
    await gone('n1');
    assert.ok(monotonicMs() - faultMs < TIMEOUT_MS, 'stopped before anybody else might start it');
    await takeoverOf(cluster, before, faultMs);
    const fresh = await waitFor('a new worker', 5000, () => {
      const now = agent.pids()?.worker;
      return now != null && now !== worker;
    });
    assert.ok(fresh);
    await cluster.settled();
  });

  it('[F5] the worker of a dead supervisor stops what the node runs, and ends', async () => {
    const agent = cluster.agent('n2');
    const { worker } = await agent.bothPids();
    // By itself: nobody cleans up after it.
    agent.hasUnit = false;
    const faultMs = monotonicMs();
    await agent.signal('supervisor', 'SIGKILL');
    await gone('n2');
    assert.ok(monotonicMs() - faultMs < TIMEOUT_MS, 'stopped before anybody else might start it');
    await waitFor('the worker to end', 5000, () => !isAlive(worker));
    await agent.wait();
    agent.hasUnit = true;
    agent.start();
    await cluster.settled();
  });

  it('[F23] the supervisor of a frozen worker stops what the node runs before others may start it', async () => {
    const before = holdingsOf(cluster, 'n3');
    const faultMs = monotonicMs();
    await cluster.agent('n3').signal('worker', 'SIGSTOP');
    await gone('n3');
    assert.ok(monotonicMs() - faultMs < TIMEOUT_MS);
    await takeoverOf(cluster, before, faultMs);
    await cluster.settled();
  });

  it('[F1] [F2] [F3] volumes of a node that lost its power run on the others after 1.5 times lease.timeout, and theirs stay', async () => {
    const before = holdingsOf(cluster, 'n1');
    const theirs = [...holdingsOf(cluster, 'n2'), ...holdingsOf(cluster, 'n3')];
    const since = await generation();
    const faultMs = await cluster.powerOff('n1');
    const { lastMs } = await takeoverOf(cluster, before, faultMs);
    const now = new Map([...holdingsOf(cluster, 'n2'), ...holdingsOf(cluster, 'n3')]);
    for (const [volume, process] of theirs) assert.equal(now.get(volume), process, `${volume} was not touched`);
    const told = (await cluster.cfs(['history', '--json'])).toString();
    assert.match(told, /n1/);
    assert.match(told, /node\.failed|nodes\.failed|membership\.failed/);
    assert.equal(await generation(), since + 1, 'one generation, made by the agents alone');
    await cluster.powerOn('n1');
    await cluster.settled();
    assert.ok(lastMs < 1.5 * TIMEOUT_MS, `took ${lastMs} ms`);
  });

  it('[F17] [F18] when all lose the directory all stop; when it is back, each volume runs again where it was', async () => {
    const [before, number] = [owners(), await generation()];
    const away = `${cluster.dir}.away`;
    renameSync(cluster.dir, away);
    try {
      await waitFor('all to stop', TIMEOUT_MS, () =>
        [...cluster.owners().values()].every((nodes) => nodes.length === 0),
      );
      await new Promise((resolve) => setTimeout(resolve, 1.5 * TIMEOUT_MS));
    } finally {
      renameSync(away, cluster.dir);
    }
    await cluster.settled();
    assert.equal(owners(), before);
    assert.equal(await generation(), number, 'no node was declared failed');
  });

  it('[F33] an agent that finds its own lease renewed by somebody else stops what it runs, and ends', async () => {
    const agent = cluster.agent('n2');
    const leases = join(cluster.dir, 'leases');
    const own = listLeases(nodePlatform(), leases).get('n2')!;
    writeFileSync(join(leases, leaseName({ ...own, seq: own.seq + 1000 })), '');
    await gone('n2');
    await waitFor('the agent to end', 10_000, () => !agent.isRunning, { explain: () => cluster.describe() });
    await agent.wait();
    agent.start();
    await cluster.settled();
  });

  it('never let a volume have two owners in all that time', () => {
    const { intervals, overlaps, problems } = verdictOf(cluster);
    assert.deepEqual([overlaps, problems], [[], []]);
    assert.ok(intervals > 20, `only ${intervals} intervals`);
  });

  it('[F24] what a frozen node had is taken over, and stopped when it wakes up', async () => {
    const agent = cluster.agent('n3');
    const before = holdingsOf(cluster, 'n3');
    const faultMs = monotonicMs();
    await agent.signal('everything', 'SIGSTOP');
    await takeoverOf(cluster, before, faultMs);
    assert.ok(
      [...cluster.owners().values()].some((nodes) => nodes.length === 2),
      'two owners: only fencing prevents it',
    );
    // The journals know it too: the checker is no ornament.
    assert.notDeepEqual(verdictOf(cluster).overlaps, []);
    await agent.signal('everything', 'SIGCONT');
    await waitFor('it to stop what it had', 5000, () => {
      const now = holdingsOf(cluster, 'n3');
      return [...before].every(([volume, process]) => now.get(volume) !== process);
    });
    await cluster.settled();
  });
});
