/** A wait that ends at a time, or earlier when something happens. */
import type { Clock } from '../platform/clock.js';

export class Waker {
  private isWoken = false;
  private resume: (() => void) | null = null;
  /** When the earliest sleep under way ends. Sleeps cannot be cut short, so one that ends early enough is used again. */
  private sleepsUntilMs = Number.POSITIVE_INFINITY;

  constructor(private readonly clock: Clock) {}

  wake(): void {
    this.isWoken = true;
    this.resume?.();
  }

  /** Waits until that monotonic time, or until woken; may return early. */
  async until(dueMs: number): Promise<void> {
    const nowMs = this.clock.monotonicMs();
    if (!this.isWoken && dueMs > nowMs) {
      const ended = new Promise<void>((resolve) => {
        this.resume = resolve;
      });
      if (dueMs < this.sleepsUntilMs) this.sleep(dueMs, dueMs - nowMs);
      await ended;
    }
    this.resume = null;
    this.isWoken = false;
  }

  private sleep(dueMs: number, ms: number): void {
    this.sleepsUntilMs = dueMs;
    void this.clock.sleep(ms).then(() => {
      if (this.sleepsUntilMs === dueMs) this.sleepsUntilMs = Number.POSITIVE_INFINITY;
      this.wake();
    });
  }
}
