import assert from 'node:assert/strict';
import { nodeRemove, nodeRename } from '../../src/core/config/nodes.js';
import { nodesFailed } from '../../src/core/membership/failed.js';
import { fenceClaim, fenceConfirm, fenceResult } from '../../src/core/membership/fencing.js';
import { nodeRecovered } from '../../src/core/membership/return.js';
import { nodeOnline } from '../../src/core/membership/states.js';
import { drainTo, failover } from '../../src/core/placement/operations.js';
import { memorySnapshot } from '../../src/core/store/draft.js';
import type { Snapshot } from '../../src/core/store/store.js';
import { MemoryCluster } from '../kit/memory.js';
import { clusterOfNodes, membershipOf, volumesOn } from './clusters.js';

const WHY = 'lease quiet for 10.2 s, confirmed by n1';
const claim = { node: 'n2', lease: 5, by: 'n1', why: WHY };
const required = { 'fencing.policy': 'required' };

function fencingOf(cluster: MemoryCluster, node = 'n2') {
  return cluster.snapshot().table('fencing').get(node);
}

describe('fencing', () => {
  it('is claimed by one, run, and its success lets others take over', () => {
    const cluster = clusterOfNodes({ nodes: 3, volumes: 9, settings: required });
    assert.deepEqual(cluster.change(fenceClaim, claim), { claimed: true, attempt: 1, why: null });
    assert.equal(membershipOf(cluster, 'n2')!.reason, `${WHY}; is being fenced by n1`);
    assert.equal(membershipOf(cluster, 'n2')!.state, 'suspect');
    const late = cluster.change(nodesFailed, { nodes: [{ node: 'n2', lease: 5, why: WHY }] });
    assert.equal(late.suspected[0]!.why, `${WHY}; is being fenced by n1`);

    cluster.change(fenceResult, { node: 'n2', by: 'n1', ok: true, message: 'Success: Powered OFF\n', lease: 6 });
    const done = { state: 'done', by: 'n1', lease: 6, attempts: 1, message: 'Success: Powered OFF' };
    assert.deepEqual(fencingOf(cluster), done);
    cluster.change(nodesFailed, { nodes: [{ node: 'n2', lease: 6, why: WHY }] });
    assert.deepEqual(membershipOf(cluster, 'n2'), { state: 'failed', reason: `${WHY}; fenced by n1`, lease: 6 });
    assert.deepEqual(volumesOn(cluster.snapshot(), 'n2'), []);
  });

  it('is refused to a second claimer, and given to the first one again', () => {
    const cluster = clusterOfNodes({ nodes: 3, volumes: 9 });
    cluster.change(fenceClaim, claim);
    const { generation } = cluster;
    assert.deepEqual(cluster.change(fenceClaim, { ...claim, by: 'n3' }), {
      claimed: false,
      attempt: 0,
      why: 'n1 is fencing it',
    });
    assert.deepEqual(cluster.change(fenceClaim, claim), { claimed: true, attempt: 1, why: null });
    assert.equal(cluster.generation, generation);
  });

  it('is not claimed of a node that renewed meanwhile', () => {
    const cluster = clusterOfNodes({ nodes: 3, volumes: 9 });
    const stillQuiet = (node: string, seq: number) => !(node === 'n2' && seq === 5);
    assert.deepEqual(cluster.change(fenceClaim, { ...claim, stillQuiet }), {
      claimed: false,
      attempt: 0,
      why: 'its lease was renewed meanwhile',
    });
    assert.equal(membershipOf(cluster, 'n2')!.state, 'online');
  });

  it('may be claimed anew where the claim that was seen is the one that stands', () => {
    const cluster = clusterOfNodes({ nodes: 3, volumes: 9 });
    cluster.change(fenceClaim, claim);
    const other = { ...claim, by: 'n3' };
    assert.equal(cluster.change(fenceClaim, { ...other, stale: { by: 'n1', attempts: 7 } }).claimed, false);
    assert.deepEqual(cluster.change(fenceClaim, { ...other, stale: { by: 'n1', attempts: 1 } }), {
      claimed: true,
      attempt: 2,
      why: null,
    });
    const result = cluster.change(fenceResult, { node: 'n2', by: 'n1', ok: true, message: null });
    assert.deepEqual(result, { recorded: false, why: 'n1 has no claim to fence it' });
  });

  it('that fails stops the takeover and says so, whatever the policy; a later attempt counts on', () => {
    for (const settings of [{}, required]) {
      const cluster = clusterOfNodes({ nodes: 3, volumes: 9, settings });
      cluster.change(fenceClaim, claim);
      cluster.change(fenceResult, { node: 'n2', by: 'n1', ok: false, message: 'No route to host' });
      assert.equal(membershipOf(cluster, 'n2')!.reason, 'fencing by n1 failed: No route to host');
      const { suspected, failed } = cluster.change(nodesFailed, { nodes: [{ node: 'n2', lease: 5, why: WHY }] });
      assert.deepEqual(failed, []);
      assert.match(suspected[0]!.why, /fencing by n1 failed: No route to host$/);
      assert.deepEqual(cluster.change(fenceClaim, { ...claim, by: 'n3' }), { claimed: true, attempt: 2, why: null });
      cluster.change(fenceResult, { node: 'n2', by: 'n3', ok: false, message: 'a\u0007\nb' });
      assert.equal(membershipOf(cluster, 'n2')!.reason, 'fencing by n3 failed (2 attempts): a b');
    }
  });

  it('says nothing of a later life: done at one lease, it is to be done again at a higher one', () => {
    const cluster = clusterOfNodes({ nodes: 3, volumes: 9, settings: required });
    cluster.change(fenceClaim, claim);
    cluster.change(fenceResult, { node: 'n2', by: 'n1', ok: true, message: null });
    assert.deepEqual(cluster.change(nodesFailed, { nodes: [{ node: 'n2', lease: 9, why: WHY }] }).failed, []);
    assert.equal(cluster.change(fenceClaim, claim).why, 'it is fenced already');
    assert.deepEqual(cluster.change(fenceClaim, { ...claim, lease: 9 }), { claimed: true, attempt: 1, why: null });
    assert.equal(fencingOf(cluster)!.lease, 9);
  });

  it('is not for nodes that are offline; of one that is failed or standby it keeps the state and records the lease', () => {
    const cluster = clusterOfNodes({ nodes: 4, volumes: 9, settings: required });
    cluster.change(drainTo('offline'), { node: 'n4' });
    assert.equal(cluster.change(fenceClaim, { ...claim, node: 'n4' }).why, 'it is offline');
    cluster.change(failover, { node: 'n2' });
    cluster.change(drainTo('standby'), { node: 'n3' });
    for (const [node, state] of [
      ['n2', 'failed'],
      ['n3', 'standby'],
    ] as const) {
      cluster.change(fenceClaim, { ...claim, node });
      cluster.change(fenceResult, { node, by: 'n1', ok: true, message: null });
      assert.deepEqual([membershipOf(cluster, node)!.state, membershipOf(cluster, node)!.lease], [state, 5]);
    }
  });

  it('is confirmed by a person instead, for the lease that was there', () => {
    const cluster = clusterOfNodes({ nodes: 3, volumes: 9, settings: required });
    cluster.change(fenceClaim, claim);
    cluster.change(fenceResult, { node: 'n2', by: 'n1', ok: false, message: null });
    assert.deepEqual(cluster.change(fenceConfirm, { node: 'n2', message: 'pulled the plug', lease: 5 }), {
      node: 'n2',
      confirmed: true,
    });
    assert.equal(cluster.change(fenceConfirm, { node: 'n2', message: 'again', lease: 5 }).confirmed, false);
    assert.equal(fencingOf(cluster)!.message, 'pulled the plug');
    const { failed } = cluster.change(nodesFailed, { nodes: [{ node: 'n2', lease: 5, why: WHY }] });
    assert.deepEqual(failed, ['n2']);
    assert.equal(membershipOf(cluster, 'n2')!.reason, `${WHY}; a person confirmed that it is off`);
    cluster.refuses(fenceConfirm, { node: 'n9', message: null, lease: null }, 'NODE_NOT_FOUND', /no node "n9"/);
  });

  it('confirmed without any lease proves nothing of a lease that comes later', () => {
    const cluster = clusterOfNodes({ nodes: 3, volumes: 9, settings: required });
    cluster.change(fenceConfirm, { node: 'n2', message: null, lease: null });
    assert.deepEqual(cluster.change(nodesFailed, { nodes: [{ node: 'n2', lease: 1, why: WHY }] }).failed, []);
  });

  it('is over when the suspect renewed after all, but not while the command runs', () => {
    const cluster = clusterOfNodes({ nodes: 3, volumes: 9 });
    cluster.change(fenceClaim, claim);
    assert.equal(cluster.change(nodeRecovered, { node: 'n2', lease: 6 }).why, 'it is being fenced by n1');
    const other = { by: 'n1', attempts: 2 };
    assert.equal(cluster.change(nodeRecovered, { node: 'n2', lease: 6, stale: other }).recovered, false);
    cluster.change(fenceResult, { node: 'n2', by: 'n1', ok: false, message: null });
    assert.equal(
      cluster.change(nodeRecovered, { node: 'n2', lease: 5 }).why,
      'its lease was not renewed since it was found quiet',
    );
    assert.deepEqual(cluster.change(nodeRecovered, { node: 'n2', lease: 6 }), { recovered: true, why: null });
    assert.deepEqual(membershipOf(cluster, 'n2'), { state: 'online', reason: 'renewed its lease after all' });
    assert.equal(fencingOf(cluster), undefined);
    assert.equal(cluster.change(nodeRecovered, { node: 'n2', lease: 7 }).why, 'it is not suspect');
  });

  it('is over when the suspect renewed and its claimer is gone', () => {
    const cluster = clusterOfNodes({ nodes: 3, volumes: 9 });
    cluster.change(fenceClaim, claim);
    const stale = { by: 'n1', attempts: 1 };
    assert.equal(cluster.change(nodeRecovered, { node: 'n2', lease: 6, stale }).recovered, true);
    assert.equal(fencingOf(cluster), undefined);
  });

  it('goes with its node: renamed, also as the one that fences; removed; put online by hand', () => {
    const cluster = clusterOfNodes({ nodes: 4, volumes: 4 });
    cluster.change(fenceClaim, claim);
    cluster.change(nodeRename, { name: 'n2', newName: 'm2' });
    cluster.change(nodeRename, { name: 'n1', newName: 'm1' });
    assert.equal(fencingOf(cluster), undefined);
    assert.equal(fencingOf(cluster, 'm2')!.by, 'm1');
    cluster.change(fenceResult, { node: 'm2', by: 'm1', ok: false, message: null });
    cluster.change(failover, { node: 'm2' });
    cluster.change(fenceClaim, { ...claim, node: 'n3' });
    cluster.change(nodeOnline, { name: 'n3' });
    assert.equal(fencingOf(cluster, 'n3'), undefined);
    cluster.change(nodeRemove, { name: 'm2', force: true });
    assert.equal(fencingOf(cluster, 'm2'), undefined);
  });

  it('is refused in a cluster of format 1', () => {
    const two = clusterOfNodes({ nodes: 3, volumes: 3 }).snapshot();
    const one: Snapshot = { generation: two.generation, format: 1, table: (name) => two.table(name) };
    const cluster = new MemoryCluster(memorySnapshot({}, 0, 1));
    cluster.generations[0]!.snapshot = { ...one, generation: 0 };
    cluster.refuses(fenceClaim, claim, 'FORMAT_TOO_OLD', /Fencing needs format 2/);
    cluster.refuses(fenceConfirm, { node: 'n2', message: null, lease: 1 }, 'FORMAT_TOO_OLD', /Fencing needs format 2/);
  });
});
