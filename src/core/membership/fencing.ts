/**
 * Fencing before a takeover, in three steps of which only the middle one touches anything: a claim is committed (so that one
 * agent does it, and everybody sees it), its agent runs the command outside of the lock, and the result is committed.
 * A person who knows that a node is off may say so instead.
 */
import { requireNode } from '../model/find.js';
import { requireFormat } from '../model/format.js';
import type { FencingRecord } from '../model/tables.js';
import type { Operation } from '../operation.js';
import type { Draft } from '../store/store.js';
import { fencingFailure, isFencedAt, isStaleClaim, type StaleClaim } from './fenced.js';
import { frozenReason, oneLine } from './reasons.js';
import { higherLease, putMembership } from './records.js';
import { isActive } from './states.js';

export interface FenceClaimRequest {
  node: string;
  /** Sequence number of the lease that was watched for its whole timeout. */
  lease: number;
  /** The node whose agent will run the command. */
  by: string;
  /** Cause and measured time; becomes the reason (`quietReason`). */
  why: string;
  /** A claim of somebody that whoever asks saw unchanged for too long, or whose claimer is gone: it does not count any more. */
  stale?: StaleClaim;
  /** Asked under the lock: whether the lease still shows this number (listed anew). Not recorded. */
  stillQuiet?: (node: string, seq: number) => boolean;
}

export interface FenceClaimResult {
  /** The claimer runs the command now. */
  claimed: boolean;
  /** Number of this attempt, from 1; 0 when not claimed. */
  attempt: number;
  /** Why not, one sentence; null when claimed. */
  why: string | null;
}

/** What stands in the way of a claim; null: nothing. */
function claimRefusal(draft: Draft, request: FenceClaimRequest): string | null {
  const { node, lease, by, stale } = request;
  const state = draft.table('membership').get(node)?.state ?? 'offline';
  if (state === 'offline' || state === 'joining') return `it is ${state}`;
  const record = draft.table('fencing').get(node);
  if (isFencedAt(record, lease)) return 'it is fenced already';
  if (record?.state === 'running' && record.by !== by && !isStaleClaim(record, stale))
    return `${record.by} is fencing it`;
  // Nobody fences what is back.
  return (request.stillQuiet?.(node, lease) ?? true) ? null : 'its lease was renewed meanwhile';
}

/**
 * Claims the fencing of a quiet node, which becomes suspect. The claimer's own claim is given to it again: its agent may have
 * ended between the claim and the command.
 * @throws CfsError FORMAT_TOO_OLD
 */
export const fenceClaim: Operation<FenceClaimRequest, FenceClaimResult> = {
  name: 'fence.claim',
  run(draft, request, context) {
    requireFormat(draft, 2, 'Fencing');
    const { node, lease, by } = request;
    const why = claimRefusal(draft, request) ?? frozenReason(draft, context.nowMs);
    if (why !== null) return { claimed: false, attempt: 0, why };
    const known = draft.table('fencing').get(node);
    if (known?.state === 'running' && known.by === by && (known.lease ?? -1) >= lease) {
      return { claimed: true, attempt: known.attempts, why: null };
    }
    const isSameLife = known !== undefined && known.lease !== null && known.lease >= lease;
    const attempt = isSameLife ? known.attempts + 1 : 1;
    draft.put('fencing', node, {
      state: 'running',
      by,
      lease: higherLease(isSameLife ? known.lease : null, lease)!,
      attempts: attempt,
      message: isSameLife ? known.message : null,
    });
    retell(draft, node, `${request.why}; is being fenced by ${by}`, lease);
    return { claimed: true, attempt, why: null };
  },
  recorded: ({ stillQuiet: _, ...request }) => request,
};

/** Tells the reason of a suspect; an online node becomes one. What is standby or failed stays so. */
function retell(draft: Draft, node: string, reason: string, lease: number | null): void {
  const record = draft.table('membership').get(node);
  if (record?.state !== 'online' && record?.state !== 'suspect') return;
  putMembership(draft, node, {
    state: 'suspect',
    reason,
    lease: higherLease(record.lease, lease),
    held: record.held,
  });
}

/** A node that is failed, standby or offline already: others may now start what it had, up to this lease. */
function confirmFailure(draft: Draft, node: string, lease: number | null): void {
  const record = draft.table('membership').get(node);
  if (record === undefined || isActive(record.state)) return;
  putMembership(draft, node, { ...record, lease: higherLease(record.lease, lease) });
}

export interface FenceResultRequest {
  node: string;
  /** The claimer. */
  by: string;
  ok: boolean;
  /** What the command said. */
  message: string | null;
  /** Sequence number that its lease showed after the command had succeeded: it may have renewed until then. */
  lease?: number;
}

export interface FenceResultResult {
  recorded: boolean;
  why: string | null;
}

/** Records how the command ended. Nothing is recorded when the claim is not the claimer's any more. */
export const fenceResult: Operation<FenceResultRequest, FenceResultResult> = {
  name: 'fence.result',
  run(draft, { node, by, ok, message, lease }) {
    const known = draft.table('fencing').get(node);
    if (known?.state !== 'running' || known.by !== by)
      return { recorded: false, why: `${by} has no claim to fence it` };
    const record: FencingRecord = {
      ...known,
      state: ok ? 'done' : 'failed',
      lease: higherLease(known.lease, ok ? lease : null) ?? null,
      message: oneLine(message),
    };
    draft.put('fencing', node, record);
    retell(draft, node, ok ? `fenced by ${by}` : fencingFailure(record), record.lease);
    if (ok) confirmFailure(draft, node, record.lease);
    return { recorded: true, why: null };
  },
  recorded: (request) => ({ ...request, message: oneLine(request.message) }),
};

export interface FenceConfirmRequest {
  node: string;
  /** What the person says, or null. */
  message: string | null;
  /** Sequence number of its newest lease; null: it has none. A later one is of another life, to which this does not apply. */
  lease: number | null;
}

/**
 * A person says that the node is off, or cut off from the storage: others may take over without fencing it.
 * @throws CfsError NODE_NOT_FOUND, FORMAT_TOO_OLD
 */
export const fenceConfirm: Operation<FenceConfirmRequest, { node: string; confirmed: boolean }> = {
  name: 'fence.confirm',
  run(draft, request) {
    requireFormat(draft, 2, 'Fencing');
    const node = requireNode(draft, request.node);
    const known = draft.table('fencing').get(node);
    const { lease } = request;
    if (known?.state === 'confirmed' && (lease === null || (known.lease ?? -1) >= lease))
      return { node, confirmed: false };
    const message = oneLine(request.message);
    draft.put('fencing', node, { state: 'confirmed', by: null, lease, attempts: known?.attempts ?? 0, message });
    const record = draft.table('membership').get(node);
    if (record?.state === 'suspect') retell(draft, node, 'a person confirmed that it is off', lease);
    confirmFailure(draft, node, lease);
    return { node, confirmed: true };
  },
  recorded: (request) => ({ ...request, message: oneLine(request.message) }),
};
