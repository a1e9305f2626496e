/**
 * The other nodes, as their leases show them to this agent: who is quiet for how long, and who is clear for a volume
 * (ownership.ts). Looks cost one listing; content is read only of a lease that is about to count as lapsed.
 */
import { type Lease, leaseInfo, listLeases } from '../membership/leases.js';
import { LeaseObserver } from '../membership/observer.js';
import { settingOf } from '../model/settings.js';
import type { Platform } from '../platform/platform.js';
import type { Snapshot } from '../store/store.js';
import type { Moves } from './moves.js';
import { type Clearance, clearance, couldRun } from './ownership.js';

/** Looks further apart than this many lease intervals do not count as watching. */
const GAP_INTERVALS = 3;

export class Peers {
  readonly observer: LeaseObserver;
  private newest: ReadonlyMap<string, Lease> = new Map();
  /** What the newest leases of quiet nodes say of their time limit; read once each. */
  private readonly limits = new Map<string, { seq: number; timeoutMs: number | null }>();
  /** Former values of lease.timeout, with the generation that ended each. */
  private formerTimeouts: { until: number; timeoutMs: number }[] = [];
  private timeoutMs = 0;
  private lookedMs = Number.NEGATIVE_INFINITY;

  constructor(
    private readonly platform: Platform,
    /** Path of leases/. */
    private readonly dir: string,
    private readonly node: string,
    snapshot: Snapshot,
  ) {
    this.observer = new LeaseObserver(GAP_INTERVALS * settingOf(snapshot, 'lease.interval'));
    this.follow(snapshot);
  }

  /** Takes in the settings of a new generation. */
  follow(snapshot: Snapshot): void {
    const timeoutMs = settingOf(snapshot, 'lease.timeout');
    this.observer.maxGapMs = GAP_INTERVALS * settingOf(snapshot, 'lease.interval');
    if (this.timeoutMs !== 0 && timeoutMs !== this.timeoutMs) {
      this.formerTimeouts = this.formerTimeouts.slice(-20);
      this.formerTimeouts.push({ until: snapshot.generation, timeoutMs: this.timeoutMs });
    }
    this.timeoutMs = timeoutMs;
  }

  /** One listing. @throws SystemCallError */
  look(): ReadonlyMap<string, Lease> {
    const { clock } = this.platform;
    const beganMs = clock.monotonicMs();
    const leases = listLeases(this.platform, this.dir);
    const endedMs = clock.monotonicMs();
    this.observer.look({ leases, beganMs, endedMs });
    this.newest = leases;
    this.lookedMs = beganMs;
    for (const node of this.limits.keys()) if (!leases.has(node)) this.limits.delete(node);
    return leases;
  }

  /** When the last look began, by the monotonic clock. */
  get lastLookMs(): number {
    return this.lookedMs;
  }

  lease(node: string): Lease | undefined {
    return this.newest.get(node);
  }

  leases(): Iterable<Lease> {
    return this.newest.values();
  }

  /**
   * After how long without a renewal the node has surely fenced itself, ms. Normally lease.timeout. A node that may not have seen
   * its last change yet is given the larger value; the node's own lease says which it counts with, if it could be written.
   */
  timeoutOf(node: string): number {
    const lease = this.newest.get(node);
    if (lease === undefined) return this.timeoutMs;
    let timeoutMs = this.timeoutMs;
    for (const former of this.formerTimeouts) {
      if (former.until > lease.released) timeoutMs = Math.max(timeoutMs, former.timeoutMs);
    }
    if (this.observer.quietMs(node) < timeoutMs) return timeoutMs;
    let limit = this.limits.get(node);
    if (limit?.seq !== lease.seq) {
      limit = { seq: lease.seq, timeoutMs: leaseInfo(this.platform, this.dir, lease)?.timeoutMs ?? null };
      this.limits.set(node, limit);
    }
    return Math.max(timeoutMs, limit.timeoutMs ?? 0);
  }

  /** Whether this agent has itself watched the node's lease for its whole time without a renewal. */
  isLapsed(node: string): boolean {
    return this.observer.isLapsed(node, this.timeoutOf(node));
  }

  /** How the node is clear for a volume of epoch `epoch`, or null. */
  clearanceOf(node: string, epoch: number, snapshot: Snapshot): Clearance | null {
    const membership = snapshot.table('membership').get(node);
    return clearance(
      {
        lease: this.newest.get(node),
        failedAt: membership?.state === 'failed' ? membership.lease : undefined,
        isLapsed: this.isLapsed(node),
        trustsSelfFencing: settingOf(snapshot, 'fencing.policy') === 'optional',
      },
      epoch,
    );
  }

  /** The nodes that may still run a volume that this node is to start: none, and it may. */
  inTheWay(volume: string, epoch: number, moves: Moves, snapshot: Snapshot): string[] {
    const nodes: string[] = [];
    for (const { node, released } of this.newest.values()) {
      if (node === this.node || released >= epoch) continue;
      if (!couldRun(node, released, moves.of(volume), moves.knownFrom)) continue;
      if (this.clearanceOf(node, epoch, snapshot) === null) nodes.push(node);
    }
    return nodes;
  }

  /** The oldest generation that some node has not released yet: older moves need not be remembered. */
  leastReleased(): number {
    let least = Number.MAX_SAFE_INTEGER;
    for (const { released, applied } of this.newest.values()) {
      if (applied !== null && released < least) least = released;
    }
    return least;
  }
}
