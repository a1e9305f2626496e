import assert from 'node:assert/strict';
import { convergenceOf } from '../../src/core/membership/convergence.js';
import type { Lease } from '../../src/core/membership/leases.js';
import { drainTo, failover } from '../../src/core/placement/operations.js';
import { clusterOfNodes } from './clusters.js';

function leases(...list: [node: string, released: number, applied: number | null][]): Map<string, Lease> {
  return new Map(
    list.map(([node, released, applied]) => [node, { node, seq: 1, released, applied, timeoutMs: 10_000 }]),
  );
}

describe('convergence', () => {
  const cluster = clusterOfNodes({ nodes: 4, volumes: 4 });
  const snapshot = cluster.snapshot();

  it('waits for every agent of an active node until it has applied the generation', () => {
    const generation = 7;
    const seen = convergenceOf({ snapshot, generation, leases: leases(['n1', 7, 7], ['n2', 7, 6], ['n3', 6, 6]) });
    assert.deepEqual(
      seen.nodes.map(({ node, state, generation, isAwaited }) => ({ node, state, generation, isAwaited })),
      [
        { node: 'n1', state: 'applied', generation: 7, isAwaited: false },
        { node: 'n2', state: 'released', generation: 6, isAwaited: true },
        { node: 'n3', state: 'waiting', generation: 6, isAwaited: true },
        { node: 'n4', state: 'no-agent', generation: null, isAwaited: false },
      ],
    );
    assert.equal(seen.isConverged, false);
    const later = leases(['n1', 9, 9], ['n2', 7, 7], ['n3', 8, 8]);
    assert.equal(convergenceOf({ snapshot, generation, leases: later }).isConverged, true);
  });

  it('does not wait for agents that left, lapsed or never were', () => {
    const seen = convergenceOf({
      snapshot,
      generation: 7,
      leases: leases(['n1', 7, null], ['n2', 3, 3]),
      isLapsed: (node) => node === 'n2',
    });
    assert.deepEqual(
      seen.nodes.map(({ state }) => state),
      ['left', 'lapsed', 'no-agent', 'no-agent'],
    );
    assert.equal(seen.isConverged, true);
  });

  it('waits until a node that was taken out has released, and not at all for a failed one', () => {
    const other = clusterOfNodes({ nodes: 3, volumes: 3 });
    other.change(drainTo('standby'), { node: 'n1' });
    other.change(failover, { node: 'n2' });
    const at = (n1: number) =>
      convergenceOf({ snapshot: other.snapshot(), generation: 7, leases: leases(['n1', n1, 3], ['n2', 3, 3]) });
    assert.equal(at(6).isConverged, false);
    assert.equal(at(7).isConverged, true);
    assert.deepEqual(
      at(6).nodes.map(({ membership, isAwaited }) => [membership, isAwaited]),
      [
        ['standby', true],
        ['failed', false],
        ['online', false],
      ],
    );
  });
});
