/** After how long without a renewal a node has surely fenced itself. */
import { settingOf } from '../model/settings.js';
import type { Snapshot } from '../store/store.js';
import type { Lease } from './leases.js';

/**
 * Normally `lease.timeout`. A node that has not seen a change of that setting yet counts with the former value, which its lease
 * says: the larger of both, ms.
 */
export function leaseTimeout(snapshot: Snapshot, lease: Lease | undefined): number {
  return Math.max(settingOf(snapshot, 'lease.timeout'), lease?.timeoutMs ?? 0);
}
