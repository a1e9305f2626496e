/** How big the database is, and what takes the room. Reads only. */
import { isSystemCallError, type Label } from '../platform/files.js';
import { examineManifest, filesOf, isProblem, leftoverPaths, leftoversOf, listAll } from './inspect.js';
import type { SharedDirectoryStore } from './shared-directory-store.js';

export interface TableStat {
  records: number;
  shards: number;
  /** Bytes of its shards and index at the newest generation, without the overlay. */
  bytes: number;
  /** Records of it that stand in the overlay. */
  overlay: number;
}

export interface StoreStat {
  cluster: string;
  /** Format that the newest generation is written in. */
  format: number;
  generation: number;
  oldest: number;
  manifests: { files: number; bytes: number };
  tableFiles: { files: number; bytes: number };
  /** Bytes of the newest manifest: what a small change writes. */
  manifestBytes: number;
  overlayRecords: number;
  tables: Record<string, TableStat>;
  /** Files that nothing refers to; the next compaction removes them. */
  leftovers: { files: number; bytes: number };
}

/** @throws CfsError MANIFEST_DAMAGED, TABLE_DAMAGED … */
export function statStore(store: SharedDirectoryStore): StoreStat {
  const head = store.heads.newest();
  const { tables } = store.place.paths;
  const listing = listAll(store);
  const size = (path: string): number => {
    const label: Label = 'size.stat';
    try {
      return store.place.platform.files.stat(label, path).sizeBytes;
    } catch (error) {
      if (isSystemCallError(error)) return 0;
      throw error;
    }
  };
  const sum = (paths: string[]): { files: number; bytes: number } => ({
    files: paths.length,
    bytes: paths.reduce((total, path) => total + size(path), 0),
  });
  const live = new Set<string>();
  for (let gen = head.floor; gen <= head.gen; gen++) {
    const manifest = gen === head.gen ? head : examineManifest(store, gen);
    if (!isProblem(manifest)) for (const ref of filesOf(store, manifest)) live.add(ref[0]);
  }
  const perTable: Record<string, TableStat> = {};
  let overlayRecords = 0;
  for (const [table, entry] of head.tables) {
    const overlay = head.overlay.get(table)?.size ?? 0;
    overlayRecords += overlay;
    let bytes = entry.index?.[2] ?? 0;
    for (const ref of store.reader.refs(head.gen, table, entry)) bytes += ref?.[2] ?? 0;
    perTable[table] = { records: entry.count, shards: entry.shards, bytes, overlay };
  }
  return {
    cluster: store.cluster,
    format: head.format,
    generation: head.gen,
    oldest: head.floor,
    manifests: sum(listing.manifests.map((gen) => store.heads.pathOf(gen))),
    tableFiles: sum(listing.tables.map(({ name }) => `${tables}/${name}`)),
    manifestBytes: size(store.heads.pathOf(head.gen)),
    overlayRecords,
    tables: perTable,
    leftovers: sum(leftoverPaths(store, leftoversOf(listing, head.floor, head.gen, live))),
  };
}
