/** Failover and failback: what may stay stays, and the homeless go where they should. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { naturalCompare } from '../../src/core/model/names.js';
import { planFailback, planFailover } from '../../src/core/placement/failover.js';
import type { PlacementInput, PlacementNode, PlacementVolume } from '../../src/core/placement/input.js';
import { cluster } from './arbitraries.js';
import { eligible, scaled, shareDomain } from './reference.js';

/** Failover as DESIGN.md says it, word for word. */
function slowFailover(input: PlacementInput, leaving: string[]): Map<string, string | null> {
  const nodes = input.nodes
    .filter((node) => node.active && !leaving.includes(node.name))
    .sort((a, b) => naturalCompare(a.name, b.name));
  const W = nodes.reduce((sum, node) => sum + scaled(node.weight), 0n) || 1n;
  const V = input.volumes
    .filter((volume) => nodes.some((node) => shareDomain(node, volume)))
    .reduce((sum, volume) => sum + scaled(volume.weight), 0n);
  const assignment = new Map<string, string | null>(input.volumes.map((volume) => [volume.name, null]));
  const rc = (node: PlacementNode): bigint => {
    const own = input.volumes.filter((volume) => assignment.get(volume.name) === node.name);
    return scaled(node.weight) * V - W * own.reduce((sum, volume) => sum + scaled(volume.weight), 0n);
  };
  const homeless: PlacementVolume[] = [];
  for (const volume of input.volumes) {
    const current = nodes.find((node) => node.name === volume.currentNode);
    if (current !== undefined && eligible(current, volume)) assignment.set(volume.name, current.name);
    else homeless.push(volume);
  }
  homeless.sort((a, b) => b.weight - a.weight || naturalCompare(a.name, b.name));
  const rest = homeless.filter((volume) => {
    const preferred = nodes.find((node) => node.name === volume.preferredNode);
    if (preferred === undefined || !eligible(preferred, volume)) return true;
    assignment.set(volume.name, preferred.name);
    return false;
  });
  for (const volume of rest) {
    let best: PlacementNode | null = null;
    for (const node of nodes.filter((n) => eligible(n, volume))) {
      if (best === null || rc(node) > rc(best)) best = node;
    }
    assignment.set(volume.name, best?.name ?? null);
  }
  return assignment;
}

const sorted = (map: ReadonlyMap<string, string | null>): [string, string | null][] => [...map].sort();

describe('failover', function () {
  this.timeout(60_000);

  it('equals a literal reference on random clusters, whichever nodes leave', () => {
    fc.assert(
      fc.property(cluster, fc.subarray([0, 1, 2, 3]), (input, indices) => {
        const leaving = indices.flatMap((index) => input.nodes[index]?.name ?? []);
        const result = planFailover(input, { leaving });
        assert.deepEqual(sorted(result.assignment), sorted(slowFailover(input, leaving)));
      }),
      { numRuns: 500 },
    );
  });

  it('moves nothing that may stay', () => {
    fc.assert(
      fc.property(cluster, (input) => {
        const leaving = input.nodes.slice(0, 1).map((node) => node.name);
        const result = planFailover(input, { leaving });
        for (const volume of input.volumes) {
          const current = input.nodes.find((node) => node.name === volume.currentNode);
          if (current === undefined || leaving.includes(current.name) || !eligible(current, volume)) continue;
          assert.equal(result.assignment.get(volume.name), current.name);
        }
        assert.equal(result.moves, result.forcedMoves);
      }),
      { numRuns: 300 },
    );
  });
});

describe('failback', function () {
  this.timeout(60_000);

  it('returns exactly what prefers the node and may have it; nothing else leaves a node that may have it', () => {
    fc.assert(
      fc.property(cluster, fc.nat(8), (input, index) => {
        const home = input.nodes[index];
        if (home === undefined) return;
        const result = planFailback(input, home.name);
        for (const volume of input.volumes) {
          const after = result.assignment.get(volume.name);
          const current = input.nodes.find((node) => node.name === volume.currentNode);
          if (volume.preferredNode === home.name && eligible(home, volume)) assert.equal(after, home.name);
          else if (current !== undefined && eligible(current, volume)) assert.equal(after, current.name);
        }
      }),
      { numRuns: 300 },
    );
  });
});
