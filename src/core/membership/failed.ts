/**
 * Confirming failures (FIG. 9B; FIG. 10C, process 1092): under the lock, whoever asks for it has looked again. The node becomes
 * failed and others get what it had, in one generation. Whoever comes second finds the work done and makes none.
 */
import { countOf } from '../model/find.js';
import { allowsFormat2 } from '../model/format.js';
import { settingOf } from '../model/settings.js';
import type { MembershipRecord } from '../model/tables.js';
import type { Operation } from '../operation.js';
import { planFailover } from '../placement/failover.js';
import { placementInput } from '../placement/input.js';
import { writePlacements } from '../placement/operations.js';
import type { Draft } from '../store/store.js';
import { fencedHow, fencingObstacle } from './fenced.js';
import type { NotDone } from './join.js';
import { type PlacementCounts, placementCounts } from './placement-counts.js';
import { frozenReason } from './reasons.js';
import { higherLease, putMembership } from './records.js';

/** A node that somebody found failed. */
export interface QuietNode {
  node: string;
  /**
   * Sequence number of the lease that was watched for its whole timeout, or that says `left`. Null: the node's agent lives and
   * does not release (`unreleased` is set): nothing is recorded then by which others could start what it may still run.
   */
  lease: number | null;
  /** Cause and measured time, one sentence; becomes the reason (reasons.ts). */
  why: string;
  /** The lease says that the agent left: it runs nothing and needs no fencing. */
  left?: boolean;
  /** The generation that its agent has not released within apply.timeout. */
  unreleased?: number;
}

export interface FailedRequest {
  nodes: readonly QuietNode[];
  /** Asked under the lock: whether the lease still shows this number (listed anew). Not recorded. */
  stillQuiet?: (node: string, seq: number) => boolean;
  /** Asked under the lock: whether the lease still has not released this generation. Not recorded. */
  stillUnreleased?: (node: string, generation: number) => boolean;
}

export interface FailedResult extends PlacementCounts {
  /** Confirmed now. */
  failed: string[];
  /** Not taken over yet, and why. */
  suspected: NotDone[];
  /** Nothing was done, and why. */
  leftAlone: NotDone[];
}

type Finding = { is: 'failed' } | { is: 'suspect' | 'left-alone'; why: string };

/** Confirms that nodes failed and places what they had; see DESIGN.md, "Membership and failover". */
export const nodesFailed: Operation<FailedRequest, FailedResult> = {
  name: 'node.failed',
  run(draft, request, context) {
    const result: FailedResult = { failed: [], suspected: [], leftAlone: [], moved: 0, unplaced: 0 };
    const frozen = frozenReason(draft, context.nowMs);
    for (const item of request.nodes) {
      const { node } = item;
      const found: Finding = frozen === null ? finding(draft, item, request) : { is: 'left-alone', why: frozen };
      if (found.is === 'left-alone') {
        result.leftAlone.push({ node, why: found.why });
      } else if (found.is === 'suspect') {
        result.suspected.push({ node, why: found.why });
        suspect(draft, item, found.why);
      } else {
        result.failed.push(node);
        fail(draft, item);
      }
    }
    if (result.failed.length === 0) return result;
    writePlacements(draft, planFailover(placementInput(draft), { leaving: result.failed }));
    return { ...result, ...placementCounts(draft) };
  },
  recorded: ({ nodes }) => ({ nodes: nodes.slice(0, 20), ...(nodes.length > 20 ? { count: nodes.length } : {}) }),
};

/** The sentence for a person: `n3 failed: lease quiet for 10.2 s; 4 volumes moved`. */
export function describeFailed({ failed, suspected, leftAlone, moved, unplaced }: FailedResult): string {
  const parts: string[] = [];
  if (failed.length > 0) parts.push(`${failed.join(', ')} failed, ${countOf(moved, 'volume')} moved`);
  if (unplaced > 0) parts.push(`${countOf(unplaced, 'volume')} can be on no other node`);
  for (const { node, why } of [...suspected, ...leftAlone]) parts.push(`${node}: ${why}`);
  return parts.join('; ');
}

function finding(draft: Draft, item: QuietNode, request: FailedRequest): Finding {
  const { node, lease, left = false } = item;
  const alone = (why: string): Finding => ({ is: 'left-alone', why });
  if (!draft.table('nodes').has(node)) return alone('there is no such node');
  const record = draft.table('membership').get(node);
  if (record === undefined || record.state === 'offline') return alone('it is offline: nobody watches it');
  if (isRecorded(draft, record, lease)) return alone(`it is ${record.state} already, and others know`);
  const isRequired = settingOf(draft, 'fencing.policy') === 'required';
  if (lease === null) {
    const generation = item.unreleased;
    if (generation === undefined) return alone('it never had a lease');
    if (!(request.stillUnreleased?.(node, generation) ?? true)) return alone('it has released meanwhile');
    // It would have to be fenced while it renews. Its own agent stops renewing when it cannot stop something: then it is quiet.
    if (isRequired) return alone('its agent still renews; it is fenced when it stops');
    return { is: 'failed' };
  }
  if (!(request.stillQuiet?.(node, lease) ?? true)) return alone('its lease was renewed meanwhile');
  const obstacle = left ? null : fencingObstacle(draft, node, lease, isRequired);
  if (obstacle === null) return { is: 'failed' };
  return record.state === 'online' || record.state === 'suspect'
    ? { is: 'suspect', why: `${item.why}; ${obstacle}` }
    : alone(obstacle);
}

/** Whether the failure stands in the tables, at this lease or a later one. */
function isRecorded(draft: Draft, { state, lease: known }: MembershipRecord, lease: number | null): boolean {
  if (state === 'standby') return lease === null || !allowsFormat2(draft) || (known ?? -1) >= lease;
  if (state !== 'failed') return false;
  return lease === null || !allowsFormat2(draft) || (known !== undefined && known >= lease);
}

/** A drained node stays standby: it has no volumes to be taken over, and an administrator put it there. Its lease is recorded. */
function fail(draft: Draft, { node, lease, why }: QuietNode): void {
  const known = draft.table('membership').get(node);
  const wasFailed = known?.state === 'failed';
  putMembership(draft, node, {
    state: known?.state === 'standby' ? 'standby' : 'failed',
    reason: wasFailed ? known.reason : `${why}${fencedHow(draft, node, lease)}`,
    lease: wasFailed ? higherLease(known.lease, lease) : lease,
  });
}

/** Suspect once: the time measured the first time stays, or each look would make a generation. */
function suspect(draft: Draft, { node, lease }: QuietNode, why: string): void {
  const known = draft.table('membership').get(node);
  if (known?.state === 'suspect' && (!allowsFormat2(draft) || (known.lease ?? -1) >= (lease ?? 0))) return;
  putMembership(draft, node, { state: 'suspect', reason: why, lease, held: known?.held });
}
