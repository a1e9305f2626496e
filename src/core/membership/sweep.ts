/**
 * `cfs failover --sweep`: whose lease has lapsed, from what was observed at the run before (cron) and one look now. By this host's
 * monotonic clock, which begins anew with each boot: an observation of another boot is worth nothing.
 *
 * Time between two runs counts only when some lease was renewed in between: then the directory was there, and a quiet
 * lease is its node's doing. Else it may have hung for all, and the command watches for a whole timeout itself.
 */
import type { Snapshot } from '../store/store.js';
import type { QuietNode } from './failed.js';
import type { Lease } from './leases.js';
import { leftReason, quietReason } from './reasons.js';
import { isActive, stateOf } from './states.js';

/** What one run keeps for the next, as JSON in the node's own state directory. */
export interface SweepObservations {
  version: 1;
  bootId: string;
  /** Monotonic time (CLOCK_MONOTONIC) at the end of the look, ms. */
  lookedMs: number;
  /** By holder: clients are among them as `client~NAME` (leases.ts). */
  nodes: { [node: string]: { seq: number; quietMs: number } };
}

export interface SweepLook {
  snapshot: Snapshot;
  /** By holder, as one listing shows them. */
  leases: ReadonlyMap<string, Lease>;
  bootId: string;
  /** Monotonic time before and after the listing, ms. */
  beganMs: number;
  endedMs: number;
  /** After how long without a renewal the node has surely fenced itself, ms (leaseTimeout in timeout.ts). */
  timeoutOf: (node: string) => number;
}

export interface SweepFindings {
  observations: SweepObservations;
  /** For `nodesFailed`, in natural order of the table. */
  lapsed: QuietNode[];
  /** Active nodes whose lease was quiet up to now, but not for long enough. */
  watching: { node: string; quietMs: number; timeoutMs: number }[];
  /** How long to watch until each of them has either renewed or lapsed, ms; 0: nothing to watch. */
  watchMs: number;
}

/** What was observed of each node, with the time that counts added. Nodes whose lease rose begin anew. */
export function observe(
  before: SweepObservations | null,
  look: Omit<SweepLook, 'snapshot' | 'timeoutOf'>,
): SweepObservations {
  const { leases, bootId, beganMs, endedMs } = look;
  // Null prototype: a node may be called __proto__.
  const nodes: SweepObservations['nodes'] = Object.create(null);
  const known = before !== null && before.bootId === bootId && before.lookedMs <= beganMs ? before : null;
  const seqBefore = (node: string): number | undefined =>
    known !== null && Object.hasOwn(known.nodes, node) ? known.nodes[node]!.seq : undefined;
  const wasThere = [...leases].some(([node, { seq }]) => seqBefore(node) !== undefined && seqBefore(node) !== seq);
  for (const [node, { seq }] of leases) {
    const isQuiet = seqBefore(node) === seq;
    const quietMs = isQuiet ? known!.nodes[node]!.quietMs + (wasThere ? beganMs - known!.lookedMs : 0) : 0;
    nodes[node] = { seq, quietMs };
  }
  return { version: 1, bootId, lookedMs: endedMs, nodes };
}

/**
 * Adds the look to what was observed and says who lapsed. While the command itself watches, it looks again and again and
 * passes `isWatching`: short gaps count whole then, as with an agent.
 */
export function sweep(before: SweepObservations | null, look: SweepLook, isWatching = false): SweepFindings {
  const observations = isWatching && before !== null ? watched(before, look) : observe(before, look);
  const lapsed: QuietNode[] = [];
  const watching: SweepFindings['watching'] = [];
  for (const node of look.snapshot.table('nodes').names()) {
    const lease = look.leases.get(node);
    const state = stateOf(look.snapshot, node);
    if (lease === undefined || !(isActive(state) || state === 'standby')) continue;
    const { quietMs } = observations.nodes[node]!;
    const timeoutMs = look.timeoutOf(node);
    const hasLeft = lease.applied === null;
    if (state === 'standby' && hasLeft) continue;
    if (quietMs < timeoutMs) watching.push({ node, quietMs, timeoutMs });
    else if (hasLeft) lapsed.push({ node, lease: lease.seq, left: true, why: leftReason(quietMs) });
    else lapsed.push({ node, lease: lease.seq, why: quietReason(quietMs, null) });
  }
  const watchMs = Math.max(0, ...watching.map(({ quietMs, timeoutMs }) => timeoutMs - quietMs));
  return { observations, lapsed, watching, watchMs };
}

function watched(before: SweepObservations, look: SweepLook): SweepObservations {
  const after = observe(before, look);
  for (const [node, seen] of Object.entries(after.nodes)) {
    const known = Object.hasOwn(before.nodes, node) ? before.nodes[node] : undefined;
    if (known?.seq === seen.seq) seen.quietMs = known.quietMs + Math.max(0, look.beganMs - before.lookedMs);
  }
  return after;
}
