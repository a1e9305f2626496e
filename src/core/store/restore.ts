/** Making a new cluster from a backup. (Putting one back into a living cluster is an ordinary change: an operation.) */
import type { AnyRecord, PlacementRecord, TableName, Tables, WriterRecord } from '../model/tables.js';
import { type BackupHeader, readBackup } from './backup.js';
import { type InitOptions, initStore } from './init.js';
import type { SharedDirectoryStore } from './shared-directory-store.js';

/** Distance between the last generation that a backup can know of and the first of what is restored from it. */
export const RESTORE_STEP = 1_000_000;

/**
 * Creates a cluster in an empty directory from a backup. Its first generation is the next multiple of 1,000,000 above the
 * backup's, and every volume's epoch is that, also that of the right to write it: whatever was given out after the backup was made is outranked. It keeps the
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

/**
 * What was given out since is not known: a placement gets the epoch of generation `gen`, and so does a right to write, whose writer is
 * to make its mount read-only and give it up, as somebody else may have got it. Any other record is as it was.
 */
export function renewed(table: TableName, record: AnyRecord, gen: number): AnyRecord {
  if (table === 'placements') return { ...(record as PlacementRecord), since: gen };
  if (table !== 'writers') return record;
  const writer: WriterRecord = { ...(record as WriterRecord), since: gen };
  if (writer.writer === null) return writer;
  return { ...writer, yields: writer.yields ?? { to: null, force: false, message: null } };
}
