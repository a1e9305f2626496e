/**
 * Taking nodes in (FIG. 9A, FIG. 10B 1054–1058): all whose tickets have come, in one generation, with one placement for all.
 *
 * A node that comes up for the first time gets its share at once. One that was failed comes back with nothing: it may fail again,
 * and its volumes shall not go to and fro. They return when it has stayed up for `failback.hold` (return.ts).
 */
import { allowsFormat2 } from '../model/format.js';
import { settingOf } from '../model/settings.js';
import type { Operation } from '../operation.js';
import { planFailback, planFailover } from '../placement/failover.js';
import { placementInput } from '../placement/input.js';
import { writePlacements } from '../placement/operations.js';
import type { Draft, Snapshot } from '../store/store.js';
import { placeAnew } from './place-anew.js';
import { type PlacementCounts, placementCounts } from './placement-counts.js';
import { frozenReason, heldReason } from './reasons.js';
import { putMembership } from './records.js';

export interface JoinRequest {
  nodes: readonly string[];
}

export interface NotDone {
  node: string;
  /** Why not, one sentence. */
  why: string;
}

export interface JoinResult extends PlacementCounts {
  joined: string[];
  /** Those of the joined that were failed: volumes return to them later. */
  held: string[];
  notJoined: NotDone[];
  /** How volumes were placed; null: nobody joined. */
  placement: 'rebalance' | 'failback' | 'homeless' | null;
}

/** Why a node cannot join by itself now, or null when it may. Whether its agent asks for it is a ticket's to say. */
export function joinRefusal(snapshot: Snapshot, node: string): string | null {
  if (!snapshot.table('nodes').has(node)) return 'there is no such node';
  const record = snapshot.table('membership').get(node);
  if (record === undefined) return null;
  switch (record.state) {
    case 'online':
    case 'suspect':
      return 'it is a member already';
    case 'standby':
      return 'it is standby until an administrator puts it online';
    case 'offline':
      return record.mayJoin ? null : 'an administrator took it offline';
    default:
      return null;
  }
}

/** Takes nodes in. Those that are members already, or may not join, are left alone and named. */
export const nodesJoin: Operation<JoinRequest, JoinResult> = {
  name: 'node.join',
  run(draft, request, context) {
    const result: JoinResult = { joined: [], held: [], notJoined: [], placement: null, moved: 0, unplaced: 0 };
    const frozen = frozenReason(draft, context.nowMs);
    const holdMs = settingOf(draft, 'failback.hold');
    const isManual = settingOf(draft, 'failback.mode') === 'manual';
    const newcomers: string[] = [];
    for (const node of new Set(request.nodes)) {
      const why = joinRefusal(draft, node) ?? frozen;
      if (why !== null) {
        result.notJoined.push({ node, why });
        continue;
      }
      const record = draft.table('membership').get(node);
      const isBack = record?.state === 'failed' || record?.held === true;
      const held = isBack && holdMs > 0 && allowsFormat2(draft);
      putMembership(draft, node, { state: 'online', reason: held ? heldReason(holdMs) : 'its agent came up', held });
      if (draft.table('fencing').has(node)) draft.remove('fencing', node);
      result.joined.push(node);
      if (held) result.held.push(node);
      else if (!(isBack && isManual)) newcomers.push(node);
    }
    if (result.joined.length === 0) return result;
    return { ...result, ...placeFor(draft, newcomers) };
  },
  recorded: ({ nodes }) => ({ nodes: nodes.slice(0, 20), ...(nodes.length > 20 ? { count: nodes.length } : {}) }),
};

/** One placement for all that joined; newcomers are those that get volumes by `join.placement` now. Everything without a node is placed, whatever the policy: a node may have come that can have it. */
function placeFor(draft: Draft, newcomers: readonly string[]): Pick<JoinResult, 'placement' | 'moved' | 'unplaced'> {
  const policy = newcomers.length > 0 ? settingOf(draft, 'join.placement') : 'none';
  if (policy === 'rebalance') placeAnew(draft);
  else if (policy === 'failback') writePlacements(draft, planFailback(placementInput(draft), newcomers));
  else writePlacements(draft, planFailover(placementInput(draft), { leaving: [], by: 'join' }));
  return {
    placement: policy === 'none' ? 'homeless' : (policy as 'rebalance' | 'failback'),
    ...placementCounts(draft),
  };
}
