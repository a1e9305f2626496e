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
  /** End of the look that counted last. */
  countedMs: number;
  /** Time watched during which it was renewed at least once per timeout, ms; for the hold-down of failback. */
  upMs: number;
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

  /** @param maxGapMs longest time between two looks that counts as watched; a few lease intervals */
  constructor(public maxGapMs: number) {}

  look({ leases, beganMs, endedMs }: Look): void {
    for (const [node, lease] of leases) {
      const known = this.seen.get(node);
      // Two agents of one name, or a directory set back: whatever differs is a sign of life.
      if (known === undefined || known.lease.seq !== lease.seq) {
        const gapMs = known === undefined ? 0 : Math.min(endedMs - known.countedMs, this.maxGapMs);
        const upMs = known === undefined || known.lease.applied === null ? 0 : known.upMs + gapMs;
        this.seen.set(node, { lease, quietMs: 0, countedMs: endedMs, upMs, isRenewing: known !== undefined });
        continue;
      }
      const gapMs = Math.max(0, beganMs - known.countedMs);
      known.quietMs += Math.min(gapMs, this.maxGapMs);
      known.upMs += Math.min(gapMs, this.maxGapMs);
      known.countedMs = endedMs;
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

  /** For how long it has been up, as far as this observer watched, ms. Begins anew when `forget` is called. */
  upMs(node: string): number {
    return this.seen.get(node)?.upMs ?? 0;
  }

  /** Begins counting `upMs` of a node anew: it lapsed, failed, or changed its state. */
  restartUp(node: string): void {
    const known = this.seen.get(node);
    if (known !== undefined) known.upMs = 0;
  }
}
