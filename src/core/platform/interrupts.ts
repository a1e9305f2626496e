/**
 * INT, TERM and HUP while something is being committed. Between `hold` and `release` they do not end the process; whoever
 * holds asks `received` at a point where stopping leaves nothing half done, and stops there. A signal that comes when
 * nobody holds has its usual effect.
 */
export interface Interrupts {
  hold(): Hold;
  /**
   * Loads something that puts listeners on signals of its own accord, and takes them away again: they would change what
   * a signal does when nobody holds.
   */
  withoutListeners<T>(load: () => Promise<T>): Promise<T>;
}

export interface Hold {
  /** The first signal received since `hold`, if any. Signals are delivered between turns of the event loop only. */
  received(): string | null;
  release(): void;
}
