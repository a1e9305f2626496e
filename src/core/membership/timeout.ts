/**
 * After how long without a renewal a node has surely fenced itself. Normally `lease.timeout`; but a node that has not seen a change
 * of that setting yet counts with the former value, and its lease says which. The largest of what is known is taken.
 */
import { settingOf } from '../model/settings.js';
import type { Snapshot } from '../store/store.js';
import type { Lease, LeaseInfo } from './leases.js';

/** A former value of lease.timeout. */
export interface FormerTimeout {
  /** The generation that ended it. */
  until: number;
  timeoutMs: number;
}

/**
 * @param lease the node's newest; its RELEASED says which generation the node has surely read
 * @param info what that lease says inside; null: nothing (a full disk)
 * @param formers values that held before, as far as they are known
 */
export function leaseTimeout(
  snapshot: Snapshot,
  lease: Lease,
  info: Pick<LeaseInfo, 'timeoutMs'> | null,
  formers: readonly FormerTimeout[] = [],
): number {
  const unseen = formers.filter(({ until }) => until > lease.released).map(({ timeoutMs }) => timeoutMs);
  return Math.max(settingOf(snapshot, 'lease.timeout'), info?.timeoutMs ?? 0, ...unseen);
}

/** What to remember of a former value when a newer snapshot comes; at most the last 20 changes. */
export function rememberTimeout(formers: readonly FormerTimeout[], before: Snapshot, after: Snapshot): FormerTimeout[] {
  const timeoutMs = settingOf(before, 'lease.timeout');
  if (timeoutMs === settingOf(after, 'lease.timeout')) return [...formers];
  return [...formers, { until: after.generation, timeoutMs }].slice(-20);
}
