/**
 * Following the generations as an agent does: one or two look-ups by name where nothing has changed, the changes of each new
 * generation in order, and now and then a whole look that would notice that the database went back (watch.ts).
 */
import { CfsError } from '../errors.js';
import type { Clock } from '../platform/clock.js';
import type { SharedDirectoryStore } from '../store/index.js';
import type { Manifest } from '../store/manifest.js';
import type { Change, Snapshot } from '../store/store.js';
import { type HeadAlarm, lookAtHead } from '../store/watch.js';

export type HeadNews =
  | { kind: 'same' }
  /** Every generation since the last news, in order. */
  | { kind: 'generations'; snapshot: Snapshot; steps: { generation: number; changes: Change[] }[] }
  /** The first look, or too much has happened: read the tables. */
  | { kind: 'resync'; snapshot: Snapshot }
  /** The database went back, or is damaged. Somebody should look at once; nothing new is to be believed until then. */
  | ({ kind: 'alarm' } & HeadAlarm);

/** Further behind than this, reading the tables costs less than the changes do. */
const MOST_STEPS = 200;
/** A whole look lists manifests/, at a cost of the length of history. */
const WHOLE_LOOK_MS = 60_000;

export class HeadFollower {
  private last: Pick<Manifest, 'gen' | 'sum'> | null = null;
  private wholeLookMs: number;

  constructor(
    private readonly store: SharedDirectoryStore,
    private readonly clock: Clock,
  ) {
    this.wholeLookMs = clock.monotonicMs();
  }

  /** @throws CfsError of the system, where the directory cannot be read now */
  look(): HeadNews {
    try {
      const alarm = this.wholeLook();
      if (alarm !== null) return { kind: 'alarm', ...alarm };
      const head = this.store.heads.newest();
      if (head.gen === this.last?.gen) return { kind: 'same' };
      const news = this.newsUpTo(head);
      if (news.kind === 'alarm') return news;
      this.last = { gen: head.gen, sum: head.sum };
      return news;
    } catch (error) {
      const code = error instanceof CfsError ? error.code : null;
      if (code === 'MANIFEST_DAMAGED' || code === 'TABLE_DAMAGED' || code === 'FORMAT_TOO_NEW') {
        return { kind: 'alarm', says: (error as CfsError).message, isOtherHistory: false };
      }
      throw error;
    }
  }

  private wholeLook(): HeadAlarm | null {
    const nowMs = this.clock.monotonicMs();
    if (this.last === null || nowMs - this.wholeLookMs < WHOLE_LOOK_MS) return null;
    const seen = lookAtHead(this.store, this.last);
    // An alarm stays until a whole look finds nothing: it is taken again each time.
    if ('says' in seen) return seen;
    this.wholeLookMs = nowMs;
    return null;
  }

  private newsUpTo(head: Manifest): HeadNews {
    const first = (this.last?.gen ?? head.gen) + 1;
    const snapshot = this.store.snapshot(head.gen);
    const isFar = this.last === null || first < head.floor || head.gen - first >= MOST_STEPS || head.repair !== null;
    if (isFar) return { kind: 'resync', snapshot };
    const steps: { generation: number; changes: Change[] }[] = [];
    try {
      const next = this.store.manifest(first);
      if (next.parent !== this.last?.sum && next.repair === null) {
        const says = `generation ${first} was not made of the generation ${first - 1} that was read here`;
        return { kind: 'alarm', says, isOtherHistory: true };
      }
      for (let generation = first; generation <= head.gen; generation++) {
        steps.push({ generation, changes: this.store.changesOf(generation) });
      }
    } catch (error) {
      // Collected in this very moment, or given up by a repair.
      if (!(error instanceof CfsError)) throw error;
      if (error.code !== 'GENERATION_NOT_FOUND' && error.code !== 'MANIFEST_DAMAGED') throw error;
      return { kind: 'resync', snapshot };
    }
    return { kind: 'generations', snapshot, steps };
  }
}
