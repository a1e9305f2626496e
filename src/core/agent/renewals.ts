/**
 * When this node renews its lease, what it acknowledges by it, and what follows from that: until when it may start volumes, and
 * what the supervisor is told. By the monotonic clock of this host alone.
 *
 * The order of things where the setting lease.timeout changes. It becomes longer: the lease says so first, the supervisor is told
 * after it, so that others wait longer before this node does. It becomes shorter: the supervisor is told first, and only the
 * renewal after that acknowledges the generation, so that this node fences earlier before others wait less.
 */

import type { Lease } from '../membership/leases.js';
import { settingOf } from '../model/settings.js';
import type { Clock } from '../platform/clock.js';
import type { Snapshot } from '../store/store.js';
import type { OwnLease } from './own-lease.js';
import type { Supervisor } from './ports.js';

/** The part of lease.timeout after whose end the node fences itself; others wait for all of it. */
export const FENCE_SHARE = 0.7;
/** Acknowledgements that follow each other closer than this are made by one renewal. */
const LONGEST_ACK_PAUSE_MS = 100;

interface Acknowledged {
  released: number;
  applied: number;
}

export class Renewals {
  private intervalMs = 0;
  private timeoutMs = 0;
  /** What the supervisor counts with; 0: it was told of no renewal yet. */
  private toldMs = 0;
  private beganMs = Number.NEGATIVE_INFINITY;
  private dueMs = Number.NEGATIVE_INFINITY;
  /** A renewal has failed: not again before. */
  private retryMs = Number.NEGATIVE_INFINITY;
  private readonly acknowledging: Acknowledged = { released: -1, applied: 0 };
  private published: Acknowledged = { released: -1, applied: 0 };
  /** What an earlier agent of this node has acknowledged: this one never says less. */
  private floor = 0;
  private isMuted = false;
  private hasNews = false;
  /** End of the first renewal of an unbroken row, and its sequence number. */
  private firstMs: number | null = null;
  private firstSeqOfRow = 0;
  /** The head was read since then, late enough to show a takeover that was under way when the row began. */
  private isSettled = false;
  /** Until when another agent of this node, on another host, may still run something; by the clock. */
  private formerUntilMs = Number.NEGATIVE_INFINITY;

  constructor(
    readonly lease: OwnLease,
    private readonly clock: Clock,
    private readonly supervisor: Pick<Supervisor, 'renewed'>,
  ) {}

  get seq(): number {
    return this.lease.seq;
  }

  /** Number of the first renewal of the unbroken row that goes on; whoever was found gone by an earlier one was gone. 0: none yet. */
  get firstSeq(): number {
    return this.firstSeqOfRow;
  }

  /** Takes in the settings of a new generation. */
  follow(snapshot: Snapshot): void {
    this.intervalMs = settingOf(snapshot, 'lease.interval');
    this.timeoutMs = settingOf(snapshot, 'lease.timeout');
  }

  /** What an earlier agent left: its acknowledgement holds on, and what it may still run is waited for. */
  succeed(released: number, runsUntilMs: number): void {
    this.floor = released;
    this.formerUntilMs = runsUntilMs;
  }

  /** The node runs nothing that this generation does not give it. Ignored below what was said before. */
  released(generation: number): void {
    if (generation >= this.floor) this.acknowledging.released = Math.max(this.acknowledging.released, generation);
  }

  /** The node runs all that this generation gives it. */
  applied(generation: number): void {
    this.acknowledging.applied = Math.min(generation, this.acknowledging.released);
  }

  /** What stands in the lease, beside its name, has changed and is waited for. */
  tellSoon(): void {
    this.hasNews = true;
  }

  /** As published in the lease. */
  acknowledged(): Acknowledged {
    return { released: Math.max(0, this.published.released), applied: this.published.applied };
  }

  isDue(): boolean {
    return this.canRenew() && this.clock.monotonicMs() >= this.dueMs;
  }

  /** More is to be acknowledged than the lease says, and not too soon after the last time. */
  isBehind(): boolean {
    return this.canRenew() && this.hasMore() && this.clock.monotonicMs() >= this.ackDueMs();
  }

