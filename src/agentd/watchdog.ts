/**
 * When the supervisor must stop what the node runs: decisions only, with the time passed in (DESIGN.md, "Membership and
 * failover"). The worker tells of each renewal when it began. Others may take over lease.timeout after they saw that renewal, so
 * everything is stopped before, counted from its beginning:
 *
 *   began ────────────────────── 0.7 T: fence ───────── 0.95 T: all is stopped ── T: others may take over, at the earliest
 *
 * Two clocks: CLOCK_MONOTONIC, which supervisor and worker share and which stands still while the machine sleeps, and the time
 * since boot, which does not. What the second gained on the first, the machine slept: a renewal from before counts as older by
 * that much. Nothing helps against what a machine does in the moment after it wakes: only a fencing command does.
 */
import type { Holding } from '../core/agent/ports.js';

/** Part of lease.timeout after which the supervisor fences, and by which everything must be stopped. */
export const FENCE_AT = 0.7;
export const FENCED_BY = 0.95;

/** How late a look may be before what is waiting in the channel is read first, ms. */
const LATE_MS = 20;
/** A smaller gain of the boot clock is its resolution (10 ms), not sleep. */
const SLEPT_MS = 50;
/** What a worker that has told of holdings but of no renewal gets, ms: 0.7 of the default lease.timeout. */
const FIRST_RENEWAL_MS = 7000;
/** Between looks while something is held: sleep of the machine is noticed so much later at most. */
const MAX_WAIT_MS = 250;

export interface Now {
  /** CLOCK_MONOTONIC, ms. */
  monotonicMs: number;
  /** CLOCK_BOOTTIME, ms; null where the system does not tell. */
  bootMs: number | null;
}

export type Verdict =
  /** Nothing to be done before this monotonic time; null: nothing at all until something is told. */
  | { kind: 'wait'; untilMs: number | null }
  /**
   * The time is over, but this look itself came late: read what the worker may have told meanwhile, then look again at once.
   * A renewal read so is as good as one read in time: it says itself when it began, and must have begun before the deadline.
   */
  | { kind: 'read' }
  /** Kill the worker and stop everything, by `byMs` (monotonic). */
  | { kind: 'fence'; why: string; byMs: number };

export class Watchdog {
  private lease: { beganMs: number; timeoutMs: number } | null = null;
  private readonly held = new Map<string, Holding>();
  /** Since when something is held without any renewal. */
  private unrenewedMs: number | null = null;
  private hasRead = false;
  /**
   * The lease was renewed so long after its deadline, with something held: everything stood still, supervisor and worker. The
   * renewal is no excuse: others may have taken over before it.
   */
  private lapsed: number | null = null;
  private offsetMs: number | null = null;
  /** The machine slept: seen at this monotonic time, for so long. */
  private slept: { seenMs: number; ms: number } | null = null;

  get holdings(): Holding[] {
    return [...this.held.values()];
  }

  /** The renewal that counts; null: none by this worker. */
  get renewal(): { beganMs: number; timeoutMs: number } | null {
    return this.lease;
  }

  /** When it fences without another renewal, monotonic ms; null: nothing to fear. */
  get deadlineMs(): number | null {
    if (this.lease !== null) return this.lease.beganMs + FENCE_AT * this.lease.timeoutMs;
    return this.unrenewedMs === null ? null : this.unrenewedMs + FIRST_RENEWAL_MS;
  }

  /** Another worker begins: the renewals of the former say nothing of it. */
  workerStarts(): void {
    this.lease = null;
    this.unrenewedMs = null;
    this.hasRead = false;
    this.lapsed = null;
  }

  /** It ended in order, and its lease says so. */
  workerLeft(): void {
    this.workerStarts();
  }

  renewed(beganMs: number, timeoutMs: number, now: Now): void {
    this.notice(now);
    const asleep = this.slept !== null && beganMs <= this.slept.seenMs ? this.slept.ms : 0;
    const began = Math.min(beganMs, now.monotonicMs) - asleep;
    if (this.lease !== null && began < this.lease.beganMs) return;
    const deadline = this.deadlineMs;
    if (this.held.size > 0 && deadline !== null && began > deadline) this.lapsed ??= began - deadline;
    this.lease = { beganMs: began, timeoutMs };
    this.unrenewedMs = null;
  }

  holds(holding: Holding, now: Now): void {
    this.held.set(holding.volume, holding);
    if (this.lease === null) this.unrenewedMs ??= now.monotonicMs;
  }

  released(volume: string): void {
    this.held.delete(volume);
    if (this.held.size === 0) this.unrenewedMs = null;
  }

  look(now: Now): Verdict {
    this.notice(now);
    const deadline = this.deadlineMs;
    if (deadline === null) return { kind: 'wait', untilMs: null };
    if (this.lapsed !== null) return { kind: 'fence', why: this.why(now), byMs: now.monotonicMs };
    const late = now.monotonicMs - deadline;
    if (late < 0) {
      this.hasRead = false;
      const soon = this.held.size === 0 ? deadline : Math.min(deadline, now.monotonicMs + MAX_WAIT_MS);
      return { kind: 'wait', untilMs: soon };
    }
    if (late > LATE_MS && !this.hasRead) {
      this.hasRead = true;
      return { kind: 'read' };
    }
    return { kind: 'fence', why: this.why(now), byMs: this.stopByMs(now) };
  }

  /**
   * Until when everything must be stopped, monotonic ms. Where that is over already there is a tenth of the timeout left to
   * try, since stopping late is better than not at all.
   */
  stopByMs(now: Now): number {
    const { beganMs, timeoutMs } = this.lease ?? { beganMs: now.monotonicMs, timeoutMs: FIRST_RENEWAL_MS };
    return Math.max(beganMs + FENCED_BY * timeoutMs, now.monotonicMs + timeoutMs / 10);
  }

  private why(now: Now): string {
    const asleep =
      this.slept === null || now.monotonicMs - this.slept.seenMs > 1000
        ? ''
        : `; the machine slept for ${ms(this.slept.ms)}`;
    if (this.lease === null) return `the worker holds volumes and has not renewed its lease in ${ms(FIRST_RENEWAL_MS)}`;
    if (this.lapsed !== null)
      return `the lease was renewed ${ms(this.lapsed)} after its deadline: others may have taken over before${asleep}`;
    const { beganMs, timeoutMs } = this.lease;
    return `the last renewal of the lease began ${ms(now.monotonicMs - beganMs)} ago, lease.timeout is ${ms(timeoutMs)}${asleep}`;
  }

  /** Sees whether the machine slept since the last look. */
  private notice({ monotonicMs, bootMs }: Now): void {
    if (bootMs === null) return;
    const offset = bootMs - monotonicMs;
    const gain = this.offsetMs === null ? 0 : offset - this.offsetMs;
    if (this.offsetMs === null || gain < 0) this.offsetMs = offset;
    if (gain <= SLEPT_MS) return;
    this.offsetMs = offset;
    this.slept = { seenMs: monotonicMs, ms: gain };
    if (this.lease !== null) this.lease = { ...this.lease, beganMs: this.lease.beganMs - gain };
    if (this.unrenewedMs !== null) this.unrenewedMs -= gain;
  }
}

function ms(value: number): string {
  return value < 10_000 ? `${Math.round(value)} ms` : `${Math.round(value / 1000)} s`;
}
