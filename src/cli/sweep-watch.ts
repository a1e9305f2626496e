/** The first half of `cfs failover --sweep`: looks at the leases until it is known of every node whether its lease has lapsed. */
import { listLeases } from '../core/membership/leases.js';
import { type SweepFindings, type SweepObservations, sweep } from '../core/membership/sweep.js';
import { leaseTimeout } from '../core/membership/timeout.js';
import { settingOf } from '../core/model/settings.js';
import type { DirectoryCluster } from '../open.js';

export interface SweepWatch {
  /** From the run before; null: none of use. */
  before: SweepObservations | null;
  /** Called after each look with the nodes whose lease is not renewed so far, and how long it may still take, ms. */
  onLook: (nodes: readonly string[], leftMs: number) => void;
}

/** Longest pause between two looks, ms. */
const POLL_MS = 250;
/** Looks further apart than so many lease intervals did not watch what was between. */
const GAP_INTERVALS = 3;

/**
 * Ends when each node has renewed its lease since the run before (without one: since the first look), or has lapsed: after one
 * look, or after at most the longest lease timeout. @throws what listing throws
 */
export async function watchLeases(cluster: DirectoryCluster, { before, onLook }: SweepWatch): Promise<SweepFindings> {
  const { platform, paths } = cluster.store.place;
  const { clock, processes } = platform;
  let known = before;
  let reference: (node: string) => number | undefined = (node) =>
    before !== null && Object.hasOwn(before.nodes, node) ? before.nodes[node]!.seq : undefined;
  for (let looks = 0; ; looks++) {
    const snapshot = cluster.snapshot();
    const beganMs = clock.monotonicMs();
    const leases = listLeases(platform, paths.leases);
    const endedMs = clock.monotonicMs();
    // What hung between two looks (the tables, this process) was not watched.
    const counted = beganMs - GAP_INTERVALS * settingOf(snapshot, 'lease.interval');
    if (looks > 0 && known !== null) known = { ...known, lookedMs: Math.max(known.lookedMs, counted) };
    const timeoutOf = (node: string) => leaseTimeout(snapshot, leases.get(node));
    const look = { snapshot, leases, bootId: processes.bootId(), beganMs, endedMs, timeoutOf };
    const findings = sweep(known, look, looks > 0);
    known = findings.observations;
    if (looks === 0) {
      const first = reference;
      reference = (node) => first(node) ?? findings.observations.nodes[node]?.seq;
    }
    const undecided = findings.watching.filter(({ node }) => reference(node) === leases.get(node)?.seq);
    const leftMs = Math.max(0, ...undecided.map(({ quietMs, timeoutMs }) => timeoutMs - quietMs));
    onLook(
      undecided.map(({ node }) => node),
      leftMs,
    );
    if (undecided.length === 0) return findings;
    await clock.sleep(Math.min(settingOf(snapshot, 'lease.interval') / 2, leftMs + 1, POLL_MS));
  }
}
