/** The orderly end of an agent that drains: its node gives away what it has, and comes back in by itself. */
import { allowsFormat2 } from '../model/format.js';
import type { Operation } from '../operation.js';
import { planFailover } from '../placement/failover.js';
import { placementInput } from '../placement/input.js';
import { writePlacements } from '../placement/operations.js';
import { type PlacementCounts, placementCounts } from './placement-counts.js';
import { frozenReason } from './reasons.js';
import { putMembership } from './records.js';
import { isActive } from './states.js';

export interface LeaveRequest {
  node: string;
  /** Give its volumes to others now. False: nothing is committed; others take over if it does not come back in time. */
  drain: boolean;
}

export interface LeaveResult extends PlacementCounts {
  left: boolean;
  /** Why nothing was done, one sentence; null when it left. */
  why: string | null;
}

function refusal(record: { state: string } | undefined, drain: boolean): string | null {
  if (!drain) return 'it keeps its volumes for a restart; others take over if it does not come back';
  if (record === undefined) return 'it is no member';
  if (record.state === 'online' || record.state === 'suspect') return null;
  return `it is ${record.state}`;
}

/** Takes a node out that leaves on its own. A cluster of format 1 cannot tell it from one that an administrator took out. */
export const nodeLeave: Operation<LeaveRequest, LeaveResult> = {
  name: 'node.leave',
  run(draft, { node, drain }, context) {
    const record = draft.table('membership').get(node);
    const tooOld = allowsFormat2(draft) ? null : 'it could not come back by itself; see cfs cluster upgrade';
    const why = refusal(record, drain) ?? tooOld ?? frozenReason(draft, context.nowMs);
    if (why !== null || record === undefined || !isActive(record.state))
      return { left: false, why, moved: 0, unplaced: 0 };
    const reason = 'its agent left; its volumes were given to others';
    putMembership(draft, node, { state: 'offline', reason, mayJoin: true, held: record.held });
    if (draft.table('fencing').has(node)) draft.remove('fencing', node);
    writePlacements(draft, planFailover(placementInput(draft), { leaving: [node], by: 'drain' }));
    return { left: true, why: null, ...placementCounts(draft) };
  },
};
