/** The first half of `cfs failover --sweep`: looks at the leases until it is known of every node and client whether its lease has lapsed. */
import type { QuietClient } from '../core/access/logon.js';
import { sweepClients } from '../core/access/sweep.js';
import { clientOfHolder, listHolderLeases } from '../core/membership/leases.js';
import { type SweepFindings, type SweepObservations, sweep } from '../core/membership/sweep.js';
import { leaseTimeout } from '../core/membership/timeout.js';
import { settingOf } from '../core/model/settings.js';
import type { DirectoryCluster } from '../open.js';

export interface SweepWatch {
  /** From the run before; null: none of use. */
  before: SweepObservations | null;
  /** Called after each look with the nodes (and `client c3`) whose lease is not renewed so far, and how long it may still take, ms. */
  onLook: (nodes: readonly string[], leftMs: number) => void;
}

/** What was found of the nodes, and which clients are gone. */
export interface SweepWatched extends SweepFindings {
  clients: QuietClient[];
}

/** Longest pause between two looks, ms. */
const POLL_MS = 250;
/** Looks further apart than so many lease intervals did not watch what was between. */
const GAP_INTERVALS = 3;

/**
 * Ends when each node and client has renewed its lease since the run before (without one: since the first look), or has lapsed: after one
 * look, or after at most the longest lease timeout. @throws what listing throws
 */
export async function watchLeases(cluster: DirectoryCluster, { before, onLook }: SweepWatch): Promise<SweepWatched> {
  const { platform, paths } = cluster.store.place;
  const { clock, processes } = platform;
  let known = before;
  let reference: (node: string) => number | undefined = (node) =>
    before !== null && Object.hasOwn(before.nodes, node) ? before.nodes[node]!.seq : undefined;
  for (let looks = 0; ; looks++) {
    const snapshot = cluster.snapshot();
    const beganMs = clock.monotonicMs();
    const leases = listHolderLeases(platform, paths.leases);
    const endedMs = clock.monotonicMs();
    // What hung between two looks (the tables, this process) was not watched.
    const counted = beganMs - GAP_INTERVALS * settingOf(snapshot, 'lease.interval');
    if (looks > 0 && known !== null) known = { ...known, lookedMs: Math.max(known.lookedMs, counted) };
    const timeoutOf = (node: string) => leaseTimeout(snapshot, leases.get(node));
    const look = { snapshot, leases, bootId: processes.bootId(), beganMs, endedMs, timeoutOf };
    const findings = sweep(known, look, looks > 0);
    known = findings.observations;
    const clients = sweepClients(look, known);
    const watching = [...findings.watching, ...clients.watching];
    if (looks === 0) {
      const first = reference;
      reference = (node) => first(node) ?? findings.observations.nodes[node]?.seq;
    }
    const undecided = watching.filter(({ node }) => reference(node) === leases.get(node)?.seq);
    const leftMs = Math.max(0, ...undecided.map(({ quietMs, timeoutMs }) => timeoutMs - quietMs));
    onLook(
      undecided.map(({ node }) => nameOf(node)),
      leftMs,
    );
    if (undecided.length === 0) return { ...findings, clients: clients.lapsed };
    await clock.sleep(Math.min(settingOf(snapshot, 'lease.interval') / 2, leftMs + 1, POLL_MS));
  }
}

/** For people. */
function nameOf(holder: string): string {
  const client = clientOfHolder(holder);
  return client === null ? holder : `client ${client}`;
}
