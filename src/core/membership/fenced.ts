/** What the record of a node's fencing says about taking over from it. */
import type { FencingRecord } from '../model/tables.js';
import type { Snapshot } from '../store/store.js';

/** Whether the node is off, or its end was confirmed, since its lease showed this number: it shows no higher one of that life. */
export function isFencedAt(record: FencingRecord | undefined, lease: number | null): boolean {
  if (record === undefined || lease === null || record.lease === null) return false;
  return (record.state === 'done' || record.state === 'confirmed') && record.lease >= lease;
}

/** Whether fencing was begun at this lease and has not succeeded: takeover waits for it, whatever the policy. */
export function isFencingOpen(record: FencingRecord | undefined, lease: number | null): boolean {
  if (record === undefined || lease === null || record.lease === null) return false;
  return (record.state === 'running' || record.state === 'failed') && record.lease >= lease;
}

/**
 * What a takeover from the node still waits for, one sentence; null: for nothing.
 * @param lease sequence number at which it was found quiet
 */
export function fencingObstacle(snapshot: Snapshot, node: string, lease: number, isRequired: boolean): string | null {
  const record = snapshot.table('fencing').get(node);
  if (isFencedAt(record, lease)) return null;
  if (isFencingOpen(record, lease)) {
    if (record!.state === 'running') return `is being fenced by ${record!.by}`;
    return fencingFailure(record!);
  }
  return isRequired ? 'waits to be fenced (fencing.policy=required)' : null;
}

/** `fencing by n2 failed (2 attempts): No route to host`. */
export function fencingFailure({ by, attempts, message }: FencingRecord): string {
  const times = attempts === 1 ? '' : ` (${attempts} attempts)`;
  return `fencing by ${by} failed${times}${message === null ? '' : `: ${message}`}`;
}

/** Ends the sentence about a failure: `; fenced by n2`. Empty where it was not fenced at this lease. */
export function fencedHow(snapshot: Snapshot, node: string, lease: number | null): string {
  const record = snapshot.table('fencing').get(node);
  if (record === undefined || !isFencedAt(record, lease)) return '';
  return record.state === 'confirmed' ? '; a person confirmed that it is off' : `; fenced by ${record.by}`;
}

/** A claim, as whoever asks saw it unchanged for too long, or after its claimer was gone. */
export interface StaleClaim {
  by: string;
  attempts: number;
}

/** Whether the claim that stands is the one that was found stale. */
export function isStaleClaim({ by, attempts }: FencingRecord, stale: StaleClaim | undefined): boolean {
  return stale !== undefined && stale.by === by && stale.attempts === attempts;
}
