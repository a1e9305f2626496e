/**
 * Whether a client has an agent, as a command sees it that does not watch leases. A lease that is only quiet counts as an agent: others
 * find out whether it has lapsed. No agent is meant by a lease that
 * - says `left`: the agent ended in order, and has nothing mounted;
 * - was confirmed as lapsed, or lay there when the client logged on by hand (LogonRecord.lease);
 * - names a process of this host and boot that is gone.
 */
import { type Lease, type LeaseInfo, leaseInfo } from '../membership/leases.js';
import type { Platform } from '../platform/platform.js';
import type { Snapshot } from '../store/store.js';
import { logonOf } from './look.js';

export interface Presence {
  /** An agent has the client's mounts in its hands: commands change the tables alone. */
  hasAgent: boolean;
  /** The client's newest lease, if it ever had an agent. */
  lease: Lease | null;
}

/** @param lease the client's newest, of `listClientLeases` */
export function presenceOf(
  platform: Platform,
  leasesDir: string,
  snapshot: Snapshot,
  client: string,
  lease: Lease | undefined,
): Presence {
  if (lease === undefined) return { hasAgent: false, lease: null };
  const isOver = lease.applied === null || lease.seq <= (logonOf(snapshot, client)?.lease ?? -1);
  const isGone = !isOver && isGoneHere(platform, leaseInfo(platform, leasesDir, lease));
  return { hasAgent: !isOver && !isGone, lease };
}

function isGoneHere({ processes }: Platform, info: LeaseInfo | null): boolean {
  if (info === null || info.bootId === '') return false;
  const isOfThisBoot = info.host === processes.host() && info.bootId === processes.bootId();
  return isOfThisBoot && !processes.exists(info.pid);
}
