/** Coming back: a suspect that renewed after all, and volumes that return after the hold-down (DESIGN.md, "fail-back"). */
import { settingOf } from '../model/settings.js';
import { formatDuration } from '../model/units.js';
import type { Operation } from '../operation.js';
import { planFailback } from '../placement/failover.js';
import { placementInput } from '../placement/input.js';
import { writePlacements } from '../placement/operations.js';
import { isStaleClaim, type StaleClaim } from './fenced.js';
import type { NotDone } from './join.js';
import { type PlacementCounts, placementCounts } from './placement-counts.js';
import { frozenReason } from './reasons.js';
import { higherLease, putMembership } from './records.js';

export interface RecoveredRequest {
  node: string;
  /** Sequence number that its lease shows now. */
  lease: number;
  /** A claim to fence it that does not count any more (FenceClaimRequest). */
  stale?: StaleClaim;
}

export interface RecoveredResult {
  recovered: boolean;
  /** Why not, one sentence; null when it is. */
  why: string | null;
}

/**
 * A suspect node is online again: its lease shows a higher number than the one found quiet. Its own agent asks for it, or
 * whoever sees it. A failed attempt to fence it is forgotten; one that is under way is waited for, unless it is stale.
 */
export const nodeRecovered: Operation<RecoveredRequest, RecoveredResult> = {
  name: 'node.recovered',
  run(draft, { node, lease, stale }) {
    const no = (why: string): RecoveredResult => ({ recovered: false, why });
    const record = draft.table('membership').get(node);
    if (record === undefined || record.state !== 'suspect') return no('it is not suspect');
    const fencing = draft.table('fencing').get(node);
    if (fencing?.state === 'running' && !isStaleClaim(fencing, stale)) return no(`it is being fenced by ${fencing.by}`);
    const quietAt = higherLease(record.lease, fencing?.lease);
    if (quietAt !== undefined && lease <= quietAt) return no('its lease was not renewed since it was found quiet');
    putMembership(draft, node, { state: 'online', reason: 'renewed its lease after all', held: record.held });
    if (fencing !== undefined) draft.remove('fencing', node);
    return { recovered: true, why: null };
  },
};

export interface ReturnRequest {
  nodes: readonly string[];
}

export interface ReturnResult extends PlacementCounts {
  /** No longer held. */
  returned: string[];
  notReturned: NotDone[];
}

/**
 * Ends the hold-down of nodes that stayed up for `failback.hold`, by the watching of whoever asks. With failback.mode=automatic
 * the volumes that prefer them return, in the same generation; else they take part in placement as others do, and nothing moves.
 */
export const nodesReturn: Operation<ReturnRequest, ReturnResult> = {
  name: 'node.return',
  run(draft, request, context) {
    const result: ReturnResult = { returned: [], notReturned: [], moved: 0, unplaced: 0 };
    const frozen = frozenReason(draft, context.nowMs);
    const isAutomatic = settingOf(draft, 'failback.mode') === 'automatic';
    const held = formatDuration(settingOf(draft, 'failback.hold'));
    const reason = isAutomatic ? `up for ${held}; its volumes return` : `up for ${held}; volumes return by hand`;
    for (const node of new Set(request.nodes)) {
      const record = draft.table('membership').get(node);
      const why =
        record?.held !== true ? 'it is not held' : record.state !== 'online' ? `it is ${record.state}` : frozen;
      if (why !== null) {
        result.notReturned.push({ node, why });
        continue;
      }
      putMembership(draft, node, { state: 'online', reason });
      result.returned.push(node);
    }
    if (result.returned.length === 0 || !isAutomatic) return result;
    writePlacements(draft, planFailback(placementInput(draft), result.returned));
    return { ...result, ...placementCounts(draft) };
  },
  recorded: ({ nodes }) => ({ nodes: nodes.slice(0, 20), ...(nodes.length > 20 ? { count: nodes.length } : {}) }),
};
