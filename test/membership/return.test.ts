import assert from 'node:assert/strict';
import { clusterFreeze } from '../../src/core/config/settings.js';
import { nodesFailed } from '../../src/core/membership/failed.js';
import { nodesJoin } from '../../src/core/membership/join.js';
import { nodeLeave } from '../../src/core/membership/leave.js';
import { nodesReturn } from '../../src/core/membership/return.js';
import { drainTo, failback } from '../../src/core/placement/operations.js';
import { whyVolume } from '../../src/core/placement/why.js';
import type { MemoryCluster } from '../kit/memory.js';
import { clusterOfNodes, membershipOf, volumesOn, whereabouts } from './clusters.js';

/** n2 failed and is back, held. */
function withHeldNode(settings: Record<string, string> = {}): MemoryCluster {
  const cluster = clusterOfNodes({ nodes: 3, volumes: 9, settings });
  cluster.change(nodesFailed, { nodes: [{ node: 'n2', lease: 7, why: 'quiet' }] });
  cluster.change(nodesJoin, { nodes: ['n2'] });
  return cluster;
}

describe('the end of a hold-down', () => {
  it('returns what prefers the node and nothing else, in one generation', () => {
    const cluster = withHeldNode();
    const before = cluster.generation;
    const result = cluster.change(nodesReturn, { nodes: ['n2'] });
    assert.equal(cluster.generation, before + 1);
    assert.deepEqual([result.returned, result.moved], [['n2'], 1]);
    assert.deepEqual(volumesOn(cluster.snapshot(), 'n2'), ['v2']);
    assert.deepEqual(membershipOf(cluster, 'n2'), { state: 'online', reason: 'up for 5m; its volumes return' });
    assert.equal(cluster.snapshot().table('placements').get('v2')!.by, 'failback');
  });

  it('comes once: again, and for nodes that are not held, nothing happens', () => {
    const cluster = withHeldNode();
    cluster.change(nodesReturn, { nodes: ['n2'] });
    const { generation } = cluster;
    assert.deepEqual(cluster.change(nodesReturn, { nodes: ['n2', 'n9'] }).notReturned, [
      { node: 'n2', why: 'it is not held' },
      { node: 'n9', why: 'it is not held' },
    ]);
    assert.equal(cluster.generation, generation);
  });

  it('moves nothing where failback.mode is manual, but ends', () => {
    const cluster = withHeldNode({ 'failback.mode': 'manual' });
    const before = whereabouts(cluster.snapshot());
    assert.equal(cluster.change(nodesReturn, { nodes: ['n2'] }).moved, 0);
    assert.deepEqual(whereabouts(cluster.snapshot()), before);
    assert.equal(membershipOf(cluster, 'n2')!.held, undefined);
  });

  it('waits while the cluster is frozen', () => {
    const cluster = withHeldNode();
    cluster.change(clusterFreeze, { until: null, reason: null });
    assert.deepEqual(cluster.change(nodesReturn, { nodes: ['n2'] }).notReturned, [
      { node: 'n2', why: 'the cluster is frozen' },
    ]);
  });

  it('comes at once when a person asks for the volumes', () => {
    const cluster = withHeldNode();
    cluster.change(failback, { node: 'n2' });
    assert.equal(membershipOf(cluster, 'n2')!.held, undefined);
    assert.deepEqual(volumesOn(cluster.snapshot(), 'n2'), ['v2']);
  });
});

describe('leaving', () => {
  it('with drain gives everything away and may come back by itself', () => {
    const cluster = clusterOfNodes({ nodes: 3, volumes: 9 });
    const had = volumesOn(cluster.snapshot(), 'n2').length;
    const result = cluster.change(nodeLeave, { node: 'n2', drain: true });
    assert.deepEqual(result, { left: true, why: null, moved: had, unplaced: 0 });
    assert.deepEqual(membershipOf(cluster, 'n2'), {
      state: 'offline',
      reason: 'its agent left; its volumes were given to others',
      mayJoin: true,
    });
    assert.deepEqual(cluster.change(nodeLeave, { node: 'n2', drain: true }).why, 'it is offline');
    const back = cluster.change(nodesJoin, { nodes: ['n2'] });
    assert.deepEqual([back.joined, back.held], [['n2'], []]);
    assert.ok(volumesOn(cluster.snapshot(), 'n2').includes('v2'));
  });

  it('without drain changes nothing', () => {
    const cluster = clusterOfNodes({ nodes: 3, volumes: 9 });
    const { generation } = cluster;
    assert.equal(cluster.change(nodeLeave, { node: 'n2', drain: false }).left, false);
    assert.equal(cluster.generation, generation);
  });

  it('does not end a hold-down', () => {
    const cluster = withHeldNode();
    cluster.change(nodeLeave, { node: 'n2', drain: true });
    assert.deepEqual(cluster.change(nodesJoin, { nodes: ['n2'] }).held, ['n2']);
  });

  it('is an administrator\u2019s again where one says offline afterwards', () => {
    const cluster = clusterOfNodes({ nodes: 3, volumes: 9 });
    cluster.change(nodeLeave, { node: 'n2', drain: true });
    cluster.change(drainTo('offline'), { node: 'n2', reason: 'to be scrapped' });
    assert.deepEqual(membershipOf(cluster, 'n2'), { state: 'offline', reason: 'to be scrapped' });
    assert.deepEqual(cluster.change(nodesJoin, { nodes: ['n2'] }).notJoined, [
      { node: 'n2', why: 'an administrator took it offline' },
    ]);
  });
});

describe('why a volume is not on a held node', () => {
  it('is told as long as it is held', () => {
    const cluster = withHeldNode();
    const verdict = () => whyVolume(cluster.snapshot(), 'v2').nodes.find(({ node }) => node === 'n2')!.text;
    assert.match(verdict(), /^eligible, but back after a failure/);
    cluster.change(nodesReturn, { nodes: ['n2'] });
    assert.equal(verdict(), 'has it');
  });

  it('is made again from history, also where agents decided', () => {
    const cluster = withHeldNode();
    cluster.change(nodesReturn, { nodes: ['n2'] });
    cluster.change(nodeLeave, { node: 'n3', drain: true });
    cluster.change(nodesJoin, { nodes: ['n3'] });
    let replayed = 0;
    for (const [volume, { since }] of cluster.snapshot().table('placements').entries()) {
      const { operation, request } = cluster.generations[since]!.info;
      const replay = { before: cluster.snapshot(since - 1), operation, request };
      if (whyVolume(cluster.snapshot(), volume, { replay }).replayed) replayed++;
    }
    assert.equal(replayed, 9);
  });
});
