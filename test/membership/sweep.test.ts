import assert from 'node:assert/strict';
import type { Lease } from '../../src/core/membership/leases.js';
import { type SweepLook, type SweepObservations, sweep } from '../../src/core/membership/sweep.js';
import { drainTo } from '../../src/core/placement/operations.js';
import { clusterOfNodes } from './clusters.js';

const cluster = clusterOfNodes({ nodes: 4, volumes: 4 });
cluster.change(drainTo('offline'), { node: 'n4' });
const snapshot = cluster.snapshot();

function look(atMs: number, seqs: Record<string, number | 'left'>, more: Partial<SweepLook> = {}): SweepLook {
  const leases = new Map<string, Lease>();
  for (const [node, seq] of Object.entries(seqs)) {
    const hasLeft = seq === 'left';
    leases.set(node, { node, seq: hasLeft ? 99 : seq, released: 1, applied: hasLeft ? null : 1, timeoutMs: 0 });
  }
  const base = { snapshot, leases, bootId: 'b1', beganMs: atMs, endedMs: atMs + 10, timeoutOf: () => 10_000 };
  return { ...base, ...more };
}

function kept(observations: SweepObservations): SweepObservations {
  return JSON.parse(JSON.stringify(observations)) as SweepObservations;
}

describe('a sweep', () => {
  it('knows nothing at first, and says for how long to watch', () => {
    const first = sweep(null, look(1000, { n1: 4, n2: 9 }));
    assert.deepEqual(first.lapsed, []);
    assert.deepEqual(first.watching, [
      { node: 'n1', quietMs: 0, timeoutMs: 10_000 },
      { node: 'n2', quietMs: 0, timeoutMs: 10_000 },
    ]);
    assert.equal(first.watchMs, 10_000);
  });

  it('of the next minute finds the lease that did not rise while another did', () => {
    const first = sweep(null, look(1000, { n1: 4, n2: 9 }));
    const second = sweep(kept(first.observations), look(61_000, { n1: 34, n2: 9 }));
    assert.deepEqual(second.lapsed, [{ node: 'n2', lease: 9, why: 'lease quiet for 60.0 s' }]);
    assert.deepEqual(
      second.watching.map(({ node }) => node),
      ['n1'],
    );
  });

  it('blames nobody for a time in which no lease rose: the directory may have hung for all', () => {
    const first = sweep(null, look(1000, { n1: 4, n2: 9 }));
    const second = sweep(kept(first.observations), look(61_000, { n1: 4, n2: 9 }));
    assert.deepEqual(second.lapsed, []);
    assert.equal(second.watchMs, 10_000);
  });

  it('watches by itself then, until each has risen or lapsed', () => {
    let found = sweep(null, look(0, { n1: 4, n2: 9 }));
    for (let atMs = 500; atMs <= 9500; atMs += 500) {
      found = sweep(found.observations, look(atMs, { n1: 4, n2: 9 + atMs }), true);
      assert.deepEqual(found.lapsed, []);
    }
    found = sweep(found.observations, look(10_500, { n1: 4, n2: 99_999 }), true);
    assert.deepEqual(
      found.lapsed.map(({ node }) => node),
      ['n1'],
    );
    assert.match(found.lapsed[0]!.why, /^lease quiet for 10\.\d s$/);
  });

  it('counts nothing over a boot, nor where the clock stands before the last look', () => {
    const { observations } = sweep(null, look(50_000, { n1: 4, n2: 9 }));
    const rebooted = sweep(kept(observations), look(90_000, { n1: 30, n2: 9 }, { bootId: 'b2' }));
    assert.deepEqual(rebooted.lapsed, []);
    const earlier = sweep(kept(observations), look(20_000, { n1: 30, n2: 9 }));
    assert.deepEqual(earlier.lapsed, []);
  });

  it('fails one that left and did not come back, without the word quiet', () => {
    const first = sweep(null, look(0, { n1: 4, n2: 'left' }));
    const second = sweep(kept(first.observations), look(60_000, { n1: 9, n2: 'left' }));
    assert.deepEqual(second.lapsed, [
      { node: 'n2', lease: 99, left: true, why: 'its agent left and did not come back for 60.0 s' },
    ]);
  });

  it('never sweeps a node without a lease, nor one that is offline', () => {
    const first = sweep(null, look(0, { n1: 4, n4: 9 }));
    const second = sweep(kept(first.observations), look(60_000, { n1: 9, n4: 9 }));
    assert.deepEqual(second.lapsed, []);
  });

  it('gives a node the time that its own lease counts with', () => {
    const timeoutOf = (node: string) => (node === 'n2' ? 120_000 : 10_000);
    const first = sweep(null, look(0, { n1: 4, n2: 9 }));
    assert.deepEqual(sweep(kept(first.observations), look(60_000, { n1: 9, n2: 9 }, { timeoutOf })).lapsed, []);
  });

  it('takes names that objects have of themselves', () => {
    const first = sweep(null, look(0, { n1: 4, ['__proto__']: 3 }));
    assert.equal(Object.hasOwn(kept(first.observations).nodes, '__proto__'), true);
  });
});