  nextDueMs(): number {
    if (!this.canRenew()) return Number.POSITIVE_INFINITY;
    return this.hasMore() ? Math.min(this.dueMs, this.ackDueMs()) : this.dueMs;
  }

  /** When the head is to be read so that starts are allowed as early as possible; Infinity: no matter. */
  headDueMs(): number {
    return this.firstMs === null || this.isSettled ? Number.POSITIVE_INFINITY : this.firstMs + this.intervalMs;
  }

  /** @throws SystemCallError when it was not renewed; it is tried again sooner than usual */
  renew(problems: string[], behind: readonly string[] | null = null): { isDiskFull: boolean } {
    const isShorter = this.timeoutMs < this.toldMs;
    this.dueMs = this.clock.monotonicMs() + this.intervalMs / 4;
    // Until it succeeds: what is to be acknowledged is no reason to try more often.
    this.retryMs = this.dueMs;
    const next: Acknowledged = isShorter ? this.published : { ...this.acknowledging };
    const { beganMs, isDiskFull } = this.lease.renew(next, Math.max(this.timeoutMs, this.toldMs), problems, behind);
    if (beganMs - this.beganMs >= FENCE_SHARE * Math.max(this.toldMs, 1)) this.begin();
    this.beganMs = beganMs;
    this.dueMs = beganMs + this.intervalMs;
    this.retryMs = Number.NEGATIVE_INFINITY;
    this.published = next;
    this.hasNews = false;
    this.toldMs = this.timeoutMs;
    this.supervisor.renewed(beganMs, this.timeoutMs);
    return { isDiskFull };
  }

  /** Lets the lease go: it is renewed no more. */
  mute(): void {
    this.isMuted = true;
  }

  /** The last lease: this node runs nothing, and will not. @throws SystemCallError */
  leave(): void {
    if (this.isMuted || this.published.released < 0) return;
    this.lease.renew({ released: this.acknowledging.released, applied: null }, this.timeoutMs, []);
    this.mute();
  }

  /** Whether the own lease is so fresh that nobody may take over yet. */
  isLive(): boolean {
    return this.clock.monotonicMs() < this.freshUntilMs();
  }

  /** @throws Error when it is not fresh any more while something runs: the supervisor fences now, and so must this process end */
  checkFresh(holdsAnything: boolean): void {
    if (!holdsAnything || this.toldMs === 0 || this.isLive()) return;
    const quietMs = Math.round(this.clock.monotonicMs() - this.beganMs);
    throw new Error(`the lease was not renewed for ${quietMs} ms: what runs here is given up`);
  }

  /** The newest generation was read, beginning at this time. */
  headWasRead(beganMs: number): void {
    if (this.firstMs !== null && beganMs >= this.firstMs + this.intervalMs) this.isSettled = true;
  }

  /** Why nothing can be started now, by the own lease; null: it can. */
  startObstacle(): string | null {
    if (!this.isLive()) return 'the own lease is not fresh';
    if (!this.isSettled) return 'this agent came up a moment ago';
    if (this.clock.monotonicMs() < this.formerUntilMs) return 'another agent of this name may still run it';
    return null;
  }

  rivalIn(leases: ReadonlyMap<string, Lease>): number | null {
    return this.lease.rivalIn(leases);
  }

  private begin(): void {
    this.firstMs = this.clock.monotonicMs();
    this.firstSeqOfRow = this.lease.seq;
    this.isSettled = false;
  }

  private freshUntilMs(): number {
    return this.beganMs + FENCE_SHARE * this.toldMs;
  }

  private canRenew(): boolean {
    return !this.isMuted && this.acknowledging.released >= 0;
  }

  private hasMore(): boolean {
    const { released, applied } = this.acknowledging;
    return this.hasNews || released > this.published.released || applied > this.published.applied;
  }

  private ackDueMs(): number {
    return Math.max(this.retryMs, this.beganMs + Math.min(LONGEST_ACK_PAUSE_MS, this.intervalMs / 4));
  }
}
