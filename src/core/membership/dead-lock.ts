/**
 * The lock of a machine that others take over from. It died in the middle of a change, perhaps, and nobody else can see that its
 * process is gone: a takeover would wait for the whole stale time. That its agent was quiet for the whole lease timeout says more
 * than the age of the lock. Where it is wrong (a command goes on there without the agent) nothing is lost: the lock is
 * politeness, the commit's link decides.
 */
import { isSystemCallError } from '../platform/files.js';
import { removeLock } from '../store/lock.js';
import { ownsLock, readOwner } from '../store/lock-owner.js';
import type { Place } from '../store/place.js';
import { type Lease, leaseInfo } from './leases.js';

/**
 * Breaks the lock where it is held on the machine (and in the boot) of an agent that does not live any more.
 * @param quiet leases watched for their whole timeout
 * @returns the holder's host when it was broken
 */
export function breakLockOfDead(place: Place, quiet: Iterable<Lease>): string | null {
  const { files, processes } = place.platform;
  const owner = readOwner(place);
  // A holder on this host is looked for by its process number (lock.ts).
  if (owner === null || owner.boot === '' || owner.host === processes.host()) return null;
  for (const lease of quiet) {
    const info = leaseInfo(place.platform, place.paths.leases, lease);
    if (info?.host !== owner.host || info.bootId !== owner.boot) continue;
    try {
      const lock = files.identity('lock.look', place.paths.lock);
      return ownsLock(owner, lock) && removeLock(place, lock) ? owner.host : null;
    } catch (error) {
      if (isSystemCallError(error)) return null;
      throw error;
    }
  }
  return null;
}
