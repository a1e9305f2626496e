/**
 * Failure detection: what one observer concludes from looking at the leases again and again. By its own monotonic clock
 * alone; clocks are never compared between hosts (DESIGN.md, "Membership and failover").
 *
 * A lease is quiet since the end of the look that first showed its sequence number, and until the beginning of the last
 * look that still showed it: both are on the safe side, as a renewal begins before anybody can see it. Time in which the
 * observer itself did not look does not count: after a directory has hung for everybody, nobody declares anybody failed
 * before having watched for a whole timeout again. A new observer knows nothing and watches for a whole timeout first.
 */
import type { Lease } from './leases.js';

interface Seen {
  lease: Lease;
  /** Time that counts: watched without a new sequence number, ms. */
  quietMs: number;
  /** Up to when it is counted: the end of the look that first showed it, then the beginning of each later one. */
  countedMs: number;
  /** A renewal was seen, not only a lease that lay there. */
  isRenewing: boolean;
}

/** One listing of the leases, with the observer's monotonic time before and after it. */
export interface Look {
  leases: ReadonlyMap<string, Lease>;
  beganMs: number;
  endedMs: number;
}

export class LeaseObserver {
  private readonly seen = new Map<string, Seen>();

  /** @param maxGapMs longest time from look to look that counts as watched, a few lease intervals; beyond it watching begins anew */
  constructor(public maxGapMs: number) {}

  look({ leases, beganMs, endedMs }: Look): void {
    for (const [node, lease] of leases) {
      const known = this.seen.get(node);
      // Two agents of one name, or a directory set back: whatever differs is a sign of life.
      if (known === undefined || known.lease.seq !== lease.seq) {
        this.seen.set(node, { lease, quietMs: 0, countedMs: endedMs, isRenewing: known !== undefined });
        continue;
      }
      // A look that came late, or hung: what happened meanwhile was not watched, and may have happened to all.
      if (endedMs - known.countedMs > this.maxGapMs) {
        known.quietMs = 0;
        known.countedMs = endedMs;
        continue;
      }
      // From the beginning of each look to that of the next, so that slow looks lose no time.
      known.quietMs += Math.max(0, beganMs - known.countedMs);
      known.countedMs = Math.max(known.countedMs, beganMs);
    }
    for (const node of this.seen.keys()) if (!leases.has(node)) this.seen.delete(node);
  }

  /** The newest lease seen, if any. */
  lease(node: string): Lease | undefined {
    return this.seen.get(node)?.lease;
  }

  leases(): Iterable<Lease> {
    return [...this.seen.values()].map(({ lease }) => lease);
  }

  /** For how long the node's lease was watched without a renewal, ms; 0 for a node without a lease. */
  quietMs(node: string): number {
    return this.seen.get(node)?.quietMs ?? 0;
  }

  /** Whether the lease was watched for `timeoutMs` without a renewal. */
  isLapsed(node: string, timeoutMs: number): boolean {
    return this.quietMs(node) >= timeoutMs && this.seen.has(node);
  }

  /** Whether a renewal was seen since watching began: a lease that lies there may be of an agent long dead. */
  isRenewing(node: string): boolean {
    return this.seen.get(node)?.isRenewing ?? false;
  }
}
