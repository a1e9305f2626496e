/** In a cluster that is not upgraded yet, programs of the former version read what agents write. */
import assert from 'node:assert/strict';
import { nodeAdd } from '../../src/core/config/nodes.js';
import { nodesFailed } from '../../src/core/membership/failed.js';
import { fenceResult } from '../../src/core/membership/fencing.js';
import { nodesJoin } from '../../src/core/membership/join.js';
import { nodeLeave } from '../../src/core/membership/leave.js';
import { nodeRecovered } from '../../src/core/membership/return.js';
import type { MembershipRecord } from '../../src/core/model/tables.js';
import { TABLE_NAMES } from '../../src/core/model/tables.js';
import { failover } from '../../src/core/placement/operations.js';
import { memorySnapshot, type TableMaps } from '../../src/core/store/draft.js';
import { MemoryCluster } from '../kit/memory.js';
import { clusterOfNodes, giveMembership, membershipOf, volumesOn } from './clusters.js';

/** Three nodes and nine volumes, in format 1. Whatever is committed beyond it is refused (validateChange). */
function oldCluster(settings: Record<string, string> = {}): MemoryCluster {
  const made = clusterOfNodes({ nodes: 3, volumes: 9, settings }).snapshot();
  const maps = Object.fromEntries(TABLE_NAMES.map((table) => [table, new Map(made.table(table).entries() as never)]));
  const cluster = new MemoryCluster(memorySnapshot(maps as TableMaps, made.generation, 1));
  while (cluster.generation < made.generation) cluster.generations.unshift(cluster.generations[0]!);
  return cluster;
}

/** No field of format 2 in any membership record. */
function assertPlain(cluster: MemoryCluster): void {
  for (const [, record] of cluster.snapshot().table('membership').entries()) {
    assert.deepEqual(Object.keys(record satisfies MembershipRecord).sort(), ['reason', 'state']);
  }
  assert.equal(cluster.snapshot().format, 1);
}

describe('membership in a cluster of format 1', () => {
  it('fails and joins without what format 1 does not have, once each', () => {
    const cluster = oldCluster();
    const item = { node: 'n2', lease: 5, why: 'lease quiet for 10.2 s, confirmed by n1' };
    cluster.change(nodesFailed, { nodes: [item] });
    assertPlain(cluster);
    assert.equal(membershipOf(cluster, 'n2')!.state, 'failed');
    const { generation } = cluster;
    assert.deepEqual(cluster.change(nodesFailed, { nodes: [{ ...item, lease: 9 }] }).failed, []);
    assert.equal(cluster.generation, generation);
    // Nothing could say that it is held: it gets its share at once.
    assert.deepEqual(cluster.change(nodesJoin, { nodes: ['n2'] }).held, []);
    assert.ok(volumesOn(cluster.snapshot(), 'n2').includes('v2'));
    assertPlain(cluster);
  });

  it('lets volumes return by hand only where failback is manual', () => {
    const cluster = oldCluster({ 'failback.mode': 'manual' });
    cluster.change(nodesFailed, { nodes: [{ node: 'n2', lease: 5, why: 'quiet' }] });
    assert.equal(cluster.change(nodesJoin, { nodes: ['n2'] }).moved, 0);
  });

  it('does what is done by hand in the same way as before', () => {
    const cluster = oldCluster();
    cluster.change(nodeAdd, { nodes: [{ name: 'n4', domains: ['all'] }] });
    cluster.change(failover, { node: 'n3', lease: 9 });
    assertPlain(cluster);
    assert.deepEqual(cluster.change(nodesJoin, { nodes: ['n4'] }).notJoined, [
      { node: 'n4', why: 'an administrator took it offline' },
    ]);
  });

  it('does not take a node out that could not come back by itself', () => {
    const cluster = oldCluster();
    const { left, why } = cluster.change(nodeLeave, { node: 'n2', drain: true });
    assert.deepEqual([left, why], [false, 'it could not come back by itself; see cfs cluster upgrade']);
  });

  it('suspects once where fencing is required, and recovers', () => {
    const cluster = oldCluster({ 'fencing.policy': 'required' });
    cluster.change(nodesFailed, { nodes: [{ node: 'n2', lease: 5, why: 'lease quiet for 10.2 s' }] });
    assert.equal(membershipOf(cluster, 'n2')!.state, 'suspect');
    const { generation } = cluster;
    cluster.change(nodesFailed, { nodes: [{ node: 'n2', lease: 5, why: 'lease quiet for 12.9 s' }] });
    assert.equal(cluster.generation, generation);
    assert.equal(cluster.change(nodeRecovered, { node: 'n2', lease: 6 }).recovered, true);
    cluster.change(giveMembership, { node: 'n2', record: { state: 'suspect', reason: null } });
    assert.equal(cluster.change(fenceResult, { node: 'n2', by: 'n1', ok: true, message: null }).recorded, false);
    assertPlain(cluster);
  });
});
