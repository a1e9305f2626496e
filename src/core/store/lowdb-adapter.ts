/**
 * lowdb's view of the cluster directory: `read()` gives the tables of one head, as a draft that remembers it; `write()`
 * commits what was changed in them against that head.
 *
 * lowdb's own file adapters are not used: they never fsync, and all processes would share one temporary name. The data is
 * a draft that reads shards on demand, not the tables themselves: parsing 45,000 volumes costs 45 ms (spec/performance.md).
 */
import type { SyncAdapter } from 'lowdb';
import { commit } from './commit.js';
import { MemoryDraft } from './draft.js';
import type { Heads } from './head.js';
import type { Manifest } from './manifest.js';
import type { Place } from './place.js';
import { planTables } from './plan-tables.js';
import { recorded } from './recorded.js';
import { StoredSnapshot } from './snapshot.js';
import type { Actor, Change, CommitInfo, Draft } from './store.js';
import type { TableReader } from './table-reader.js';

/** What the next write says of itself, and what it may change besides records. */
export interface WriteOptions {
  info: CommitInfo;
  actor: Actor;
  txid: string;
  /** New floor (collection); default the base's. */
  floor?: number;
  /** Fold the overlay whatever its size. */
  fold?: boolean;
  /** Make a generation though no record changed. */
  always?: boolean;
}

export class ManifestAdapter implements SyncAdapter<Draft> {
  /** Set before `write`; lowdb's interface has no room for it. */
  next: WriteOptions | null = null;
  /** What the last `write` did; manifest null: nothing was changed, so there is no generation. */
  written: { manifest: Manifest | null; changes: Change[] } = { manifest: null, changes: [] };

  constructor(
    private readonly place: Place,
    private readonly heads: Heads,
    private readonly reader: TableReader,
  ) {}

  read(): Draft {
    return new MemoryDraft(new StoredSnapshot(this.heads.newest(), this.reader));
  }

  /** @throws Conflict, CfsError */
  write(draft: Draft): void {
    const { next } = this;
    const base = draft instanceof MemoryDraft ? draft.base : null;
    if (!(base instanceof StoredSnapshot) || next === null)
      throw new Error('a write needs a read and its options first');
    const head = base.manifest;
    this.next = null;
    const changes = draft.changes();
    this.written = { manifest: null, changes };
    const { format } = draft;
    if (format > this.place.format) throw new Error(`format ${format} cannot be written here`);
    if (changes.length === 0 && format === head.format && !next.always) return;
    const { random, clock } = this.place.platform;
    const planned = planTables({
      base: head,
      gen: head.gen + 1,
      changes,
      reader: this.reader,
      bounds: this.place.bounds,
      nonce: () => random.hex(8),
      fold: next.fold ?? false,
    });
    this.written.manifest = commit(this.place, this.heads, {
      base: head,
      files: planned.files,
      next: {
        format,
        gen: head.gen + 1,
        parent: head.sum,
        txid: next.txid,
        // Two collections may overlap: the floor never falls (section 7).
        floor: Math.max(next.floor ?? 0, head.floor),
        ...recorded(next.info, next.actor),
        time: new Date(clock.nowMs()).toISOString(),
        counts: planned.counts,
        tables: planned.tables,
        overlay: planned.overlay,
        changesText: planned.changesText,
        repair: null,
        tablesText: sameTables(head, planned.tables) ? head.tablesText : null,
      },
    });
  }
}

/** Entries are compared by identity: a commit that adds no record and does not fold keeps the base's text. */
function sameTables(head: Manifest, tables: Manifest['tables']): boolean {
  if (head.tables.size !== tables.size) return false;
  for (const [name, entry] of tables) if (head.tables.get(name) !== entry) return false;
  return true;
}
