/** The rebalance of a join: the staged algorithm, beside which held nodes stand aside. */
import { planFailover } from '../placement/failover.js';
import { placementInput } from '../placement/input.js';
import { writePlacements } from '../placement/operations.js';
import { staged } from '../placement/staged.js';
import type { Draft } from '../store/store.js';

/**
 * Places every volume anew by the staged algorithm. A node that is held (back after a failure, not yet up for long) gets nothing,
 * or a join of another node would bring back early what is to wait; it keeps what it has, and gets what no other node may have.
 */
export function placeAnew(draft: Draft): void {
  const input = placementInput(draft);
  const held = new Set(input.nodes.filter((node) => node.active && node.held).map(({ name }) => name));
  if (held.size === 0) {
    writePlacements(draft, staged(input));
    return;
  }
  const nodes = input.nodes.map((node) => (held.has(node.name) ? { ...node, active: false } : node));
  const volumes = input.volumes.filter(({ currentNode }) => currentNode === null || !held.has(currentNode));
  writePlacements(draft, staged({ ...input, nodes, volumes }));
  writePlacements(draft, planFailover(placementInput(draft), { leaving: [], by: 'join' }));
}
