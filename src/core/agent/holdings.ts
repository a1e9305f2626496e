/**
 * What runs on this node, and what the driver is doing about it: the starts and stops in flight, and those to be tried again.
 *
 *   (nothing) --start--> starting --ok--> running --no longer ours--> stopping --ok--> (nothing)
 *                            `--failed--> stopping (what was half started) --ok--> (nothing; started again after a pause)
 *                                             `--failed--> stopping again after a pause
 *
 * A volume is held from just before the driver is asked to start it until the driver has stopped it for certain; the supervisor
 * knows of it for at least as long. One call per volume at a time. Stops go first.
 */
import type { Clock } from '../platform/clock.js';
import { messageOf } from './guard.js';
import type { Driver, Holding, Log, Supervisor } from './ports.js';

type Phase = 'starting' | 'running' | 'stopping' | 'unstopped';

interface Held extends Holding {
  phase: Phase;
  /** Failed attempts to stop it. */
  failures: number;
  retryMs: number;
  /** Since when it should not run here, by the monotonic clock; null: it should. */
  unwantedMs: number | null;
  why: string | null;
}

interface FailedStart {
  epoch: number;
  failures: number;
  retryMs: number;
  why: string;
}

export interface VolumeStatus {
  volume: string;
  epoch: number;
  state: 'running' | 'starting' | 'stopping' | 'waiting' | 'failed';
  why: string | null;
}

export interface HoldingsOptions {
  driver: Driver;
  supervisor: Pick<Supervisor, 'holds' | 'released'>;
  clock: Clock;
  log: Log;
  parallelStarts: number;
  parallelStops: number;
  /** Something was started or stopped, or could not be. */
  onEvent: (event: 'volume-started' | 'volume-stopped' | 'volume-failed', holding: Holding, why: string | null) => void;
  /** A driver call has ended: look again. */
  wake: () => void;
}

const FIRST_PAUSE_MS = 1000;
const LONGEST_START_PAUSE_MS = 60_000;
const LONGEST_STOP_PAUSE_MS = 10_000;

/** A stop that only waits for its turn. */
const WHEN_WOKEN = 0;

export class Holdings {
  private readonly held = new Map<string, Held>();
  private readonly failedStarts = new Map<string, FailedStart>();
  private waiting: VolumeStatus[] = [];
  private starts = 0;
  private stops = 0;

  constructor(private readonly options: HoldingsOptions) {}

  /**
   * Begins what is to be done: stops what is not desired with this epoch, then starts what is, so far as `obstacle` lets it.
   * @param obstacle why a volume cannot be started now, a sentence; null: it can
   */
  step(desired: ReadonlyMap<string, number>, obstacle: (volume: string, epoch: number) => string | null): void {
    const nowMs = this.options.clock.monotonicMs();
    for (const held of this.held.values()) {
      if (desired.get(held.volume) === held.epoch) held.unwantedMs = null;
      else held.unwantedMs ??= nowMs;
      const isDue = held.phase === 'unstopped' && nowMs >= held.retryMs;
      if ((held.phase === 'running' && held.unwantedMs !== null) || isDue) this.stop(held);
    }
    for (const [volume, failed] of this.failedStarts) {
      if (desired.get(volume) !== failed.epoch) this.failedStarts.delete(volume);
    }
    this.waiting = [];
    for (const [volume, epoch] of desired) {
      if (this.held.has(volume)) continue;
      const failed = this.failedStarts.get(volume);
      if (failed !== undefined && nowMs < failed.retryMs) {
        this.waiting.push({ volume, epoch, state: 'failed', why: failed.why });
        continue;
      }
      const why = this.starts >= this.options.parallelStarts ? 'others are being started' : obstacle(volume, epoch);
      if (why === null) this.start({ volume, epoch });
      else this.waiting.push({ volume, epoch, state: 'waiting', why });
    }
  }

  /** Nothing is held that is not desired with its epoch: what `released` acknowledges. */
  hasReleased(desired: ReadonlyMap<string, number>): boolean {
    for (const { volume, epoch } of this.held.values()) if (desired.get(volume) !== epoch) return false;
    return true;
  }

  /** Nothing else is held, and all that is desired runs: what `applied` acknowledges. */
  hasApplied(desired: ReadonlyMap<string, number>): boolean {
    if (this.held.size !== desired.size) return false;
    for (const { volume, epoch, phase } of this.held.values()) {
      if (phase !== 'running' || desired.get(volume) !== epoch) return false;
    }
    return true;
  }

  /** All that is desired is held, in whatever state. */
  hasAll(desired: ReadonlyMap<string, number>): boolean {
    for (const volume of desired.keys()) if (!this.held.has(volume)) return false;
    return true;
  }

  get isEmpty(): boolean {
    return this.held.size === 0;
  }

  /** For how long something has been held that should not be, ms; 0: nothing. */
  longestUnwantedMs(): number {
    let longest = 0;
    const nowMs = this.options.clock.monotonicMs();
    for (const { unwantedMs } of this.held.values()) {
      if (unwantedMs !== null) longest = Math.max(longest, nowMs - unwantedMs);
    }
    return longest;
  }

