/**
 * Marks what this client writes as modified, so that readers' mounts are refreshed (FIG. 15E): at most one commit per volume in ten
 * seconds while it goes on, and one at the end. Until the driver was asked for the first time nobody can tell, and it counts as modified.
 */
import { messageOf } from '../../agent/guard.js';
import type { Clock } from '../../platform/clock.js';
import type { Asking } from './asking.js';
import type { MountDriver } from './ports.js';

interface Mark {
  since: number;
  /** What the driver said when it was marked last; undefined: it was not marked yet. */
  marked: string | undefined;
  seen: string | null;
  isLooking: boolean;
  lookMs: number;
  touchMs: number;
}

const TOUCH_PAUSE_MS = 10_000;
const LEAST_LOOK_MS = 1000;

export class WriteMarks {
  private readonly marks = new Map<string, Mark>();
  private trouble: string | null = null;

  constructor(
    private readonly options: {
      client: string;
      driver: Pick<MountDriver, 'written'>;
      asking: Asking;
      clock: Clock;
      wake: () => void;
    },
  ) {}

  /**
   * Looks at what is mounted for writing, and marks it where that is due.
   * @param rights volumes whose writer this client is, with the epochs of their rights
   * @param isWriting whether a volume is mounted for writing now: only then it is looked at
   */
  step(
    rights: ReadonlyMap<string, number>,
    isWriting: (volume: string, since: number) => boolean,
    { intervalMs, generation }: { intervalMs: number; generation: number },
  ): void {
    const nowMs = this.options.clock.monotonicMs();
    const lookMs = Math.max(LEAST_LOOK_MS, intervalMs);
    for (const [volume, { since }] of this.marks) if (rights.get(volume) !== since) this.marks.delete(volume);
    for (const [volume, since] of rights) {
      if (!isWriting(volume, since)) continue;
      let mark = this.marks.get(volume);
      if (mark === undefined) {
        mark = { since, marked: undefined, seen: null, isLooking: false, lookMs: nowMs + lookMs, touchMs: nowMs };
        this.marks.set(volume, mark);
      }
      if (!mark.isLooking && nowMs >= mark.lookMs) void this.look(volume, mark, lookMs);
      const isNews = mark.seen !== null && mark.seen !== mark.marked;
      const { asking } = this.options;
      if (isNews && nowMs >= mark.touchMs && asking.isIdle && asking.mayAsk('touch', generation))
        this.touch(volume, mark);
    }
  }

  /** Whether something may have been written since the last mark; asked when nothing can be written any more. */
  async isModified(volume: string, since: number): Promise<boolean> {
    const mark = this.marks.get(volume);
    if (mark === undefined || mark.since !== since || mark.marked === undefined) return true;
    const { marked } = mark;
    const now = await this.written(volume);
    return now === null || now !== marked;
  }

  nextDueMs(): number {
    let next = Number.POSITIVE_INFINITY;
    const nowMs = this.options.clock.monotonicMs();
    for (const { isLooking, lookMs, touchMs, seen, marked } of this.marks.values()) {
      // What is overdue waits for something else: its mount, or a decision under way.
      if (!isLooking && lookMs > nowMs) next = Math.min(next, lookMs);
      if (seen !== null && seen !== marked && touchMs > nowMs) next = Math.min(next, touchMs);
    }
    return next;
  }

  problems(): string[] {
    return this.trouble === null ? [] : [this.trouble];
  }

  private async look(volume: string, mark: Mark, lookMs: number): Promise<void> {
    mark.isLooking = true;
    const seen = await this.written(volume);
    mark.isLooking = false;
    mark.lookMs = this.options.clock.monotonicMs() + lookMs;
    if (seen === mark.seen) return;
    mark.seen = seen;
    this.options.wake();
  }

  private touch(volume: string, mark: Mark): void {
    const { client, clock, asking } = this.options;
    const { seen } = mark;
    mark.touchMs = clock.monotonicMs() + TOUCH_PAUSE_MS;
    void asking.ask('touch', { volume, client }).then(({ kind }) => {
      if (kind === 'done' && seen !== null) mark.marked = seen;
    });
  }

  private async written(volume: string): Promise<string | null> {
    try {
      const value = await this.options.driver.written(volume);
      this.trouble = null;
      return value;
    } catch (error) {
      this.trouble = `it cannot be told whether volume ${volume} was written to: ${messageOf(error)}`;
      return null;
    }
  }
}
