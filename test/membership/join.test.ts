import assert from 'node:assert/strict';
import { nodeAdd } from '../../src/core/config/nodes.js';
import { clusterFreeze, clusterSet } from '../../src/core/config/settings.js';
import { nodesFailed } from '../../src/core/membership/failed.js';
import { nodesJoin } from '../../src/core/membership/join.js';
import { drainTo } from '../../src/core/placement/operations.js';
import { clusterOfNodes, giveMembership, membershipOf, volumesOn, whereabouts } from './clusters.js';

describe('joining', () => {
  it('takes all in as one generation, with one placement for all', () => {
    const cluster = clusterOfNodes({ nodes: 4, volumes: 12, state: 'offline' });
    const before = cluster.generation;
    const result = cluster.change(nodesJoin, { nodes: ['n1', 'n2', 'n3', 'n4'] });
    assert.equal(cluster.generation, before + 1);
    assert.deepEqual(result.joined, ['n1', 'n2', 'n3', 'n4']);
    assert.equal(result.placement, 'rebalance');
    assert.equal(result.moved, 12);
    assert.deepEqual(membershipOf(cluster, 'n1'), { state: 'online', reason: 'its agent came up' });
    for (const node of ['n1', 'n2', 'n3', 'n4']) assert.ok(volumesOn(cluster.snapshot(), node).length > 0);
  });

  it('finds the work done the second time, and makes no generation', () => {
    const cluster = clusterOfNodes({ nodes: 2, volumes: 4, state: 'offline' });
    cluster.change(nodesJoin, { nodes: ['n1', 'n2'] });
    const { generation } = cluster;
    const again = cluster.change(nodesJoin, { nodes: ['n1', 'n2'] });
    assert.equal(cluster.generation, generation);
    assert.deepEqual(again.notJoined, [
      { node: 'n1', why: 'it is a member already' },
      { node: 'n2', why: 'it is a member already' },
    ]);
  });

  it('leaves out whom an administrator took out, whoever is drained, and nodes that are not there', () => {
    const cluster = clusterOfNodes({ nodes: 3, volumes: 3 });
    cluster.change(drainTo('offline'), { node: 'n1' });
    cluster.change(drainTo('standby'), { node: 'n2' });
    const { joined, notJoined } = cluster.change(nodesJoin, { nodes: ['n1', 'n2', 'n9'] });
    assert.deepEqual(joined, []);
    assert.deepEqual(notJoined, [
      { node: 'n1', why: 'an administrator took it offline' },
      { node: 'n2', why: 'it is standby until an administrator puts it online' },
      { node: 'n9', why: 'there is no such node' },
    ]);
  });

  it('brings a failed node back with nothing, and says when volumes return', () => {
    const cluster = clusterOfNodes({ nodes: 3, volumes: 9 });
    cluster.change(nodesFailed, { nodes: [{ node: 'n2', lease: 7, why: 'lease quiet for 10.2 s, confirmed by n1' }] });
    const before = whereabouts(cluster.snapshot());
    const result = cluster.change(nodesJoin, { nodes: ['n2'] });
    assert.deepEqual(result.held, ['n2']);
    assert.deepEqual([result.placement, result.moved], ['homeless', 0]);
    assert.deepEqual(membershipOf(cluster, 'n2'), {
      state: 'online',
      reason: 'back; volumes return when it has been up for 5m',
      held: true,
    });
    assert.deepEqual(whereabouts(cluster.snapshot()), before);
  });

  it('gives a held node nothing when another one joins, but what nobody else may have', () => {
    const cluster = clusterOfNodes({ nodes: 3, volumes: 9 });
    cluster.change(nodesFailed, { nodes: [{ node: 'n2', lease: 7, why: 'quiet' }] });
    cluster.change(nodesJoin, { nodes: ['n2'] });
    cluster.change(nodeAdd, { nodes: [{ name: 'n4', domains: ['all'] }] });
    const result = cluster.change(nodesJoin, { nodes: ['n4'] });
    assert.equal(result.placement, 'rebalance');
    assert.deepEqual(volumesOn(cluster.snapshot(), 'n2'), []);
    assert.ok(volumesOn(cluster.snapshot(), 'n4').length > 0);
    // The last one standing takes all, held or not.
    cluster.change(nodesFailed, { nodes: ['n1', 'n3', 'n4'].map((node) => ({ node, lease: 9, why: 'quiet' })) });
    assert.equal(volumesOn(cluster.snapshot(), 'n2').length, 9);
  });

  it('holds nothing back where failback.hold is 0', () => {
    const cluster = clusterOfNodes({ nodes: 3, volumes: 9, settings: { 'failback.hold': '0s' } });
    cluster.change(nodesFailed, { nodes: [{ node: 'n2', lease: 7, why: 'quiet' }] });
    const { held, placement } = cluster.change(nodesJoin, { nodes: ['n2'] });
    assert.deepEqual([held, placement], [[], 'rebalance']);
    assert.ok(volumesOn(cluster.snapshot(), 'n2').includes('v2'));
  });

  it('places by join.placement: only what prefers the newcomer, or only what has no node', () => {
    for (const [policy, placement, gets] of [
      ['failback', 'failback', ['v4']],
      ['none', 'homeless', []],
    ] as const) {
      const cluster = clusterOfNodes({ nodes: 4, volumes: 8 });
      cluster.change(drainTo('offline'), { node: 'n4' });
      cluster.change(clusterSet, { settings: { 'join.placement': policy } });
      cluster.change(giveMembership, { node: 'n4', record: { state: 'offline', reason: null, mayJoin: true } });
      assert.equal(cluster.change(nodesJoin, { nodes: ['n4'] }).placement, placement);
      assert.deepEqual(volumesOn(cluster.snapshot(), 'n4'), gets);
    }
  });

  it('waits while the cluster is frozen, and says so', () => {
    const cluster = clusterOfNodes({ nodes: 2, volumes: 2, state: 'offline' });
    cluster.change(clusterFreeze, { until: null, reason: 'new switch' });
    const { joined, notJoined } = cluster.change(nodesJoin, { nodes: ['n1'] });
    assert.deepEqual(joined, []);
    assert.deepEqual(notJoined, [{ node: 'n1', why: 'the cluster is frozen: new switch' }]);
  });

  it('forgets how the node was fenced', () => {
    const cluster = clusterOfNodes({ nodes: 3, volumes: 3 });
    cluster.change(
      {
        name: 'test.fenced',
        run: (draft) => draft.put('fencing', 'n2', { state: 'done', by: 'n1', lease: 7, attempts: 1, message: 'off' }),
      },
      {},
    );
    cluster.change(nodesFailed, { nodes: [{ node: 'n2', lease: 7, why: 'quiet' }] });
    assert.equal(membershipOf(cluster, 'n2')!.reason, 'quiet; fenced by n1');
    cluster.change(nodesJoin, { nodes: ['n2'] });
    assert.equal(cluster.snapshot().table('fencing').has('n2'), false);
  });
});
