/** How big the database is and what was committed last; what costs no more with a longer history. */
import { TABLE_NAMES } from '../model/tables.js';
import { history } from '../store/history.js';
import { listAll } from '../store/inspect.js';
import type { SharedDirectoryStore } from '../store/shared-directory-store.js';
import { systemError } from '../store/system-error.js';
import { type Families, sample } from './exposition.js';

/** Generations whose operations are counted: each costs one manifest. */
export const RECENT_GENERATIONS = 50;

/** @throws CfsError MANIFEST_DAMAGED, TABLE_DAMAGED … */
export function databaseMetrics(families: Families, store: SharedDirectoryStore): void {
  const head = store.heads.newest();
  families.counter(
    'cfs_commits_total',
    'Commits since the cluster began; a restored one begins at a higher number.',
    sample(head.gen),
  );
  families.gauge(
    'cfs_last_commit_timestamp_seconds',
    'When the newest generation was committed, by the clock of who did it.',
    sample(Date.parse(head.time) / 1000),
  );
  families.gauge('cfs_history_generations', 'Generations that history keeps.', sample(head.gen - head.floor + 1));
  families.gauge('cfs_history_oldest_generation', 'Oldest generation that history keeps.', sample(head.floor));
  recentCommits(families, store);
  const listing = listAll(store);
  families.gauge(
    'cfs_database_files',
    'Files of the database.',
    sample(listing.manifests.length, { kind: 'manifest' }),
    sample(listing.tables.length, { kind: 'table' }),
    sample(listing.temporaries.length + listing.others.length, { kind: 'temporary' }),
  );
  const tables = TABLE_NAMES.map((table) => {
    const entry = head.tables.get(table);
    const shards = entry === undefined ? [] : store.reader.refs(head.gen, table, entry);
    const bytes = shards.reduce((sum, ref) => sum + (ref?.[2] ?? 0), entry?.index?.[2] ?? 0);
    return { table, records: entry?.count ?? 0, bytes };
  });
  families.gauge(
    'cfs_table_records',
    'Records of each table.',
    ...tables.map(({ table, records }) => sample(records, { table })),
  );
  families.gauge(
    'cfs_table_size_bytes',
    'Size of the files of each table at the newest generation, without what stands in its manifest.',
    ...tables.map(({ table, bytes }) => sample(bytes, { table })),
  );
  const manifestBytes = sizeOf(store, store.heads.pathOf(head.gen));
  families.gauge(
    'cfs_manifest_size_bytes',
    'Size of the newest manifest: about what a small change writes.',
    sample(manifestBytes),
  );
  families.gauge(
    'cfs_database_size_bytes',
    'Size of the newest generation: its manifest and its tables.',
    sample(tables.reduce((sum, { bytes }) => sum + bytes, manifestBytes)),
  );
}

function sizeOf({ place }: SharedDirectoryStore, path: string): number {
  try {
    return place.platform.files.stat('size.stat', path).sizeBytes;
  } catch (error) {
    throw systemError(error, 'look at', path);
  }
}

function recentCommits(families: Families, store: SharedDirectoryStore): void {
  const counts = new Map<string, number>();
  let left = RECENT_GENERATIONS;
  for (const { operation } of history(store)) {
    counts.set(operation, (counts.get(operation) ?? 0) + 1);
    if (--left === 0) break;
  }
  families.gauge(
    'cfs_recent_commits',
    `Commits by operation among the newest ${RECENT_GENERATIONS} generations that are kept.`,
    ...[...counts].sort(([a], [b]) => (a < b ? -1 : 1)).map(([operation, count]) => sample(count, { operation })),
  );
}
