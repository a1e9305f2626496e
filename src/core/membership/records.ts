/** Membership records as operations write them: without the fields that the cluster's format does not have yet. */
import { allowsFormat2 } from '../model/format.js';
import type { MembershipRecord } from '../model/tables.js';
import { MAX_DESCRIPTION_LENGTH } from '../model/values.js';
import type { Draft, Snapshot } from '../store/store.js';
import { oneLine } from './reasons.js';
import { isActive } from './states.js';

/** Fields that may be there; undefined and false leave a field out. */
export interface MembershipInput extends Pick<MembershipRecord, 'state' | 'reason'> {
  lease?: number | null | undefined;
  mayJoin?: boolean | undefined;
  held?: boolean | undefined;
}

/** Gives a node a state. Fields not given are gone: what was true of the former state is not of this one. */
export function putMembership(draft: Draft, node: string, input: MembershipInput): void {
  const { state, reason, lease, mayJoin, held } = input;
  const record: MembershipRecord = { state, reason: oneLine(reason, MAX_DESCRIPTION_LENGTH) };
  if (allowsFormat2(draft)) {
    if (typeof lease === 'number') record.lease = lease;
    if (mayJoin) record.mayJoin = true;
    if (held) record.held = true;
  }
  draft.put('membership', node, record);
}

/** Takes away what membership knows of a node that is removed. */
export function removeMembership(draft: Draft, node: string): void {
  draft.remove('membership', node);
  if (draft.table('fencing').has(node)) draft.remove('fencing', node);
}

/** Moves what membership knows of a node over to its new name, also where it is the one that fences others. */
export function renameMembership(draft: Draft, from: string, to: string): void {
  const membership = draft.table('membership').get(from);
  const own = draft.table('fencing').get(from);
  removeMembership(draft, from);
  if (membership !== undefined) draft.put('membership', to, membership);
  if (own !== undefined) draft.put('fencing', to, own);
  for (const [node, record] of [...draft.table('fencing').entries()]) {
    if (record.by === from) draft.put('fencing', node, { ...record, by: to });
  }
}

/**
 * Sequence number up to which the failure of a node is confirmed (Candidate.failedAt in core/agent/ownership.ts); undefined: it
 * is not. A suspect node has a number too, which confirms nothing; one that was taken out has it where it ended before releasing.
 */
export function failedAt(snapshot: Snapshot, node: string): number | undefined {
  const record = snapshot.table('membership').get(node);
  return record === undefined || isActive(record.state) ? undefined : record.lease;
}

/** The higher of two sequence numbers of which either may be missing. */
export function higherLease(a: number | null | undefined, b: number | null | undefined): number | undefined {
  if (typeof a !== 'number') return b ?? undefined;
  return typeof b === 'number' ? Math.max(a, b) : a;
}
