/** Whether an agent should fence a quiet node now: nobody does, whoever did is gone, or it failed and is to be tried again. */
import type { FencingRecord } from '../model/tables.js';
import type { AttentionInput, Seen } from './attention.js';
import type { Lasting } from './attention-memory.js';
import { fencingFailure, isFencedAt, isFencingOpen } from './fenced.js';
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
    return { claim: openClaim(record, claim, input, lasting, fencingTimeoutMs), obstacle };
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
  fencingTimeoutMs: number,
): FenceClaimRequest | null {
  const { state, by, attempts } = record;
  const lastedMs = lasting.ms(`fencing ${claim.node} ${state} ${by} ${attempts}`);
  if (state === 'failed') {
    const retryMs = Math.min(input.timeoutOf(claim.node) * 2 ** Math.min(attempts - 1, 20), MOST_RETRY_MS);
    return lastedMs >= retryMs ? claim : null;
  }
  if (by === null || by === claim.by) return claim;
  const { observer } = input;
  const timeoutMs = input.timeoutOf(by);
  const isGone = observer.lease(by)?.applied === null || observer.isLapsed(by, timeoutMs);
  const isStale = isGone || lastedMs > fencingTimeoutMs + timeoutMs;
  return isStale ? { ...claim, stale: { by, attempts } } : null;
}