  /** When something is to be tried again, by the monotonic clock; Infinity: nothing. */
  nextRetryMs(): number {
    let next = Number.POSITIVE_INFINITY;
    for (const { phase, retryMs } of this.held.values()) {
      if (phase === 'unstopped' && retryMs !== WHEN_WOKEN) next = Math.min(next, retryMs);
    }
    for (const [volume, { retryMs }] of this.failedStarts) {
      if (!this.held.has(volume)) next = Math.min(next, retryMs);
    }
    return next;
  }

  /** Whether something desired waits for other nodes: they are to be looked at again. */
  get isWaiting(): boolean {
    return this.waiting.length > 0;
  }

  status(): VolumeStatus[] {
    const running = [...this.held.values()].map(({ volume, epoch, phase, why }): VolumeStatus => {
      return { volume, epoch, state: phase === 'unstopped' ? 'failed' : phase, why };
    });
    return [...running, ...this.waiting];
  }

  /** A sentence for each volume that could not be started or stopped. */
  problems(): string[] {
    const says: string[] = [];
    for (const { volume, why } of this.held.values()) if (why !== null) says.push(`volume ${volume}: ${why}`);
    for (const [volume, { why }] of this.failedStarts) {
      if (!this.held.has(volume)) says.push(`volume ${volume}: ${why}`);
    }
    return says;
  }

  private start({ volume, epoch }: Holding): void {
    const { driver, supervisor, log } = this.options;
    const held: Held = { volume, epoch, phase: 'starting', failures: 0, retryMs: 0, unwantedMs: null, why: null };
    this.held.set(volume, held);
    this.starts += 1;
    supervisor.holds({ volume, epoch });
    log.info({ volume, epoch }, `starting volume ${volume}`);
    settle(
      () => driver.start({ volume, epoch }),
      (error) => {
        this.starts -= 1;
        if (error === null) {
          held.phase = 'running';
          this.failedStarts.delete(volume);
          this.options.onEvent('volume-started', { volume, epoch }, null);
        } else {
          this.startFailed(held, messageOf(error));
        }
        this.options.wake();
      },
    );
  }

  /** What was half started is stopped before anything else: until then it counts as running. */
  private startFailed(held: Held, says: string): void {
    const { volume, epoch } = held;
    const former = this.failedStarts.get(volume);
    const failures = former?.epoch === epoch ? former.failures + 1 : 1;
    const pauseMs = pauseOf(failures, LONGEST_START_PAUSE_MS);
    const why = `cannot be started: ${says}`;
    this.failedStarts.set(volume, { epoch, failures, retryMs: this.options.clock.monotonicMs() + pauseMs, why });
    this.options.log.error({ volume, epoch, failures, retryInMs: pauseMs }, `volume ${volume} ${why}`);
    if (failures === 1) this.options.onEvent('volume-failed', { volume, epoch }, why);
    held.why = why;
    this.stop(held);
  }

  private stop(held: Held): void {
    const { driver, supervisor, log, clock, parallelStops } = this.options;
    const { volume, epoch } = held;
    if (this.stops >= parallelStops) {
      // Its turn comes when one of the others has ended, which wakes the agent.
      held.phase = 'unstopped';
      held.retryMs = WHEN_WOKEN;
      return;
    }
    const wasStarted = held.phase !== 'starting';
    held.phase = 'stopping';
    this.stops += 1;
    log.info({ volume, epoch }, `stopping volume ${volume}`);
    settle(
      () => driver.stop({ volume, epoch }),
      (error) => {
        this.stops -= 1;
        if (error === null) {
          this.held.delete(volume);
          supervisor.released(volume);
          if (wasStarted) this.options.onEvent('volume-stopped', { volume, epoch }, null);
        } else {
          held.phase = 'unstopped';
          held.failures += 1;
          held.why = `cannot be stopped: ${messageOf(error)}`;
          const pauseMs = pauseOf(held.failures, LONGEST_STOP_PAUSE_MS);
          held.retryMs = clock.monotonicMs() + pauseMs;
          log.error({ volume, epoch, failures: held.failures, retryInMs: pauseMs }, `volume ${volume} ${held.why}`);
          if (held.failures === 1) this.options.onEvent('volume-failed', { volume, epoch }, held.why);
        }
        this.options.wake();
      },
    );
  }
}

function pauseOf(failures: number, longestMs: number): number {
  return Math.min(longestMs, FIRST_PAUSE_MS * 2 ** Math.min(failures - 1, 20));
}

/** Runs a call that may throw at once or later; tells its end in either case. */
function settle(call: () => Promise<void>, done: (error: unknown) => void): void {
  let result: Promise<void>;
  try {
    result = call();
  } catch (error) {
    result = Promise.reject(error);
  }
  result.then(
    () => done(null),
    (error: unknown) => done(error ?? new Error('no reason given')),
  );
}
