/** What differs between two generations, by structure: only shards that are not the same file, and overlay names, are looked at. */
import { naturalCompare } from '../model/names.js';
import { type AnyRecord, TABLE_NAMES, type TableName } from '../model/tables.js';
import { sameValue } from './draft.js';
import type { FileRef, Manifest, TableEntry } from './manifest.js';
import { StoredSnapshot } from './snapshot.js';
import type { Change, TableView } from './store.js';
import type { TableReader } from './table-reader.js';

const NO_TABLE: TableEntry = { count: 0, shards: 1, files: [null] };

/**
 * @param from null: from nothing
 * @param tables those that are compared, in this order
 */
export function diffManifests(
  from: Manifest | null,
  to: Manifest,
  reader: TableReader,
  tables: readonly TableName[] = TABLE_NAMES,
): Change[] {
  const changes: Change[] = [];
  const before = from === null ? null : new StoredSnapshot(from, reader);
  const after = new StoredSnapshot(to, reader);
  for (const table of tables) {
    const found: Change[] = [];
    const old = before === null ? null : (before.table(table) as TableView<AnyRecord>);
    const now = after.table(table) as TableView<AnyRecord>;
    for (const name of suspects(from, to, table, reader)) {
      const change: Change = { table, name, before: old?.get(name) ?? null, after: now.get(name) ?? null };
      if (!sameValue(change.before, change.after)) found.push(change);
    }
    found.sort((a, b) => naturalCompare(a.name, b.name));
    for (const change of found) changes.push(change);
  }
  return changes;
}

/** Names that may differ: those of the overlays, and those in shards that are not the same file on both sides. */
function suspects(from: Manifest | null, to: Manifest, table: string, reader: TableReader): Set<string> {
  const names = new Set<string>([
    ...(from?.overlay.get(table)?.keys() ?? []),
    ...(to.overlay.get(table)?.keys() ?? []),
  ]);
  const sides = [from, to].map((manifest) => {
    const entry = manifest?.tables.get(table) ?? NO_TABLE;
    return {
      gen: manifest?.gen ?? 0,
      entry,
      refs: manifest === null ? [null] : reader.refs(manifest.gen, table, entry),
    };
  });
  const same = commonFiles(sides[0]!.refs, sides[1]!.refs);
  for (const { gen, entry, refs } of sides) {
    refs.forEach((ref, i) => {
      if (ref === null || same.has(ref[0])) return;
      for (const name of reader.shard(gen, table, entry, i).keys()) names.add(name);
    });
  }
  return names;
}

function commonFiles(a: readonly (FileRef | null)[], b: readonly (FileRef | null)[]): Set<string> {
  const files = new Set(a.map((ref) => ref?.[0]));
  return new Set(b.flatMap((ref) => (ref !== null && files.has(ref[0]) ? [ref[0]] : [])));
}
