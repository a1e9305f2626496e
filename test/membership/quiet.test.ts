import assert from 'node:assert/strict';
import type { Lease } from '../../src/core/membership/leases.js';
import { nodesGone } from '../../src/core/membership/quiet.js';

/** Who is gone of n1 and n2, and after how long, in simulated time: `leases` says what a listing shows. */
async function gone(leases: (nowMs: number) => Lease[]): Promise<{ nodes: string[]; afterMs: number }> {
  let nowMs = 0;
  const nodes = await nodesGone(['n1', 'n2'], {
    leases: () => new Map(leases(nowMs).map((lease) => [lease.node, lease])),
    clock: {
      monotonicMs: () => nowMs,
      sleep: async (ms) => {
        nowMs += ms;
      },
    },
    timeoutMs: (node) => (node === 'n1' ? 1000 : 3000),
    intervalMs: 200,
  });
  return { nodes: [...nodes], afterMs: nowMs };
}

const lease = (node: string, seq: number, applied: number | null = 1): Lease => ({
  node,
  seq,
  released: 1,
  applied,
  timeoutMs: 10_000,
});

describe('watching for agents that are gone', () => {
  it('takes the whole timeout of each lease that is not renewed', async () => {
    const { nodes, afterMs } = await gone(() => [lease('n1', 1), lease('n2', 1)]);
    assert.deepEqual(nodes, ['n1', 'n2']);
    assert.ok(afterMs >= 3000 && afterMs < 3400, String(afterMs));
  });

  it('ends with the first renewal of those that live', async () => {
    const { nodes, afterMs } = await gone((nowMs) => [lease('n1', 1 + Math.floor(nowMs / 500)), lease('n2', 1, null)]);
    assert.deepEqual(nodes, ['n2']);
    assert.ok(afterMs <= 600, String(afterMs));
  });

  it('does not take a name that one listing misses for a node that is gone', async () => {
    const { nodes } = await gone((nowMs) => (nowMs === 200 ? [] : [lease('n1', nowMs < 400 ? 1 : 2), lease('n2', 2)]));
    assert.deepEqual(nodes, ['n2']);
    const removed = await gone((nowMs) => (nowMs < 200 ? [lease('n1', 1), lease('n2', 1)] : []));
    assert.deepEqual(removed.nodes, ['n1', 'n2']);
    assert.ok(removed.afterMs >= 3000);
  });
});
