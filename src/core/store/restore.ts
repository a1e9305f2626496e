/** Making a new cluster from a backup. (Putting one back into a living cluster is an ordinary change: an operation.) */
import type { AnyRecord, PlacementRecord, TableName, Tables } from '../model/tables.js';
import { type BackupHeader, readBackup } from './backup.js';
import { type InitOptions, initStore } from './init.js';
import type { SharedDirectoryStore } from './shared-directory-store.js';

/** Distance between the last generation that a backup can know of and the first of what is restored from it. */
export const RESTORE_STEP = 1_000_000;

/**
 * Creates a cluster in an empty directory from a backup. Its first generation is the next multiple of 1,000,000 above the
 * backup's, and every volume's epoch is that: whatever was given out after the backup was made is outranked. It keeps the
 * backup's format: nodes that still run an older cfs are not shut out.
 * @throws CfsError BACKUP_DAMAGED, CLUSTER_EXISTS, and as `initStore`
 */
export function restoreToEmpty(
  dir: string,
  backupPath: string,
  options: InitOptions,
): { store: SharedDirectoryStore; generation: number; backup: BackupHeader } {
  const backup = readBackup(options.platform, backupPath);
  const firstGeneration = (Math.floor(backup.header.generation / RESTORE_STEP) + 1) * RESTORE_STEP;
  const { format } = backup.header;
  const { store, generation } = initStore(dir, { ...options, firstGeneration, format }, (draft) => {
    for (const { table, name, record } of backup.records()) {
      draft.put(table, name, renewed(table, record, firstGeneration) as Tables[TableName]);
    }
  });
  return { store, generation, backup: backup.header };
}

/** A placement with the epoch of generation `gen`; any other record as it is. */
export function renewed(table: TableName, record: AnyRecord, gen: number): AnyRecord {
  return table === 'placements' ? { ...(record as PlacementRecord), since: gen } : record;
}
