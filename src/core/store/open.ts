/** Opening the store of an existing cluster directory. */
import { CfsError } from '../errors.js';
import { formatLimit } from '../model/format.js';
import { type FileStat, isSystemCallError } from '../platform/files.js';
import type { Platform } from '../platform/platform.js';
import { type Json, jsonMembers } from './json.js';
import { type Modes, PLAIN_MODES, pathsOf } from './layout.js';
import { DEFAULT_LOCK_POLICY, type LockPolicy, type LockTimes } from './lock-policy.js';
import { type Bounds, DEFAULT_BOUNDS, type Place } from './place.js';
import { readWhole, Unfit } from './read-file.js';
import { SharedDirectoryStore, type StoreSettings } from './shared-directory-store.js';
import type { Actor, Snapshot } from './store.js';
import { systemError } from './system-error.js';

export interface StoreOptions {
  platform: Platform;
  /** Times of the lock as the cluster's own settings have them; asked when a process locks for the first time. */
  lockPolicy?: (snapshot: Snapshot) => LockPolicy;
  /** These outrank the policy; tests choose them. */
  lockTimeoutMs?: number;
  lockTimes?: LockTimes;
  /** False, or CFS_NO_LOCK=1 in the environment: go without the courtesy lock. A test aid: every promise still holds. */
  lock?: boolean;
  /** Who commits; default: this process. */
  actor?: Actor;
  /** True, or CFS_VERIFY=1 in the environment: check everything after each commit. */
  verify?: boolean;
  /** Tests make these small. */
  bounds?: Partial<Bounds>;
}

const MAX_CLUSTER_FILE_BYTES = 4096;

/**
 * Opens the cluster in `dir`. Reads only cluster.json; costs the same whatever the cluster's size.
 * @throws CfsError CLUSTER_NOT_FOUND, CLUSTER_DAMAGED, UNSAFE_DIRECTORY, ACCESS_DENIED
 */
export function openStore(dir: string, options: StoreOptions): SharedDirectoryStore {
  const place = placeOf(dir, options);
  const mode = checkDirectory(place);
  place.modes = modesLike(mode);
  return new SharedDirectoryStore(place, readCluster(place), settingsOf(options));
}

export function placeOf(dir: string, options: StoreOptions): Place {
  const root = dir.length > 1 && dir.endsWith('/') ? dir.slice(0, -1) : dir;
  return {
    platform: options.platform,
    paths: pathsOf(root),
    modes: PLAIN_MODES,
    bounds: { ...DEFAULT_BOUNDS, ...options.bounds },
    format: formatLimit(options.platform.processes),
  };
}

export function settingsOf(options: StoreOptions): StoreSettings {
  const { processes } = options.platform;
  return {
    lockPolicy: (snapshot) => {
      const { timeoutMs, times } = lockPolicyOf(options, snapshot);
      return { timeoutMs: options.lockTimeoutMs ?? timeoutMs, times: options.lockTimes ?? times };
    },
    lock: options.lock ?? processes.env('CFS_NO_LOCK') !== '1',
    actor: options.actor ?? null,
    verify: options.verify ?? processes.env('CFS_VERIFY') === '1',
  };
}

function lockPolicyOf(options: StoreOptions, snapshot: () => Snapshot): LockPolicy {
  if (options.lockPolicy === undefined) return DEFAULT_LOCK_POLICY;
  try {
    return options.lockPolicy(snapshot());
  } catch (error) {
    if (error instanceof CfsError) return DEFAULT_LOCK_POLICY;
    throw error;
  }
}

/** Directories and files made later get the modes that init gave the first ones. */
function modesLike(mode: number): Modes {
  return { directory: mode & 0o7777, file: PLAIN_MODES.file };
}

/** @returns the directory's mode @throws CfsError CLUSTER_NOT_FOUND, UNSAFE_DIRECTORY */
function checkDirectory(place: Place): number {
  const { mode } = checkOwner(place);
  if ((mode & 0o002) !== 0) throw unsafe(place, 'everybody can write in it', 'Take that away: chmod o-w');
  return mode;
}

/**
 * Refuses a directory that others than root and the caller could have prepared: who can write there decides what runs.
 * @throws CfsError CLUSTER_NOT_FOUND, UNSAFE_DIRECTORY
 */
export function checkOwner(place: Place): FileStat {
  const { root } = place.paths;
  const { files, processes } = place.platform;
  let stat: FileStat;
  try {
    stat = files.stat('root.stat', root);
  } catch (error) {
    if (isSystemCallError(error, 'ENOENT', 'ENOTDIR'))
      throw noCluster(root, 'the directory does not exist', 'Is its storage mounted? ');
    throw systemError(error, 'look at', root);
  }
  if (stat.kind !== 'directory') throw noCluster(root, 'it is not a directory');
  if (processes.uid !== null && stat.uid !== 0 && stat.uid !== processes.uid) {
    throw unsafe(place, `its owner (user ${stat.uid}) is neither root nor you`, 'Make root its owner: chown root');
  }
  return stat;
}

function unsafe(place: Place, why: string, hint: string): CfsError {
  const { root } = place.paths;
  return new CfsError('UNSAFE_DIRECTORY', `${root} is refused: ${why}`, {
    hint: `${hint} ${root}`,
    details: { path: root },
  });
}

/** The cluster's identity. @throws CfsError CLUSTER_NOT_FOUND, CLUSTER_DAMAGED */
export function readCluster(place: Place): string {
  const { cluster, root } = place.paths;
  const damaged = (why: string): CfsError =>
    new CfsError('CLUSTER_DAMAGED', `${cluster} ${why}`, {
      hint: 'Restore that file from a backup; the database itself is in manifests/ and tables/.',
      details: { path: cluster },
    });
  try {
    const bytes = readWhole(place.platform.files, 'cluster', cluster, MAX_CLUSTER_FILE_BYTES);
    const identity = jsonMembers(JSON.parse(bytes.toString('utf8')) as Json).get('cluster');
    if (typeof identity !== 'string' || !/^[0-9a-f-]{36}$/.test(identity)) throw new Unfit('does not name a cluster');
    return identity;
  } catch (error) {
    if (error instanceof Unfit) throw damaged(error.message);
    if (error instanceof SyntaxError) throw damaged('is not JSON');
    if (isSystemCallError(error, 'ENOENT')) throw noCluster(root, 'it holds no cluster.json');
    throw systemError(error, 'read', cluster);
  }
}

function noCluster(root: string, why: string, first = ''): CfsError {
  return new CfsError('CLUSTER_NOT_FOUND', `there is no cluster in ${root}: ${why}`, {
    hint: `${first}A new cluster is made by: cfs init --dir ${root}`,
    details: { path: root },
  });
}
