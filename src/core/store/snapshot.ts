/** All tables at one generation, read from disk as far as they are asked for. */
import type { AnyRecord, TableName, Tables } from '../model/tables.js';
import type { Manifest, OverlayEntry, TableEntry } from './manifest.js';
import { shardOf } from './shard-hash.js';
import type { Snapshot, TableView } from './store.js';
import type { Shard } from './table-file.js';
import type { TableReader } from './table-reader.js';

const NO_OVERLAY: ReadonlyMap<string, OverlayEntry> = new Map();
const EMPTY: Shard = new Map();
const NO_TABLE: TableEntry = { count: 0, shards: 1, files: [null] };

/** A table's shards with the overlay on top. */
export class StoredTable implements TableView<AnyRecord> {
  private readonly entry: TableEntry;
  private readonly overlay: ReadonlyMap<string, OverlayEntry>;
  /** Held here as well as in the reader: what this snapshot has read once it never misses again. */
  private readonly shards: (Shard | undefined)[] = [];
  /** The shard that `get` found something in last: who walks one table and looks up another finds it there again. */
  private last: Shard = EMPTY;

  constructor(
    private readonly gen: number,
    private readonly name: string,
    manifest: Manifest,
    private readonly reader: TableReader,
  ) {
    this.entry = manifest.tables.get(name) ?? NO_TABLE;
    this.overlay = manifest.overlay.get(name) ?? NO_OVERLAY;
  }

  get count(): number {
    return this.entry.count;
  }

  get(name: string): AnyRecord | undefined {
    const changed = this.overlay.get(name);
    if (changed !== undefined) return changed.value ?? undefined;
    const found = this.last.get(name);
    if (found !== undefined) return found;
    this.last = this.shard(shardOf(name, this.entry.shards));
    return this.last.get(name);
  }

  has(name: string): boolean {
    return this.get(name) !== undefined;
  }

  *entries(): Iterable<[string, AnyRecord]> {
    for (let i = 0; i < this.entry.shards; i++) {
      for (const entry of this.shard(i)) if (!this.overlay.has(entry[0])) yield entry;
    }
    for (const [name, { value }] of this.overlay) if (value !== null) yield [name, value];
  }

  *names(): Iterable<string> {
    for (const [name] of this.entries()) yield name;
  }

  private shard(i: number): Shard {
    let shard = this.shards[i];
    if (shard === undefined) {
      shard = this.reader.shard(this.gen, this.name, this.entry, i);
      this.shards[i] = shard;
    }
    return shard;
  }
}

export class StoredSnapshot implements Snapshot {
  private readonly tables = new Map<string, StoredTable>();

  constructor(
    readonly manifest: Manifest,
    private readonly reader: TableReader,
  ) {}

  get generation(): number {
    return this.manifest.gen;
  }

  get format(): number {
    return this.manifest.format;
  }

  table<N extends TableName>(name: N): TableView<Tables[N]> {
    let table = this.tables.get(name);
    if (table === undefined) {
      table = new StoredTable(this.generation, name, this.manifest, this.reader);
      this.tables.set(name, table);
    }
    return table as TableView<AnyRecord> as TableView<Tables[N]>;
  }
}
