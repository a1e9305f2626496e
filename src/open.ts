/** Opening and creating clusters on this machine's file system: the library's entry points, used by the commands too. */
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type Cluster, clusterOf, decision } from './core/cluster.js';
import { CfsError } from './core/errors.js';
import { settingOf } from './core/model/settings.js';
import { openStore, type SharedDirectoryStore } from './core/store/index.js';
import type { LockPolicy } from './core/store/lock-policy.js';
import type { GenerationInfo, Snapshot } from './core/store/store.js';
import { nodePlatform } from './node/platform.js';

/** A cluster in a shared directory. */
export type DirectoryCluster = Cluster<SharedDirectoryStore>;

export interface OpenOptions {
  /** The cluster directory. */
  dir: string;
}

/**
 * Opens the cluster in a directory. Reads one small file; nothing is locked and nothing needs to be closed.
 * @throws CfsError CLUSTER_NOT_FOUND, CLUSTER_DAMAGED, UNSAFE_DIRECTORY, ACCESS_DENIED
 */
export async function openCluster(options: OpenOptions): Promise<DirectoryCluster> {
  const dir = resolve(options.dir);
  return clusterOf(dir, openStore(dir, { platform: nodePlatform(), lockPolicy }));
}

export interface CreateOptions extends OpenOptions {
  /** What the cluster holds at first: see readDocument, parseDocument and templateDocument. */
  document: import('./core/config/document.js').ClusterDocument;
  /** Where the document came from, for history. */
  source?: string;
  /** A group (name or number) whose members may use the cluster: directories 2770 instead of 0750. */
  group?: string;
  /** Why; goes into history. */
  message?: string | null;
}

/**
 * Creates a cluster: the directory, a probe of its file system, and generation 1 (what `created` tells of).
 * @throws CfsError CLUSTER_EXISTS, UNSUITABLE_FILE_SYSTEM, BAD_VALUE and what else the document is refused for
 */
export async function createCluster(options: CreateOptions): Promise<DirectoryCluster & { created: GenerationInfo }> {
  const dir = resolve(options.dir);
  const { initStore } = await import('./core/store/init.js');
  const { init } = await import('./core/config/init.js');
  const request = { document: options.document, ...(options.source === undefined ? {} : { source: options.source }) };
  const decide = await decision(init, request);
  const { store, info } = initStore(
    dir,
    {
      platform: nodePlatform(),
      lockPolicy,
      info: { operation: init.name, request: init.recorded?.(request) ?? request, message: options.message ?? null },
      ...(options.group === undefined ? {} : { group: options.group }),
    },
    decide,
  );
  return { ...clusterOf(dir, store), created: info };
}

/** An early word for what `createCluster` would refuse in the end. @throws CfsError CLUSTER_EXISTS */
export function refuseExisting(dir: string): void {
  if (!existsSync(join(dir, 'cluster.json'))) return;
  throw new CfsError('CLUSTER_EXISTS', `there is a cluster in ${dir} already`, {
    hint: 'Look at it: cfs status. To begin anew, choose another directory.',
    details: { path: dir },
  });
}

/** The cluster's own times for its lock. */
function lockPolicy(snapshot: Snapshot): LockPolicy {
  const staleMs = settingOf(snapshot, 'lock.stale');
  // Renewed several times before it counts as left behind; the library takes at most half of it.
  return { timeoutMs: settingOf(snapshot, 'lock.timeout'), times: { staleMs, updateMs: Math.min(2000, staleMs / 2) } };
}
