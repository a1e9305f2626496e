/** Time, passed in so that a whole cluster runs in one process under a simulated clock. */
export interface Clock {
  /** Wall-clock time, ms since the epoch. Information only: nothing between hosts is decided by it. */
  nowMs(): number;
  /** Monotonic time of this process, ms from an arbitrary start. Never goes back, not comparable between processes. */
  monotonicMs(): number;
  sleep(ms: number): Promise<void>;
  /** Blocks the thread; only for the short waits of a synchronous read that meets a lagging cache. */
  sleepSync(ms: number): void;
  /** Lets timers and signals of this process run once. */
  yieldTurn(): Promise<void>;
}
