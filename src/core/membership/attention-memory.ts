/**
 * What an agent remembers between its looks so that time limits can be judged: since when each ticket, claim, hold-down and
 * unacknowledged generation has been there. Counted in *watched* time: the monotonic clock less the gaps in which the agent did not
 * look, so that nobody is blamed for time in which the directory hung for all.
 *
 * Plain values, replaced at each look, never changed: `attentionOf` is a pure function.
 */
export interface AttentionMemory {
  /** Monotonic time of the last look, ms; null: there was none. */
  lookedMs: number | null;
  /** Watched time so far, ms. */
  watchedMs: number;
  /** By the thing's name and what it is (`ticket n1 4`): the watched time at which it was first seen. */
  since: ReadonlyMap<string, number>;
}

export const NO_MEMORY: AttentionMemory = { lookedMs: null, watchedMs: 0, since: new Map() };

/** One look: asks how long things have lasted, and remembers exactly those that were asked for. */
export class Lasting {
  readonly watchedMs: number;
  private readonly kept = new Map<string, number>();

  constructor(
    private readonly memory: AttentionMemory,
    private readonly nowMs: number,
    maxGapMs: number,
  ) {
    const gapMs = memory.lookedMs === null ? 0 : Math.min(Math.max(0, nowMs - memory.lookedMs), maxGapMs);
    this.watchedMs = memory.watchedMs + gapMs;
  }

  /** For how long it has been seen at every look, ms; 0 at the first. */
  ms(thing: string): number {
    const since = this.memory.since.get(thing) ?? this.watchedMs;
    this.kept.set(thing, since);
    return this.watchedMs - since;
  }

  remembered(): AttentionMemory {
    return { lookedMs: this.nowMs, watchedMs: this.watchedMs, since: this.kept };
  }
}
