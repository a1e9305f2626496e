/**
 * Telling the cluster that mounts are read-only, so that rights to write pass on (operation `givenUp`). Between the word and the news
 * of what came of it nothing is mounted for writing: whatever generation the word is judged by, it is true. Where it cannot be known
 * whether the word was taken, it is given again until it was.
 */
import { oneLine } from '../../membership/reasons.js';
import type { Asking } from './asking.js';
import type { ClientMounts } from './client-mounts.js';
import type { ClientView, VolumeView } from './client-view.js';
import type { WriteMarks } from './write-marks.js';

interface Word {
  since: number;
  /** The generation that shows what came of it; null: that is not known yet. */
  until: number | null;
  /** It may or may not have been taken. */
  isUnsure: boolean;
  /** What it said: null, that the mount is read-only; else why it is not. */
  problem: string | null;
}

export class GivingUp {
  private readonly words = new Map<string, Word>();

  constructor(
    private readonly options: {
      client: string;
      view: ClientView;
      mounts: ClientMounts;
      marks: WriteMarks;
      asking: Asking;
      /** As it is wished for in ClientMounts. */
      causeOf: (volume: VolumeView) => string;
    },
  ) {}

  /** Nothing may be mounted for writing: others count on it. */
  holds(volume: string): boolean {
    return this.words.has(volume);
  }

  /** The word is given by somebody else's decision. @returns what tells its outcome */
  begin(
    volume: string,
    since: number,
    problem: string | null = null,
  ): (outcome: { generation: number } | 'refused' | 'failed') => void {
    const word: Word = { since, until: null, isUnsure: false, problem };
    this.words.set(volume, word);
    return (outcome) => {
      if (outcome === 'refused') word.until = 0;
      else if (outcome === 'failed') word.isUnsure = true;
      else word.until = outcome.generation;
    };
  }

  /** @param generation newest one read */
  step(generation: number): void {
    for (const [volume, { until }] of this.words) {
      if (until !== null && generation >= until) this.words.delete(volume);
    }
    const { asking } = this.options;
    if (!asking.mayAsk('given-up', generation)) return;
    const due = [...this.unsure(), ...this.finished(), ...this.stuck()];
    if (due.length > 0) void this.tell(due);
  }

  private *unsure(): Iterable<Due> {
    for (const [volume, { since, isUnsure, problem }] of this.words) if (isUnsure) yield { volume, since, problem };
  }

  /** Read-only, and to be given up. */
  private *finished(): Iterable<Due> {
    const { view, mounts } = this.options;
    for (const { volume, isWriter, desired, since } of view.volumes.values()) {
      if (!isWriter || desired === 'rw' || this.words.has(volume) || !mounts.isReadOnly(volume)) continue;
      yield { volume, since, problem: null };
    }
  }

  /** An agreement that cannot be kept. */
  private *stuck(): Iterable<Due> {
    const { view, mounts, causeOf } = this.options;
    for (const item of view.volumes.values()) {
      if (!item.mayKeep || this.words.has(item.volume)) continue;
      const problem = mounts.busyWith(item.volume, causeOf(item));
      if (problem !== null) yield { volume: item.volume, since: item.since, problem };
    }
  }

  private async tell(due: readonly Due[]): Promise<void> {
    const { client, asking, marks, mounts } = this.options;
    const outcomes = due.map(({ volume, since, problem }) => this.begin(volume, since, problem));
    const volumes = await Promise.all(
      due.map(async ({ volume, since, problem }) => {
        const isFresh = mounts.shownAt(volume) >= since;
        const modified = await marks.isModified(volume, since);
        return { volume, since, problem: oneLine(problem, 500), modified, isFresh };
      }),
    );
    const answer = await asking.ask('given-up', { client, volumes });
    for (const told of outcomes) told(answer.kind === 'done' ? answer : answer.kind);
  }
}

interface Due {
  volume: string;
  since: number;
  problem: string | null;
}
