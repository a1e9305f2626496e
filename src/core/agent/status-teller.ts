/** Tells the supervisor this agent's status: when something changed, at most once per second; and now and then anyway. */
import type { Clock } from '../platform/clock.js';

const LEAST_PAUSE_MS = 1000;
const LONGEST_PAUSE_MS = 10_000;

/** What there is to tell now. */
export interface StatusInput<S> {
  /** A reason to tell: whatever differs from the last time. Not what changes always, as sequence numbers and ages do. */
  news: object;
  status: () => S;
}

export class StatusTeller<S> {
  private told = '';
  private toldMs = Number.NEGATIVE_INFINITY;
  private lookedMs = Number.NEGATIVE_INFINITY;
  private isPending = false;

  constructor(
    private readonly clock: Clock,
    private readonly supervisor: { status(status: S): void },
  ) {}

  /** Called after every turn; looks at what there is to tell at most once per second. */
  tell(input: () => StatusInput<S>): void {
    const nowMs = this.clock.monotonicMs();
    this.isPending = nowMs - this.lookedMs < LEAST_PAUSE_MS;
    if (this.isPending) return;
    this.lookedMs = nowMs;
    const { news, status } = input();
    const key = JSON.stringify(news);
    if (key === this.told && nowMs - this.toldMs < LONGEST_PAUSE_MS) return;
    this.told = key;
    this.toldMs = nowMs;
    this.supervisor.status(status());
  }

  nextDueMs(): number {
    return this.isPending ? this.lookedMs + LEAST_PAUSE_MS : Number.POSITIVE_INFINITY;
  }
}
