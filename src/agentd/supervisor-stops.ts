/** Stops what the node runs, all of it at once, again and again until each is stopped for certain. */
import type { Driver, Holding, Log } from '../core/agent/ports.js';

export interface StopsOptions {
  driver: Pick<Driver, 'stop'>;
  log: Log;
  /** For the log; default: `could not be stopped`. */
  notStopped?: string;
  onStopped: (holding: Holding) => void;
  /** Stops at one time; default 64. */
  parallel?: number;
  /** Pause before the second attempt, ms, doubled up to half a minute; default 250. */
  retryMs?: number;
}

export interface NotStopped extends Holding {
  why: string;
  attempts: number;
}

const LONGEST_PAUSE_MS = 30_000;

export class Stops {
  private readonly pending = new Map<string, NotStopped>();
  private readonly queue: Holding[] = [];
  private readonly timers = new Set<NodeJS.Timeout>();
  private running = 0;
  private isGivenUp = false;
  private wake: (() => void)[] = [];
  /** Volumes stopped so far. */
  stopped = 0;

  constructor(private readonly options: StopsOptions) {}

  add(holding: Holding): void {
    const known = this.pending.get(holding.volume);
    if (known !== undefined && known.epoch === holding.epoch) return;
    this.pending.set(holding.volume, { ...holding, why: 'it is being stopped', attempts: 0 });
    this.queue.push(holding);
    this.next();
  }

  /** Those that are not stopped, and why. */
  get left(): NotStopped[] {
    return [...this.pending.values()];
  }

  /** Resolves when all are stopped, or after `ms`. */
  async done(ms = Number.POSITIVE_INFINITY): Promise<void> {
    if (this.pending.size === 0 || this.isGivenUp) return;
    let timer: NodeJS.Timeout | undefined;
    await new Promise<void>((resolve) => {
      this.wake.push(resolve);
      if (Number.isFinite(ms)) timer = setTimeout(resolve, Math.max(0, ms));
    });
    clearTimeout(timer);
  }

  /** No further attempts; `done` resolves. */
  giveUp(): void {
    this.isGivenUp = true;
    for (const timer of this.timers) clearTimeout(timer);
    this.wakeAll();
  }

  private next(): void {
    while (!this.isGivenUp && this.running < (this.options.parallel ?? 64)) {
      const holding = this.queue.shift();
      if (holding === undefined) return;
      this.running++;
      void this.stop(holding).finally(() => {
        this.running--;
        this.next();
      });
    }
  }

  private async stop(holding: Holding): Promise<void> {
    const { driver, log, notStopped = 'could not be stopped', onStopped, retryMs = 250 } = this.options;
    const { volume, epoch } = holding;
    const entry = this.pending.get(volume)!;
    entry.attempts++;
    try {
      await driver.stop(holding);
    } catch (error) {
      entry.why = (error as Error).message;
      log.error({ volume, epoch, attempts: entry.attempts }, `volume ${volume} ${notStopped}: ${entry.why}`);
      if (this.isGivenUp) return;
      const pause = Math.min(retryMs * 2 ** (entry.attempts - 1), LONGEST_PAUSE_MS);
      const timer = setTimeout(() => {
        this.timers.delete(timer);
        this.queue.push(holding);
        this.next();
      }, pause);
      this.timers.add(timer);
      return;
    }
    // The same volume may have been told of again with a newer epoch meanwhile: that one is stopped too.
    if (this.pending.get(volume)?.epoch === epoch) this.pending.delete(volume);
    this.stopped++;
    onStopped(holding);
    if (this.pending.size === 0) this.wakeAll();
  }

  private wakeAll(): void {
    const waiting = this.wake;
    this.wake = [];
    for (const resolve of waiting) resolve();
  }
}
