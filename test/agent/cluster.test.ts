/** What a cluster of agents does in the situations that matter, in simulated time (test/kit/sim-cluster.ts). */
import assert from 'node:assert/strict';
import { clusterSet } from '../../src/core/config/settings.js';
import { stateOf } from '../../src/core/membership/states.js';
import { drainTo, rebalance } from '../../src/core/placement/operations.js';
import { SimCluster } from '../kit/sim-cluster.js';

const QUICK = { 'lease.interval': 500, 'lease.timeout': 3000, 'join.settle': 500, 'apply.timeout': 5000 };

function median(numbers: readonly number[]): number {
  return [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)]!;
}

/** The node that administers the most volumes, so that its failure moves some. */
function busiest(cluster: SimCluster): string {
  return cluster.nodes.reduce((a, b) => (b.running.size > a.running.size ? b : a)).name;
}

describe('a cluster of agents', () => {
  it('makes one failover when twenty agents notice the same failure', async () => {
    const cluster = await SimCluster.running({ seed: 1, nodes: 21, volumes: 63, settings: QUICK, mostLagMs: 10 });
    const before = cluster.snapshot().generation;
    cluster.node('n7').powerOff();
    await cluster.converge(10_000);
    await cluster.world.runFor(10_000);
    const after = cluster.history().slice(before);
    assert.deepEqual(
      after.map(({ operation }) => operation),
      ['node.failed'],
    );
    assert.equal(stateOf(cluster.snapshot(), 'n7'), 'failed');
  });

  it('takes in 64 nodes that come up at once with at most 4 changes of placement, and no volume moves more than twice', async () => {
    for (const withinMs of [0, 5000, 15_000]) {
      const cluster = new SimCluster({ seed: 2, nodes: 64, volumes: 200, mostLagMs: 10 });
      cluster.powerOn(withinMs);
      await cluster.world.runFor(withinMs + 2000);
      await cluster.converge(60_000);
      const changes = cluster.placements();
      assert.ok(changes.length >= 1 && changes.length <= 4, `${changes.length} changes within ${withinMs} ms`);
      const moves = new Map<string, number>();
      for (const { generation } of changes) {
        for (const { table, name } of cluster.store.changesOf(generation)) {
          if (table === 'placements') moves.set(name, (moves.get(name) ?? 0) + 1);
        }
      }
      // The first placement is no move.
      assert.ok(Math.max(...moves.values()) - 1 <= 2, 'no volume moves more than twice');
      const states = cluster.nodes.map(({ name }) => stateOf(cluster.snapshot(), name));
      assert.deepEqual([...new Set(states)], ['online']);
    }
  });

  it('takes over within 4.5 s of a power-off with a lease timeout of 3 s, in the median', async () => {
    const took: number[] = [];
    for (let seed = 1; seed <= 15; seed++) {
      const cluster = await SimCluster.running({ seed, nodes: 5, volumes: 20, settings: QUICK, mostLagMs: 10 });
      await cluster.world.runFor(cluster.world.chance.between(0, 2000));
      cluster.node('n3').powerOff();
      took.push(await cluster.converge(10_000, 20));
    }
    assert.ok(Math.min(...took) >= 2100, `not before its lease can have lapsed: ${took}`);
    assert.ok(median(took) <= 4500, `median of ${took}`);
    assert.ok(Math.max(...took) <= 6000, `longest of ${took}`);
  });

  it('leaves the volumes of a flapping node where they are until it has stayed up for failback.hold', async () => {
    const volumes = Array.from({ length: 12 }, (_, i) => ({ name: `v${i + 1}`, preferredNode: i < 4 ? 'n2' : null }));
    const settings = { ...QUICK, 'failback.hold': 30_000 };
    const cluster = await SimCluster.running({ seed: 4, nodes: 4, volumes, settings });
    for (let flap = 0; flap < 4; flap++) {
      cluster.node('n2').powerOff();
      await cluster.world.runFor(6000);
      cluster.node('n2').powerOn();
      await cluster.world.runFor(9000);
    }
    await cluster.converge(20_000);
    assert.equal(stateOf(cluster.snapshot(), 'n2'), 'online');
    // Gone at its first failure; since then nothing has moved.
    assert.equal(cluster.placements().length, 2);
    assert.equal(cluster.node('n2').running.size, 0);
    await cluster.world.runFor(40_000);
    await cluster.converge(20_000);
    for (const volume of ['v1', 'v2', 'v3', 'v4']) assert.equal(cluster.checker.ownerOf(volume), 'n2');
    assert.equal(cluster.placements().length, 3);
  });

  it('fails an agent that does not release in time; its volumes start elsewhere only when it surely runs them no more', async () => {
    const cluster = await SimCluster.running({ seed: 5, nodes: 4, volumes: 12, settings: QUICK });
    const slow = busiest(cluster);
    const had = [...cluster.node(slow).running.keys()];
    cluster.node(slow).habits = { usualMs: 20, slow: 0, slowMs: 0, failedStarts: 0, failedStops: 1 };
    cluster.operate(drainTo('standby'), { node: slow });
    await cluster.world.runFor(4000);
    for (const volume of had) assert.equal(cluster.checker.ownerOf(volume), slow, 'it is waited for');
    await cluster.world.runFor(30_000);
    for (const volume of had) {
      const owner = cluster.checker.ownerOf(volume);
      assert.ok(owner !== undefined && owner !== slow, `${volume} runs elsewhere`);
    }
    assert.match(cluster.world.trace.join('\n'), /supervisor fences: the (last renewal|lease)/);
  });

  it('moves nothing when all nodes lose the directory for a minute: all stop, and all come back', async () => {
    const cluster = await SimCluster.running({ seed: 6, nodes: 6, volumes: 24, settings: QUICK });
    const before = cluster.snapshot();
    const owners = new Map([...before.table('placements').entries()].map(([volume, { node }]) => [volume, node]));
    for (const node of cluster.nodes) node.hang(60_000, false);
    await cluster.world.runFor(4000);
    for (const node of cluster.nodes) assert.equal(node.running.size, 0, `${node.name} has fenced itself`);
    await cluster.world.runFor(57_000);
    await cluster.converge(15_000);
    const after = cluster.snapshot();
    assert.equal(after.generation, before.generation);
    for (const [volume, node] of owners) assert.equal(cluster.checker.ownerOf(volume), node);
  });

  it('stops what it runs when one node loses the directory, before others start it', async () => {
    const cluster = await SimCluster.running({ seed: 7, nodes: 5, volumes: 20, settings: QUICK });
    const lost = busiest(cluster);
    cluster.node(lost).hang(30_000, true);
    await cluster.world.runFor(2900);
    assert.equal(cluster.node(lost).running.size, 0);
    await cluster.world.runFor(5000);
    assert.equal(stateOf(cluster.snapshot(), lost), 'failed');
    await cluster.world.runFor(24_000);
    await cluster.converge(20_000);
    assert.equal(stateOf(cluster.snapshot(), lost), 'online');
  });

  it('takes no notice of wall clocks that jump by an hour', async () => {
    const cluster = await SimCluster.running({ seed: 8, nodes: 4, volumes: 8, settings: QUICK });
    const { generation } = cluster.snapshot();
    cluster.node('n1').jumpWallClock(3_600_000);
    cluster.node('n2').jumpWallClock(-3_600_000);
    await cluster.world.runFor(30_000);
    assert.equal(cluster.snapshot().generation, generation);
    assert.deepEqual(cluster.unfinished(), []);
  });

  it('goes on renewing on a full disk, and tells', async () => {
    const cluster = await SimCluster.running({ seed: 9, nodes: 4, volumes: 8, settings: QUICK, hasBallast: true });
    const { generation } = cluster.snapshot();
    cluster.disk.full = 'all';
    await cluster.world.runFor(30_000);
    assert.equal(cluster.disk.full, 'data', 'the ballast was given up');
    assert.equal(cluster.snapshot().generation, generation);
    for (const node of cluster.nodes) assert.ok(node.running.size > 0);
    const told = cluster.nodes.flatMap(({ problems }) => [...problems]);
    assert.ok(
      told.some((says) => says.includes('the shared file system is full')),
      told.join('\n'),
    );
  });

  it('gives volumes away before it ends when it is told to drain, and comes back by itself', async () => {
    const cluster = await SimCluster.running({ seed: 10, nodes: 4, volumes: 12, settings: QUICK });
    const leaving = cluster.node('n2');
    leaving.leave(true);
    await cluster.world.runFor(5000);
    assert.equal(leaving.left?.reason, 'stopped');
    assert.equal(stateOf(cluster.snapshot(), 'n2'), 'offline');
    await cluster.converge(5000);
    leaving.startWorker();
    await cluster.world.runFor(5000);
    await cluster.converge(10_000);
    assert.equal(stateOf(cluster.snapshot(), 'n2'), 'online');
  });

  it('starts again where it was when an agent is restarted in time; nothing is committed for it', async () => {
    const cluster = await SimCluster.running({ seed: 11, nodes: 4, volumes: 12, settings: QUICK });
    const { generation } = cluster.snapshot();
    const node = cluster.node(busiest(cluster));
    node.leave(false);
    await cluster.world.runFor(500);
    assert.equal(node.left?.reason, 'stopped');
    assert.equal(node.running.size, 0);
    node.startWorker();
    await cluster.world.runFor(1000);
    await cluster.converge(10_000);
    assert.equal(cluster.snapshot().generation, generation);
  });

  it('keeps the promise of one owner over changes of lease.timeout while directories hang', async () => {
    for (let seed = 1; seed <= 12; seed++) {
      const cluster = await SimCluster.running({ seed, nodes: 4, volumes: 12, settings: QUICK, mostLagMs: 10 });
      const { chance } = cluster.world;
      for (const timeout of [9000, 2000, 12_000, 1500]) {
        cluster.operate(clusterSet, { settings: { 'lease.timeout': timeout } });
        await cluster.world.runFor(chance.between(0, 1500));
        chance.pick(cluster.nodes).hang(20_000, chance.happens(0.5));
        await cluster.world.runFor(chance.between(0, 6000));
        cluster.operate(rebalance, {});
      }
      await cluster.world.runFor(30_000);
      await cluster.converge(40_000, 500);
    }
  });

  it('works with 210 agents, of which one fails', async () => {
    const cluster = await SimCluster.running({ seed: 12, nodes: 210, volumes: 1000 });
    const { generation } = cluster.snapshot();
    cluster.node('n100').powerOff();
    await cluster.converge(20_000, 500);
    const after = cluster.history().slice(generation);
    assert.deepEqual(
      after.map(({ operation }) => operation),
      ['node.failed'],
    );
  });
});
