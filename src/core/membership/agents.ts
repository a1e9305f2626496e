/**
 * The agents as the leases show them: what `cfs node list`, `cfs node show` and `cfs cluster upgrade` say of them. Nothing is decided
 * by ages here: they compare this host's clock with the times of files, and are for people only.
 */
import { isSystemCallError } from '../platform/files.js';
import type { Platform } from '../platform/platform.js';
import { systemError } from '../store/system-error.js';
import { type Lease, type LeaseInfo, leaseInfo, leaseName, listClientLeases, listLeases } from './leases.js';

export interface AgentSeen {
  lease: Lease;
  /** What the lease says inside; null where it says nothing (a full disk). */
  info: LeaseInfo | null;
  /** How long ago the lease was made, ms: an estimate, since it compares clocks of two hosts. Null: it went while we looked. */
  ageMs: number | null;
}

/** A lease that is renewed between the listing and its reading is looked for again so often. */
const ROUNDS = 3;
/** Between two rounds, ms: what is being written is there by then. */
const REST_MS = 10;

/** Every agent that has a lease, by node. Waits for at most 20 ms where one says nothing. One listing, and a few calls for each lease. @throws CfsError of the system */
export function readAgents(platform: Platform, leasesDir: string): Map<string, AgentSeen> {
  return readSeen(platform, leasesDir, leasesOf);
}

/** The same of every client that has a lease, by client. @throws CfsError of the system */
export function readClientAgents(platform: Platform, leasesDir: string): Map<string, AgentSeen> {
  return readSeen(platform, leasesDir, clientLeasesOf);
}

function readSeen(platform: Platform, leasesDir: string, list: typeof leasesOf): Map<string, AgentSeen> {
  const agents = new Map<string, AgentSeen>();
  for (let round = 0; round < ROUNDS; round++) {
    if (round > 0) platform.clock.sleepSync(REST_MS);
    let isComplete = true;
    for (const [node, lease] of list(platform, leasesDir)) {
      const known = agents.get(node);
      if (known !== undefined && known.info !== null) continue;
      const seen = { lease, info: leaseInfo(platform, leasesDir, lease), ageMs: ageOf(platform, leasesDir, lease) };
      agents.set(node, seen);
      // Empty, or renewed just now: the next listing tells.
      if (seen.info === null) isComplete = false;
    }
    if (isComplete) break;
  }
  return agents;
}

/** @throws CfsError of the system */
export function leasesOf(platform: Platform, leasesDir: string): Map<string, Lease> {
  try {
    return listLeases(platform, leasesDir);
  } catch (error) {
    throw systemError(error, 'list', leasesDir);
  }
}

/** @throws CfsError of the system */
export function clientLeasesOf(platform: Platform, leasesDir: string): Map<string, Lease> {
  try {
    return listClientLeases(platform, leasesDir);
  } catch (error) {
    throw systemError(error, 'list', leasesDir);
  }
}

function ageOf(platform: Platform, leasesDir: string, lease: Lease): number | null {
  try {
    const { mtimeMs } = platform.files.stat('lease.stat', `${leasesDir}/${leaseName(lease)}`);
    return Math.max(0, Math.round(platform.clock.nowMs() - mtimeMs));
  } catch (error) {
    if (isSystemCallError(error)) return null;
    throw error;
  }
}
