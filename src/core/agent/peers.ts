/**
 * The other nodes, as their leases show them to this agent: who is quiet for how long, and who is clear for a volume
 * (ownership.ts). A look costs one listing; what stands in the leases is not read.
 */
import { type Lease, listLeases } from '../membership/leases.js';
import { LeaseObserver } from '../membership/observer.js';
import { failedAt } from '../membership/records.js';
import { leaseTimeout } from '../membership/timeout.js';
import { settingOf } from '../model/settings.js';
import type { Platform } from '../platform/platform.js';
import type { Snapshot } from '../store/store.js';
import type { Moves } from './moves.js';
import { type Clearance, clearance, couldRun } from './ownership.js';
import type { AgentStatus } from './ports.js';

/** Looks further apart than this many lease intervals do not count as watching. */
const GAP_INTERVALS = 3;

export class Peers {
  readonly observer: LeaseObserver;
  private newest: ReadonlyMap<string, Lease> = new Map();
  private looks = 0;
  private lookedMs = Number.NEGATIVE_INFINITY;

  constructor(
    private readonly platform: Platform,
    /** Path of leases/. */
    private readonly dir: string,
    private readonly node: string,
    private snapshot: Snapshot,
  ) {
    this.observer = new LeaseObserver(GAP_INTERVALS * settingOf(snapshot, 'lease.interval'));
  }

  /** Takes in the settings of a new generation. */
  follow(snapshot: Snapshot): void {
    this.snapshot = snapshot;
    this.observer.maxGapMs = GAP_INTERVALS * settingOf(snapshot, 'lease.interval');
  }

  /** One listing. @throws SystemCallError */
  look(): ReadonlyMap<string, Lease> {
    const { clock } = this.platform;
    const beganMs = clock.monotonicMs();
    const leases = listLeases(this.platform, this.dir);
    const endedMs = clock.monotonicMs();
    this.keepMissing(leases);
    this.looks += 1;
    this.observer.look({ leases, beganMs, endedMs });
    this.newest = leases;
    this.lookedMs = beganMs;
    return leases;
  }

  /**
   * A listing can miss a name that is made while it goes on. A lease once seen counts on, as one that is quiet; of a node that is
   * no member any more it is forgotten in time.
   */
  private keepMissing(leases: Map<string, Lease>): void {
    for (const [node, lease] of this.newest) {
      if (leases.has(node)) continue;
      if (this.isLapsed(node) && !this.snapshot.table('nodes').has(node)) continue;
      leases.set(node, lease);
    }
  }

  /** Whether the leases were looked at more than once: what one look has missed another one shows. */
  get hasLookedTwice(): boolean {
    return this.looks >= 2;
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

  /** After how long without a renewal the node has surely fenced itself, ms (timeout.ts). */
  timeoutOf(node: string): number {
    return leaseTimeout(this.snapshot, this.newest.get(node));
  }

  /** Whether this agent has itself watched the node's lease for its whole time without a renewal. */
  isLapsed(node: string): boolean {
    return this.observer.isLapsed(node, this.timeoutOf(node));
  }

  /** In how many ms, at the earliest, a lease that is overdue would have lapsed; Infinity: none is overdue. */
  untilLapse(intervalMs: number): number {
    let least = Number.POSITIVE_INFINITY;
    for (const { node } of this.newest.values()) {
      const quietMs = this.observer.quietMs(node);
      if (quietMs < 2 * intervalMs) continue;
      const leftMs = this.timeoutOf(node) - quietMs;
      if (leftMs > 0) least = Math.min(least, leftMs);
    }
    return least;
  }

  /** How the node is clear for a volume of epoch `epoch`, or null. */
  clearanceOf(node: string, epoch: number): Clearance | null {
    return clearance(
      {
        lease: this.newest.get(node),
        failedAt: failedAt(this.snapshot, node),
        isLapsed: this.isLapsed(node),
        trustsSelfFencing: settingOf(this.snapshot, 'fencing.policy') === 'optional',
      },
      epoch,
    );
  }

  /** The nodes that may still run a volume that this node is to start: none, and it may. */
  inTheWay(volume: string, epoch: number, moves: Moves): string[] {
    const nodes: string[] = [];
    for (const { node, released } of this.newest.values()) {
      if (node === this.node || released >= epoch) continue;
      if (!couldRun(node, released, moves.of(volume), moves.knownFrom)) continue;
      if (this.clearanceOf(node, epoch) === null) nodes.push(node);
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

  /** The newest generation that any lease acknowledges, this node's own included: the newest there is cannot be older. */
  mostReleased(): number {
    let most = 0;
    for (const { released } of this.newest.values()) if (released > most) most = released;
    return most;
  }

  /** What this agent knows of the nodes, for its status. */
  status(): AgentStatus['nodes'] {
    return [...this.newest.values()].map(({ node, seq, released, applied }) => {
      return { node, seq, released, applied, quietMs: Math.round(this.observer.quietMs(node)) };
    });
  }
}
