/** Whether an agent should fence a quiet node now: nobody does, whoever did is gone, or it failed and is to be tried again. */
import type { FencingRecord } from '../model/tables.js';
import type { AttentionInput, Seen } from './attention.js';
import type { Lasting } from './attention-memory.js';
import { fencingFailure, isFencedAt, isFencingOpen, type StaleClaim } from './fenced.js';
import type { FenceClaimRequest } from './fencing.js';

const MOST_RETRY_MS = 600_000;

export interface FencingAttention {
  /** Claim it. */
  claim: FenceClaimRequest | null;
  /** What a takeover waits for, one sentence; null: for nothing. */
  obstacle: string | null;
}

export function fencingAttention(
  { node, lease }: Seen,
  input: AttentionInput,
  lasting: Lasting,
  why: string,
  isRequired: boolean,
): FencingAttention {
  const { self, snapshot, fencingTimeoutMs } = input;
  const record = snapshot.table('fencing').get(node);
  if (isFencedAt(record, lease.seq)) return { claim: null, obstacle: null };
  const claim: FenceClaimRequest = { node, lease: lease.seq, by: self, why };
  if (record !== undefined && isFencingOpen(record, lease.seq)) {
    const obstacle = record.state === 'running' ? `is being fenced by ${record.by}` : fencingFailure(record);
    if (fencingTimeoutMs === null) return { claim: null, obstacle };
    return { claim: openClaim(record, claim, input, lasting), obstacle };
  }
  // Configured: then it comes first, also where the policy does not ask for it.
  if (fencingTimeoutMs !== null) return { claim, obstacle: 'is to be fenced' };
  return { claim: null, obstacle: isRequired ? 'waits to be fenced (fencing.policy=required)' : null };
}

function openClaim(
  record: FencingRecord,
  claim: FenceClaimRequest,
  input: AttentionInput,
  lasting: Lasting,
): FenceClaimRequest | null {
  const { state, by, attempts } = record;
  if (state === 'failed') {
    const retryMs = Math.min(input.timeoutOf(claim.node) * 2 ** Math.min(attempts - 1, 20), MOST_RETRY_MS);
    return lastedMs(claim.node, record, lasting) >= retryMs ? claim : null;
  }
  if (by === claim.by) return claim;
  const stale = staleClaim(claim.node, record, input, lasting);
  return stale === null ? null : { ...claim, stale };
}

function lastedMs(node: string, { state, by, attempts }: FencingRecord, lasting: Lasting): number {
  return lasting.ms(`fencing ${node} ${state} ${by} ${attempts}`);
}

/** A running claim that does not count any more: its claimer is gone, or takes longer than any command may. Null: it counts. */
export function staleClaim(
  node: string,
  record: FencingRecord,
  input: AttentionInput,
  lasting: Lasting,
): StaleClaim | null {
  const { by, attempts } = record;
  const runsMs = lastedMs(node, record, lasting);
  if (by === null) return null;
  const { observer } = input;
  const timeoutMs = input.timeoutOf(by);
  const isGone = by !== input.self && (observer.lease(by)?.applied === null || observer.isLapsed(by, timeoutMs));
  return isGone || runsMs > (input.fencingTimeoutMs ?? MOST_RETRY_MS) + timeoutMs ? { by, attempts } : null;
}
