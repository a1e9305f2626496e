import assert from 'node:assert/strict';
import { clusterFreeze } from '../../src/core/config/settings.js';
import { describeFailed, nodesFailed } from '../../src/core/membership/failed.js';
import { failedAt } from '../../src/core/membership/records.js';
import { drainTo, failover } from '../../src/core/placement/operations.js';
import { clusterOfNodes, membershipOf, volumesOn } from './clusters.js';

const QUIET = 'lease quiet for 10.2 s, confirmed by n1';

describe('confirming a failure', () => {
  it('fails the node with the number of its lease, and others get what it had, as one generation', () => {
    const cluster = clusterOfNodes({ nodes: 3, volumes: 9 });
    const had = volumesOn(cluster.snapshot(), 'n2').length;
    const before = cluster.generation;
    const result = cluster.change(nodesFailed, { nodes: [{ node: 'n2', lease: 41, why: QUIET }] });
    assert.equal(cluster.generation, before + 1);
    assert.deepEqual(membershipOf(cluster, 'n2'), { state: 'failed', reason: QUIET, lease: 41 });
    assert.equal(failedAt(cluster.snapshot(), 'n2'), 41);
    assert.deepEqual(volumesOn(cluster.snapshot(), 'n2'), []);
    assert.equal(result.moved, had);
    assert.equal(describeFailed(result), `n2 failed, ${had} volumes moved`);
  });

  it('makes one failover of what twenty agents notice', () => {
    const cluster = clusterOfNodes({ nodes: 20, volumes: 40 });
    const before = cluster.generation;
    for (let i = 2; i <= 20; i++) {
      const why = `lease quiet for 10.${i % 10} s, confirmed by n${i}`;
      cluster.change(nodesFailed, { nodes: [{ node: 'n1', lease: 5, why }] });
    }
    assert.equal(cluster.generation, before + 1);
    assert.equal(membershipOf(cluster, 'n1')!.reason, 'lease quiet for 10.2 s, confirmed by n2');
  });

  it('drops a node whose lease rose meanwhile', () => {
    const cluster = clusterOfNodes({ nodes: 3, volumes: 9 });
    const asked: [string, number][] = [];
    const result = cluster.change(nodesFailed, {
      nodes: [
        { node: 'n2', lease: 41, why: QUIET },
        { node: 'n3', lease: 8, why: QUIET },
      ],
      stillQuiet: (node, seq) => {
        asked.push([node, seq]);
        return node === 'n3';
      },
    });
    assert.deepEqual(asked, [
      ['n2', 41],
      ['n3', 8],
    ]);
    assert.deepEqual(result.failed, ['n3']);
    assert.deepEqual(result.leftAlone, [{ node: 'n2', why: 'its lease was renewed meanwhile' }]);
  });

  it('leaves an offline node alone, and one that is not there', () => {
    const cluster = clusterOfNodes({ nodes: 3, volumes: 9 });
    cluster.change(drainTo('offline'), { node: 'n2' });
    const { generation } = cluster;
    const { leftAlone } = cluster.change(nodesFailed, {
      nodes: ['n2', 'n9'].map((node) => ({ node, lease: 1, why: QUIET })),
    });
    assert.deepEqual(leftAlone, [
      { node: 'n2', why: 'it is offline: nobody watches it' },
      { node: 'n9', why: 'there is no such node' },
    ]);
    assert.equal(cluster.generation, generation);
  });

  it('keeps a drained node standby and records its lease once', () => {
    const cluster = clusterOfNodes({ nodes: 3, volumes: 9 });
    cluster.change(drainTo('standby'), { node: 'n2' });
    cluster.change(nodesFailed, { nodes: [{ node: 'n2', lease: 4, why: QUIET }] });
    assert.deepEqual(membershipOf(cluster, 'n2'), { state: 'standby', reason: QUIET, lease: 4 });
    const { generation } = cluster;
    cluster.change(nodesFailed, { nodes: [{ node: 'n2', lease: 4, why: 'later' }] });
    assert.equal(cluster.generation, generation);
  });

  it('records no lease of an agent that lives and does not release: nobody may start what it may still run', () => {
    const cluster = clusterOfNodes({ nodes: 3, volumes: 9 });
    const why = 'did not release what generation 17 took from it within 60 s';
    const item = { node: 'n2', lease: null, unreleased: 17, why };
    const kept = cluster.change(nodesFailed, { nodes: [item], stillUnreleased: () => false });
    assert.deepEqual(kept.leftAlone, [{ node: 'n2', why: 'it has released meanwhile' }]);
    cluster.change(nodesFailed, { nodes: [item], stillUnreleased: (node, g) => node === 'n2' && g === 17 });
    assert.deepEqual(membershipOf(cluster, 'n2'), { state: 'failed', reason: why });
    assert.equal(failedAt(cluster.snapshot(), 'n2'), undefined);
    assert.deepEqual(volumesOn(cluster.snapshot(), 'n2'), []);
  });

  it('adds the lease to a failure that a person declared, once it is known', () => {
    const cluster = clusterOfNodes({ nodes: 3, volumes: 9 });
    cluster.change(failover, { node: 'n2', reason: 'power supply' });
    assert.deepEqual(membershipOf(cluster, 'n2'), { state: 'failed', reason: 'power supply' });
    cluster.change(nodesFailed, { nodes: [{ node: 'n2', lease: 12, why: QUIET }] });
    assert.deepEqual(membershipOf(cluster, 'n2'), { state: 'failed', reason: 'power supply', lease: 12 });
    cluster.change(failover, { node: 'n2', lease: 14 });
    assert.equal(membershipOf(cluster, 'n2')!.lease, 14);
  });

  it('does nothing while the cluster is frozen', () => {
    const cluster = clusterOfNodes({ nodes: 3, volumes: 9 });
    cluster.change(clusterFreeze, { until: '2030-01-02T00:00:00Z', reason: null });
    const { generation } = cluster;
    const { leftAlone } = cluster.change(nodesFailed, { nodes: [{ node: 'n2', lease: 1, why: QUIET }] });
    assert.deepEqual(leftAlone, [{ node: 'n2', why: 'the cluster is frozen until 2030-01-02T00:00:00.000Z' }]);
    assert.equal(cluster.generation, generation);
  });
});

