/** The operations that place volumes: rebalance, failover, failback, and draining a node. */
import { putMembership } from '../membership/records.js';
import { checkTransition, isActive, stateOf } from '../membership/states.js';
import { requireNode } from '../model/find.js';
import type { NodeState } from '../model/tables.js';
import type { Operation } from '../operation.js';
import type { Draft } from '../store/store.js';
import { placementRecords } from './explain.js';
import { planFailback, planFailover } from './failover.js';
import { placementInput } from './input.js';
import type { PlacementResult } from './result.js';
import { staged } from './staged.js';

/**
 * Writes what the decision changed: placements with another node, and for volumes without a node those whose reason is
 * another or that have no record yet. A decision made again on its own result writes nothing.
 */
export function writePlacements(draft: Draft, result: PlacementResult): void {
  const since = draft.nextGeneration;
  const records = placementRecords(result, since);
  // In the order of names, which the draft sorts its changes by: sorting what is sorted costs nothing.
  for (const volume of result.changed) draft.put('placements', volume, records.get(volume)!);
  const placements = draft.table('placements');
  for (const { volume, reason } of result.unassigned) {
    const known = placements.get(volume);
    if (known !== undefined && known.node === null && known.unplaced === reason) continue;
    draft.put('placements', volume, {
      node: null,
      since,
      by: result.strategy,
      stage: null,
      rule: null,
      unplaced: reason,
    });
  }
}

/**
 * A state by hand. What agents had noted of the former state goes with it: an administrator's offline has no `mayJoin`, an online
 * nobody holds volumes back from. The word of an administrator also ends a failed attempt to fence a node that is put online.
 */
function setState(draft: Draft, node: string, state: NodeState, reason: string | null, lease?: number): void {
  const known = draft.table('membership').get(node);
  const from = known?.state ?? 'offline';
  checkTransition(node, from, state);
  if (from !== state || known === undefined) putMembership(draft, node, { state, reason, lease });
  else if (state === 'offline' && known.mayJoin) putMembership(draft, node, { state, reason: reason ?? known.reason });
  else if (state === 'failed' && lease !== undefined && (known.lease ?? -1) < lease) {
    putMembership(draft, node, { state, reason: known.reason, lease });
  }
  if (state === 'online' && draft.table('fencing').has(node)) draft.remove('fencing', node);
}

export interface RebalanceRequest {
  /** Default and only strategy today: `staged`. */
  strategy?: 'staged';
}

/** Places every volume anew by the staged algorithm. @throws CfsError BAD_VALUE for a weight that is no weight */
export const rebalance: Operation<RebalanceRequest, PlacementResult> = {
  name: 'rebalance',
  run(draft) {
    const result = staged(placementInput(draft));
    writePlacements(draft, result);
    return result;
  },
};

export interface NodeRequest {
  node: string;
  /** Why, one sentence; goes into the membership record when the state changes. */
  reason?: string | null;
}

export interface FailoverByHandRequest extends NodeRequest {
  /**
   * Sequence number of the node's newest lease, where whoever asks has watched it for its whole timeout, or knows that the node is
   * off: others may then start at once what it had (core/agent/ownership.ts). Without it each agent finds that out by itself.
   */
  lease?: number;
}

/**
 * Declares a node failed and places what it had, keeping everything else. A node that is failed already stays so; what
 * it still has is placed.
 * @throws CfsError NODE_NOT_FOUND; NODE_STATE when the node is in a state that cannot fail (offline)
 */
export const failover: Operation<FailoverByHandRequest, PlacementResult> = {
  name: 'failover',
  run(draft, request) {
    const node = requireNode(draft, request.node);
    setState(draft, node, 'failed', request.reason ?? 'declared failed', request.lease);
    const result = planFailover(placementInput(draft), { leaving: [node] });
    writePlacements(draft, result);
    return result;
  },
};

/**
 * Puts a node online, unless it is active, and returns to it the volumes that prefer it. A suspect node stays suspect:
 * only its lease can tell.
 * @throws CfsError NODE_NOT_FOUND
 */
export const failback: Operation<NodeRequest, PlacementResult> = {
  name: 'failback',
  run(draft, request) {
    const node = requireNode(draft, request.node);
    if (!isActive(stateOf(draft, node))) setState(draft, node, 'online', request.reason ?? null);
    endHoldDown(draft, node);
    const result = planFailback(placementInput(draft), node);
    writePlacements(draft, result);
    return result;
  },
};

/** Somebody asks for the volumes now: nothing is held back from the node any more. */
function endHoldDown(draft: Draft, node: string): void {
  const known = draft.table('membership').get(node);
  if (known?.held) putMembership(draft, node, { ...known, held: false });
}

/**
 * The operation that takes a healthy node out: it gets the state, and what it had is placed elsewhere.
 * Its errors: NODE_NOT_FOUND; NODE_STATE when the state may not follow the node's (membership/states.ts).
 */
export function drainTo(state: 'standby' | 'offline'): Operation<NodeRequest, PlacementResult> {
  return {
    name: `node.${state}`,
    run(draft, request) {
      const node = requireNode(draft, request.node);
      setState(draft, node, state, request.reason ?? null);
      const result = planFailover(placementInput(draft), { leaving: [node], by: 'drain' });
      writePlacements(draft, result);
      return result;
    },
  };
}
