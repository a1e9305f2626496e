/**
 * Everything `cfs metrics` tells. What is stopped or absent stays visible: every state is there with 0, every node of the
 * configuration has its series, and a cluster that cannot be read is `cfs_up 0`.
 */
import type { SharedDirectoryStore } from '../store/shared-directory-store.js';
import { databaseMetrics } from './database.js';
import { directoryMetrics } from './directory.js';
import { Families, type Family, sample } from './exposition.js';
import { tableMetrics } from './tables.js';

function begin(isUp: boolean, version: string): Families {
  const families = new Families();
  families.gauge('cfs_up', 'Whether the cluster could be read.', sample(isUp));
  families.gauge('cfs_build_info', 'The cfs that made this.', sample(1, { version }));
  return families;
}

/**
 * Reads the newest generation and the directory beside it; writes nothing.
 * @param nowMs wall-clock time, ms since the epoch: for ages, which are estimates
 * @throws CfsError what kept it from reading
 */
export function clusterMetrics(store: SharedDirectoryStore, version: string, nowMs: number): Family[] {
  const families = begin(true, version);
  const snapshot = store.snapshot();
  tableMetrics(families, snapshot, nowMs);
  databaseMetrics(families, store);
  directoryMetrics(families, store, snapshot, nowMs);
  return families.all;
}

/** What is left to be said when it cannot be read. */
export function downMetrics(version: string): Family[] {
  return begin(false, version).all;
}