describe('confirming a failure where fencing is required', () => {
  const required = { 'fencing.policy': 'required' };

  it('makes the node suspect with the reason, once, and leaves its volumes where they are', () => {
    const cluster = clusterOfNodes({ nodes: 3, volumes: 9, settings: required });
    const had = volumesOn(cluster.snapshot(), 'n2');
    const { suspected } = cluster.change(nodesFailed, { nodes: [{ node: 'n2', lease: 5, why: QUIET }] });
    assert.deepEqual(suspected, [{ node: 'n2', why: `${QUIET}; waits to be fenced (fencing.policy=required)` }]);
    assert.deepEqual(membershipOf(cluster, 'n2'), { state: 'suspect', reason: suspected[0]!.why, lease: 5 });
    assert.deepEqual(volumesOn(cluster.snapshot(), 'n2'), had);
    assert.equal(failedAt(cluster.snapshot(), 'n2'), undefined);
    const { generation } = cluster;
    cluster.change(nodesFailed, { nodes: [{ node: 'n2', lease: 5, why: 'lease quiet for 14.0 s, confirmed by n3' }] });
    assert.equal(cluster.generation, generation);
  });

  it('fails one that left in order: it runs nothing', () => {
    const cluster = clusterOfNodes({ nodes: 3, volumes: 9, settings: required });
    const { failed } = cluster.change(nodesFailed, { nodes: [{ node: 'n2', lease: 5, left: true, why: 'left' }] });
    assert.deepEqual(failed, ['n2']);
  });

  it('leaves an agent that does not release until it is quiet', () => {
    const cluster = clusterOfNodes({ nodes: 3, volumes: 9, settings: required });
    const { leftAlone } = cluster.change(nodesFailed, {
      nodes: [{ node: 'n2', lease: null, unreleased: 3, why: 'x' }],
    });
    assert.deepEqual(leftAlone, [{ node: 'n2', why: 'its agent still renews; it is fenced when it stops' }]);
  });
});
