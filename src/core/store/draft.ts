/** A snapshot in memory, and a draft over any snapshot: what decisions change, and what tests run on. */
import { FORMAT } from '../model/format.js';
import { naturalCompare } from '../model/names.js';
import { type AnyRecord, TABLE_NAMES, type TableName, type Tables } from '../model/tables.js';
import type { Change, Draft, Snapshot, TableView } from './store.js';

/** Plain JSON equality. Order of members does not count, order of list items does. */
export function sameValue(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  const keys = Object.keys(a);
  if (keys.length !== Object.keys(b).length) return false;
  for (const key of keys) {
    if (!Object.hasOwn(b, key)) return false;
    if (!sameValue((a as Record<string, unknown>)[key], (b as Record<string, unknown>)[key])) return false;
  }
  return true;
}

class MapView<R> implements TableView<R> {
  constructor(private readonly records: ReadonlyMap<string, R>) {}
  get count(): number {
    return this.records.size;
  }
  get(name: string): R | undefined {
    return this.records.get(name);
  }
  has(name: string): boolean {
    return this.records.has(name);
  }
  entries(): Iterable<[string, R]> {
    return this.records.entries();
  }
  names(): Iterable<string> {
    return this.records.keys();
  }
}

/** Tables as maps, for a snapshot that lives in memory only. Missing tables are empty. */
export type TableMaps = { [N in TableName]?: ReadonlyMap<string, Tables[N]> };

/** A snapshot of the given maps at the given generation (default 0: the empty database before `cfs init`) and format (the newest). */
export function memorySnapshot(tables: TableMaps = {}, generation = 0, format = FORMAT): Snapshot {
  const views = new Map<TableName, TableView<AnyRecord>>();
  return {
    generation,
    format,
    table<N extends TableName>(name: N): TableView<Tables[N]> {
      let view = views.get(name);
      if (view === undefined) {
        view = new MapView((tables[name] ?? new Map()) as ReadonlyMap<string, AnyRecord>);
        views.set(name, view);
      }
      return view as TableView<Tables[N]>;
    },
  };
}

/** The base's view with the draft's edits on top; null stands for removed. */
class EditedView<R> implements TableView<R> {
  constructor(
    private readonly base: TableView<R>,
    private readonly edits: Map<string, R | null>,
  ) {}

  get count(): number {
    let count = this.base.count;
    for (const [name, record] of this.edits) {
      const existed = this.base.has(name);
      if (record === null) count -= existed ? 1 : 0;
      else count += existed ? 0 : 1;
    }
    return count;
  }

  get(name: string): R | undefined {
    const edit = this.edits.get(name);
    if (edit !== undefined) return edit ?? undefined;
    return this.base.get(name);
  }

  has(name: string): boolean {
    const edit = this.edits.get(name);
    return edit === undefined ? this.base.has(name) : edit !== null;
  }

  *entries(): Iterable<[string, R]> {
    for (const entry of this.base.entries()) if (!this.edits.has(entry[0])) yield entry;
    for (const [name, record] of this.edits) if (record !== null) yield [name, record];
  }

  *names(): Iterable<string> {
    for (const name of this.base.names()) if (!this.edits.has(name)) yield name;
    for (const [name, record] of this.edits) if (record !== null) yield name;
  }
}

/** A draft over a snapshot. Costs what is changed, not what the base holds. */
export class MemoryDraft implements Draft {
  private readonly edits = new Map<TableName, Map<string, AnyRecord | null>>();
  private readonly views = new Map<TableName, TableView<AnyRecord>>();
  /** Kept until the next edit: validation, the commit and the outcome each ask for the changes. */
  private known: Change[] | null = null;
  private raisedTo: number | null = null;

  constructor(
    readonly base: Snapshot,
    readonly nextGeneration: number = base.generation + 1,
  ) {}

  get generation(): number {
    return this.base.generation;
  }

  get format(): number {
    return this.raisedTo ?? this.base.format;
  }

  setFormat(format: number): void {
    if (format < this.format) throw new Error(`the format would fall from ${this.format} to ${format}`);
    this.raisedTo = format;
  }

  table<N extends TableName>(name: N): TableView<Tables[N]> {
    let view = this.views.get(name);
    if (view === undefined) {
      view = new EditedView(this.base.table(name) as TableView<AnyRecord>, this.editsOf(name));
      this.views.set(name, view);
    }
    return view as TableView<Tables[N]>;
  }

  put<N extends TableName>(table: N, name: string, record: Tables[N]): void {
    this.known = null;
    this.editsOf(table).set(name, record);
  }

  remove(table: TableName, name: string): void {
    this.known = null;
    this.editsOf(table).set(name, null);
  }

  changes(): Change[] {
    this.known ??= this.compared();
    return this.known;
  }

  private compared(): Change[] {
    const changes: Change[] = [];
    for (const table of TABLE_NAMES) {
      const edits = this.edits.get(table);
      if (edits === undefined || edits.size === 0) continue;
      const base = this.base.table(table) as TableView<AnyRecord>;
      const found: Change[] = [];
      for (const [name, after] of edits) {
        const before = base.get(name) ?? null;
        if (!sameValue(before, after)) found.push({ table, name, before, after });
      }
      found.sort((a, b) => naturalCompare(a.name, b.name));
      for (const change of found) changes.push(change);
    }
    return changes;
  }

  /** Applies the draft's changes to a copy of the base: the snapshot that a commit would give. For tests and dry runs. */
  applied(): Snapshot {
    const maps: Partial<Record<TableName, Map<string, AnyRecord>>> = {};
    for (const table of TABLE_NAMES)
      maps[table] = new Map(this.table(table).entries() as Iterable<[string, AnyRecord]>);
    return memorySnapshot(maps as TableMaps, this.nextGeneration, this.format);
  }

  private editsOf(table: TableName): Map<string, AnyRecord | null> {
    let edits = this.edits.get(table);
    if (edits === undefined) {
      edits = new Map();
      this.edits.set(table, edits);
    }
    return edits;
  }
}
