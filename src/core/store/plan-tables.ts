/**
 * What a commit writes, decided before anything is written (section 11): either the overlay grows and the manifest is
 * all, or the overlay is folded into new shards.
 */
import type { AnyRecord } from '../model/tables.js';
import { tableFileName } from './layout.js';
import type { FileRef, Manifest, Overlay, OverlayEntry, TableEntry } from './manifest.js';
import type { Bounds } from './place.js';
import { shardOf } from './shard-hash.js';
import type { Change } from './store.js';
import { sha256 } from './sum.js';
import { encodeIndex, encodeShard } from './table-file.js';
import type { TableReader } from './table-reader.js';

export interface PendingFile {
  name: string;
  bytes: Buffer;
}

export interface PlannedTables {
  counts: Record<string, number>;
  tables: ReadonlyMap<string, TableEntry>;
  overlay: Overlay;
  /** JSON of the former values, or `null` when it is too long. */
  changesText: string;
  /** New table files, to be durable before the manifest is. */
  files: PendingFile[];
}

export interface PlanInput {
  base: Manifest | null;
  gen: number;
  /** Grouped by table. */
  changes: readonly Change[];
  reader: TableReader;
  bounds: Bounds;
  /** 16 random hex digits. */
  nonce: () => string;
  /** Fold whatever the size. */
  fold?: boolean;
}

type Edits = Map<string, Map<string, OverlayEntry>>;

export function planTables(input: PlanInput): PlannedTables {
  const { base, changes, bounds } = input;
  const counts: Record<string, number> = {};
  const added = new Map<string, number>();
  for (const { table, before, after } of changes) {
    counts[table] = (counts[table] ?? 0) + 1;
    added.set(table, (added.get(table) ?? 0) + (after === null ? 0 : 1) - (before === null ? 0 : 1));
  }
  const edits = editsOf(base, changes);
  const tables = new Map(base?.tables ?? []);
  for (const table of edits.keys()) {
    const entry = tables.get(table) ?? { count: 0, shards: 1, files: [null] };
    const more = added.get(table) ?? 0;
    if (more !== 0 || !tables.has(table)) tables.set(table, { ...entry, count: entry.count + more });
  }
  const planned = { counts, tables, changesText: changesText(changes, bounds.overlay) };
  if (!input.fold && overlaySize(edits, bounds.overlay) <= bounds.overlay)
    return { ...planned, overlay: edits, files: [] };
  const files: PendingFile[] = [];
  for (const [table, entries] of edits) {
    if (entries.size > 0) tables.set(table, foldTable(input, table, tables.get(table)!, entries, files));
  }
  return { ...planned, overlay: new Map(), files };
}

/** The base's overlay with the changes on top. */
function editsOf(base: Manifest | null, changes: readonly Change[]): Edits {
  const edits: Edits = new Map(base?.overlay as Edits | undefined);
  let entries: Map<string, OverlayEntry> | undefined;
  let of: string | null = null;
  for (const { table, name, after } of changes) {
    if (table !== of || entries === undefined) {
      entries = new Map(edits.get(table));
      edits.set(table, entries);
      of = table;
    }
    entries.set(name, { value: after, text: null });
  }
  return edits;
}

/** Characters of the overlay's JSON; stops counting beyond `bound`. Makes the members' texts, which the manifest needs. */
function overlaySize(edits: Edits, bound: number): number {
  let size = 2;
  for (const [table, entries] of edits) {
    size += table.length + 6;
    for (const [name, entry] of entries) {
      entry.text ??= `${JSON.stringify(name)}:${JSON.stringify(entry.value)}`;
      size += entry.text.length + 1;
      if (size > bound) return size;
    }
  }
  return size;
}

function changesText(changes: readonly Change[], bound: number): string {
  let text = '{';
  let table: string | null = null;
  for (const change of changes) {
    if (change.table !== table) {
      text += `${table === null ? '' : '},'}${JSON.stringify(change.table)}:{`;
      table = change.table;
    } else text += ',';
    text += `${JSON.stringify(change.name)}:${JSON.stringify(change.before)}`;
    if (text.length > bound) return 'null';
  }
  return table === null ? '{}' : `${text}}}`;
}

/** Smallest power of two that keeps the mean shard within `shardBytes`. */
function shardsFor(totalBytes: number, shardBytes: number): number {
  let shards = 1;
  while (shards * shardBytes < totalBytes) shards *= 2;
  return shards;
}

function foldTable(
  input: PlanInput,
  table: string,
  entry: TableEntry,
  edits: ReadonlyMap<string, OverlayEntry>,
  files: PendingFile[],
): TableEntry {
  const { base, bounds } = input;
  const baseGen = base?.gen ?? 0;
  const refs = base === null ? [null] : input.reader.refs(baseGen, table, entry);
  const shards = newShardCount(entry.shards, refs, edits, bounds);
  const recut = shards !== entry.shards;
  const touched = new Map<number, Map<string, AnyRecord>>();
  const writable = (shard: number): Map<string, AnyRecord> => {
    let records = touched.get(shard);
    if (records === undefined) {
      records = new Map(recut || base === null ? [] : input.reader.shard(baseGen, table, entry, shard));
      touched.set(shard, records);
    }
    return records;
  };
  if (recut) {
    for (let i = 0; i < entry.shards; i++) {
      for (const [name, record] of input.reader.shard(baseGen, table, entry, i)) {
        writable(shardOf(name, shards)).set(name, record);
      }
    }
  }
  for (const [name, { value }] of edits) {
    const records = writable(shardOf(name, shards));
    if (value === null) records.delete(name);
    else records.set(name, value);
  }
  const next: (FileRef | null)[] = recut ? new Array<null>(shards).fill(null) : [...refs];
  const write = (bytes: Buffer): FileRef => {
    const name = tableFileName(table, input.gen, input.nonce());
    files.push({ name, bytes });
    return [name, sha256(bytes), bytes.length];
  };
  const textOf = (name: string): string | null | undefined => edits.get(name)?.text;
  for (const [i, records] of touched) {
    next[i] = records.size === 0 ? null : write(encodeShard(table, i, shards, records, textOf));
  }
  if (shards <= bounds.inlineShards) return { count: entry.count, shards, files: next };
  return { count: entry.count, shards, index: write(encodeIndex(table, next)) };
}

/**
 * Cuts anew when the mean passes the bound, or falls below an eighth of it (so that a table near the bound does not go
 * to and fro). An estimate: removals and replacements count as additions; the next fold corrects it.
 */
function newShardCount(
  now: number,
  refs: readonly (FileRef | null)[],
  edits: ReadonlyMap<string, OverlayEntry>,
  bounds: Bounds,
): number {
  let bytes = 0;
  for (const ref of refs) bytes += ref?.[2] ?? 0;
  for (const [name, entry] of edits) {
    if (entry.value === null) continue;
    entry.text ??= `${JSON.stringify(name)}:${JSON.stringify(entry.value)}`;
    bytes += entry.text.length + 1;
  }
  const wanted = shardsFor(bytes, bounds.shardBytes);
  return wanted > now || wanted * 8 <= now ? wanted : now;
}
