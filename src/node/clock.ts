/** `Clock` on Node. */
import type { Clock } from '../core/platform/clock.js';

export class NodeClock implements Clock {
  nowMs(): number {
    return Date.now();
  }

  monotonicMs(): number {
    // Not `performance`, whose first use loads a dozen modules of node: 1 ms of every change.
    const [seconds, nanoseconds] = process.hrtime();
    return seconds * 1000 + nanoseconds / 1e6;
  }

  sleep(ms: number): Promise<void> {
    return new Promise((resolve) => {
      setTimeout(resolve, ms);
    });
  }

  sleepSync(ms: number): void {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
  }

  yieldTurn(): Promise<void> {
    return new Promise((resolve) => {
      // Twice: begun in a callback of the poll phase, the first one runs before the loop looks for signals again.
      setImmediate(() => setImmediate(resolve));
    });
  }
}
