/** One agent: what it costs when nothing happens, what it does about a second one of its node, and about a damaged database. */
import assert from 'node:assert/strict';
import { nodeSet } from '../../src/core/config/nodes.js';
import { clusterSet } from '../../src/core/config/settings.js';
import { listLeases } from '../../src/core/membership/leases.js';
import { manifestName } from '../../src/core/store/layout.js';
import { SimCluster } from '../kit/sim-cluster.js';
import { SimNode } from '../kit/sim-node.js';

const QUICK = { 'lease.interval': 500, 'lease.timeout': 3000, 'join.settle': 500, 'apply.timeout': 5000 };

/** System calls on the shared directory per second of an idle agent. */
async function idleCalls(nodes: number, volumes: number): Promise<number> {
  const cluster = await SimCluster.running({ seed: 1, nodes, volumes });
  await cluster.world.runFor(10_000);
  const { files } = cluster.node('n1').life!;
  const before = files.calls;
  await cluster.world.runFor(60_000);
  return (files.calls - before) / 60;
}

describe('an agent', () => {
  it('makes fewer than a dozen system calls per second when nothing happens, however many volumes and nodes there are', async () => {
    const few = await idleCalls(3, 9);
    const many = await idleCalls(3, 2000);
    const wide = await idleCalls(40, 40);
    assert.ok(few < 12, `${few} calls per second`);
    // Head looks have a random cadence of plus or minus a tenth.
    assert.ok(Math.abs(many - few) < 0.5, `${few} with 9 volumes, ${many} with 2000`);
    assert.ok(Math.abs(wide - few) < 0.5, `${few} with 3 nodes, ${wide} with 40`);
  });

  it('refuses to work while another host has a live agent of its node', async () => {
    const cluster = await SimCluster.running({ seed: 2, nodes: 3, volumes: 9, settings: QUICK });
    const second = new SimNode(cluster, 'n2', 'other-host');
    second.powerOn();
    await cluster.world.runFor(5000);
    assert.equal(second.left?.reason, 'elsewhere');
    assert.match(
      second.left?.says ?? '',
      /^node n2 has an agent already, on host n2 \(process \d+\): it renewed its lease/,
    );
    assert.deepEqual(cluster.unfinished(), []);
  });

  it('gives way to a second agent of its node that came while it was paused; the other starts nothing before that is safe', async () => {
    for (let seed = 1; seed <= 10; seed++) {
      const cluster = await SimCluster.running({ seed, nodes: 3, volumes: 9, settings: QUICK });
      const first = cluster.node('n2');
      const had = [...first.running.keys()];
      assert.ok(had.length > 0);
      first.pauseWorker(1800);
      const second = new SimNode(cluster, 'n2', 'other-host');
      second.powerOn();
      await cluster.world.runFor(15_000);
      // Paused long enough the first one was fenced, and then found the second.
      assert.equal(first.left?.reason, 'elsewhere');
      assert.deepEqual([...second.running.keys()].sort(), had.sort());
    }
  });

  it('keeps what it runs, starts nothing and calls for a person when the newest generation is gone', async () => {
    const cluster = await SimCluster.running({ seed: 3, nodes: 3, volumes: 9, settings: QUICK });
    cluster.operate(clusterSet, { settings: { 'failback.hold': 1000 } });
    await cluster.world.runFor(2000);
    const { generation } = cluster.snapshot();
    cluster.disk.files.unlink('test.unlink', `${cluster.dir}/manifests/${manifestName(generation)}`);
    await cluster.world.runFor(90_000);
    for (const node of cluster.nodes) {
      assert.equal(node.running.size, 3);
      assert.ok(
        [...node.problems].some((says) => says.startsWith('alarm: ')),
        [...node.problems].join('\n'),
      );
      assert.ok(cluster.statuses.get(node.name)!.problems.some((says) => says.includes('newest generation')));
    }
  });

  it('gives up what it runs when the generations are of another history, and goes by that one', async () => {
    const cluster = await SimCluster.running({ seed: 8, nodes: 3, volumes: 9, settings: QUICK });
    for (const weight of [2, 3]) {
      cluster.operate(nodeSet, { name: 'n1', weight });
      await cluster.world.runFor(2000);
    }
    const { generation } = cluster.snapshot();
    const before = cluster.checker.starts;
    // Set back by two generations; then one is made for each that is lost.
    for (const lost of [generation, generation - 1]) {
      cluster.disk.files.unlink('test.unlink', `${cluster.dir}/manifests/${manifestName(lost)}`);
    }
    const operator = cluster.reopened();
    const running = (): number[] => cluster.nodes.map((node) => node.running.size);
    void cluster.change(operator, nodeSet, { name: 'n2', weight: 2 });
    await cluster.world.runFor(90_000);
    assert.deepEqual(
      [running(), cluster.checker.starts],
      [[3, 3, 3], before],
      'what runs goes on while it is only lost',
    );
    void cluster.change(operator, nodeSet, { name: 'n2', weight: 3 });
    await cluster.world.runFor(90_000);
    assert.equal(operator.snapshot().generation, generation);
    for (const { problems } of cluster.nodes) {
      assert.ok(
        [...problems].some((says) => says.includes('is another one than before')),
        [...problems].join('\n'),
      );
    }
    assert.deepEqual([running(), cluster.checker.starts], [[3, 3, 3], before + 9], 'stopped and started again');
  });

  it('stops what it finds running before anything else, and starts by the rules what is still its own', async () => {
    const cluster = await SimCluster.running({ seed: 6, nodes: 3, volumes: 9, settings: QUICK });
    const { generation } = cluster.snapshot();
    const node = cluster.node('n2');
    const had = [...node.running.keys()];
    node.killAgent(300);
    await cluster.world.runFor(299);
    assert.deepEqual([...node.running.keys()], had);
    const before = cluster.checker.starts;
    await cluster.world.runFor(250);
    assert.equal(node.running.size, 0);
    await cluster.world.runFor(2000);
    assert.deepEqual([...node.running.keys()], had);
    assert.equal(cluster.checker.starts, before + had.length);
    assert.equal(cluster.snapshot().generation, generation);
  });

  it('acknowledges every generation, of whatever it is', async () => {
    const cluster = await SimCluster.running({ seed: 4, nodes: 3, volumes: 9, settings: QUICK });
    cluster.operate(clusterSet, { settings: { 'failback.hold': 1000 } });
    await cluster.world.runFor(2000);
    const { generation } = cluster.snapshot();
    const { platform, paths } = cluster.store.place;
    for (const { released, applied } of listLeases(platform, paths.leases).values()) {
      assert.deepEqual([released, applied], [generation, generation]);
    }
  });

  it('tells its status when something changed, and at most once per second', async () => {
    let told = 0;
    const cluster = await SimCluster.running({ seed: 5, nodes: 2, volumes: 4, settings: QUICK });
    const { statuses } = cluster;
    const set = statuses.set.bind(statuses);
    statuses.set = (node, status) => {
      if (node === 'n1') told += 1;
      return set(node, status);
    };
    await cluster.world.runFor(60_000);
    assert.ok(told >= 5 && told <= 8, `${told} times in a quiet minute`);
    const status = statuses.get('n1')!;
    assert.equal(status.state, 'online');
    assert.deepEqual(
      status.volumes.map(({ state }) => state),
      ['running', 'running'],
    );
    assert.equal(status.nodes.length, 2);
  });
});
