/**
 * Making a cluster (section 8): directories, a probe of the file system, generation 1, and cluster.json as the last step.
 * A broken init can be repeated until it is complete; a finished one is refused.
 */
import { CfsError } from '../errors.js';
import { isSystemCallError } from '../platform/files.js';
import { commit } from './commit.js';
import { MemoryDraft, memorySnapshot, sameValue } from './draft.js';
import { GROUP_MODES, PLAIN_MODES, parseManifestName } from './layout.js';
import { checkOwner, placeOf, type StoreOptions, settingsOf } from './open.js';
import type { Place } from './place.js';
import { planTables } from './plan-tables.js';
import { probeFileSystem } from './probe.js';
import { recorded } from './recorded.js';
import { SharedDirectoryStore } from './shared-directory-store.js';
import type { CommitInfo, Draft, GenerationInfo } from './store.js';
import { systemError } from './system-error.js';
import { flushDirectory, writeNew } from './write-file.js';

export interface InitOptions extends StoreOptions {
  info: CommitInfo;
  /** A group (name or number) that may read and write: directories 2770 instead of 0750. */
  group?: string;
  /** Number of the first generation (default 1); a restore begins higher. */
  firstGeneration?: number;
  /** Format of the first generation (default: the newest this process knows); a restore keeps its backup's. */
  format?: number;
}

/** What a cluster directory may hold while its init is not finished. */
const OURS =
  /^(manifests|tables|leases|load|joins|mail|pending|volumes|lock|lock\..*|cluster\.json|\.probe.*|\.cluster\..*)$/;

/**
 * Creates the cluster directory and its first generation from what `decide` puts into an empty draft.
 * @throws CfsError CLUSTER_EXISTS, UNSUITABLE_FILE_SYSTEM, UNSAFE_DIRECTORY, COMMIT_UNSURE, NO_SPACE, ACCESS_DENIED …
 */
export function initStore<T>(
  dir: string,
  options: InitOptions,
  decide: (draft: Draft) => T,
): { store: SharedDirectoryStore; value: T; generation: number; info: GenerationInfo } {
  const place = placeOf(dir, options);
  const gid = options.group === undefined ? null : options.platform.processes.groupId(options.group);
  place.modes = gid === null ? PLAIN_MODES : GROUP_MODES;
  const gen = options.firstGeneration ?? 1;
  // The decision comes first: if it refuses, not even a directory is made.
  const draft = new MemoryDraft(memorySnapshot({}, gen - 1, options.format ?? place.format));
  const value = decide(draft);
  const names = existing(place);
  refuseForeign(place, names ?? []);
  if (names !== null) checkOwner(place);
  makeDirectories(place, gid);
  probeFileSystem(place);
  const settings = settingsOf(options);
  const store = new SharedDirectoryStore(place, '', settings);
  if (hasGeneration(place)) refuseOther(store, options, gen);
  else firstGeneration(place, store, options, draft, gen);
  // Everything that is told of it is read before the last step: after it nothing may fail as if there were no cluster.
  const info = store.info();
  const cluster = writeCluster(place, info);
  return { store: new SharedDirectoryStore(place, cluster, settings), value, generation: info.generation, info };
}

function hasGeneration(place: Place): boolean {
  const { manifests } = place.paths;
  try {
    return place.platform.files.list('manifests.list', manifests).some((name) => parseManifestName(name) !== null);
  } catch (error) {
    throw systemError(error, 'list', manifests, 'repeat cfs init to complete it');
  }
}

/**
 * A creation that was cut off, or a cluster.json that was lost, is completed by the request that began it and by no other:
 * another's document would be passed over without a word.
 */
function refuseOther(store: SharedDirectoryStore, options: InitOptions, gen: number): void {
  const newest = store.info();
  const first = store.oldestGeneration() === gen ? store.info(gen) : null;
  const asked = recorded(options.info, store.actor);
  if (first !== null && first.operation === asked.op && sameValue(first.request, asked.request)) return;
  const isInUse = newest.generation > gen;
  throw new CfsError(
    'CLUSTER_EXISTS',
    isInUse
      ? `${store.dir} holds generation ${newest.generation} of a cluster whose cluster.json is missing`
      : `${store.dir} holds a creation that was cut off and was asked for otherwise`,
    {
      hint:
        first === null
          ? 'Put cluster.json back from a copy of the directory, or choose another directory.'
          : `To complete it, repeat what began it: ${first.actor.command}; else choose another directory.`,
      details: { path: store.dir, begun: first?.request ?? null, asked: asked.request },
    },
  );
}

function existing(place: Place): string[] | null {
  const { root } = place.paths;
  try {
    return place.platform.files.list('root.list', root);
  } catch (error) {
    if (isSystemCallError(error, 'ENOENT')) return null;
    if (isSystemCallError(error, 'ENOTDIR')) {
      throw new CfsError('FILE_EXISTS', `${root} is not a directory; nothing was changed`, {
        hint: 'Choose an empty directory, or one that does not exist yet.',
        details: { path: root },
      });
    }
    throw systemError(error, 'list', root, 'nothing was changed');
  }
}

function refuseForeign(place: Place, names: readonly string[]): void {
  const { root } = place.paths;
  if (names.includes('cluster.json')) {
    throw new CfsError('CLUSTER_EXISTS', `there is a cluster in ${root} already`, {
      hint: 'Look at it: cfs status. To begin anew, choose another directory.',
      details: { path: root },
    });
  }
  const foreign = names.filter((name) => !OURS.test(name) && name !== 'lost+found');
  if (foreign.length > 0) {
    throw new CfsError('CLUSTER_EXISTS', `${root} is not empty: it holds ${JSON.stringify(foreign[0])}`, {
      hint: 'Choose an empty directory, or one that does not exist yet.',
      details: { path: root, names: foreign.slice(0, 10) },
    });
  }
}

function makeDirectories(place: Place, gid: number | null): void {
  const { files } = place.platform;
  const { root, manifests, tables } = place.paths;
  for (const path of [root, manifests, tables]) {
    try {
      files.mkdir('init.mkdir', path, place.modes.directory);
    } catch (error) {
      if (isSystemCallError(error, 'ENOENT')) {
        throw new CfsError('FILE_NOT_FOUND', `cannot make ${path}: the directory it would be in does not exist`, {
          hint: `Make that first: mkdir -p ${root.replace(/\/[^/]*$/, '') || '/'}`,
          details: { path },
        });
      }
      if (!isSystemCallError(error, 'EEXIST'))
        throw systemError(error, 'make the directory', path, 'nothing was changed');
    }
    try {
      if (gid !== null) files.chown('init.chown', path, -1, gid);
      files.chmod('init.chmod', path, place.modes.directory);
    } catch (error) {
      throw systemError(error, 'set the rights of', path);
    }
  }
  const parent = `${root}/..`;
  for (const path of [manifests, tables, root, parent]) {
    try {
      flushDirectory(files, 'init-dir', path);
    } catch (error) {
      // A parent that may be passed through but not read cannot be flushed; that is its owner's choice.
      if (path === parent && isSystemCallError(error, 'EACCES', 'EPERM')) continue;
      throw systemError(error, 'flush', path);
    }
  }
}

function firstGeneration(
  place: Place,
  store: SharedDirectoryStore,
  options: InitOptions,
  draft: MemoryDraft,
  gen: number,
): void {
  const { random, clock, processes } = place.platform;
  const planned = planTables({
    base: null,
    gen,
    changes: draft.changes(),
    reader: store.reader,
    bounds: place.bounds,
    nonce: () => random.hex(8),
  });
  commit(place, store.heads, {
    base: null,
    files: planned.files,
    next: {
      format: draft.format,
      gen,
      parent: null,
      txid: random.hex(8),
      floor: gen,
      ...recorded(options.info, options.actor ?? processes.actor()),
      time: new Date(clock.nowMs()).toISOString(),
      counts: planned.counts,
      tables: planned.tables,
      overlay: planned.overlay,
      changesText: planned.changesText,
      repair: null,
      tablesText: null,
    },
  });
}

/**
 * The last step: whoever sees cluster.json sees a finished cluster. By link, so that of two inits one wins.
 * @returns the cluster's identity @throws CfsError COMMIT_UNSURE when it is visible but perhaps not on disk
 */
function writeCluster(place: Place, made: GenerationInfo): string {
  const { files, random } = place.platform;
  const { cluster, root } = place.paths;
  const hex = random.hex(16);
  const variant = '89ab'[Number.parseInt(hex[16]!, 16) & 3]!;
  const uuid = `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20)}`;
  const temporary = `${root}/.cluster.${random.hex(8)}.tmp`;
  const discard = (): void => {
    try {
      files.unlink('cluster.unlink', temporary);
    } catch (error) {
      // A name left behind changes nothing; a collection removes it.
      if (!isSystemCallError(error)) throw error;
    }
  };
  try {
    writeNew(files, 'cluster', temporary, Buffer.from(`${JSON.stringify({ cluster: uuid })}\n`), place.modes.file);
    files.link('cluster.link', temporary, cluster);
  } catch (error) {
    discard();
    if (isSystemCallError(error, 'EEXIST')) {
      throw new CfsError('CLUSTER_EXISTS', `somebody else finished a cluster in ${root} just now`, {
        hint: 'Look at it: cfs status',
      });
    }
    throw systemError(error, 'write', cluster, 'repeat cfs init to complete it');
  }
  discard();
  try {
    flushDirectory(files, 'root-dir', root);
  } catch (error) {
    if (!isSystemCallError(error)) throw error;
    const { generation, txid } = made;
    throw new CfsError('COMMIT_UNSURE', `the cluster in ${root} is there but may not be on disk (${error.code})`, {
      hint: 'Look at it: cfs status. If it is gone after a power cut, repeat cfs init.',
      errno: error.code,
      details: { txid, generation, path: root },
      cause: error,
    });
  }
  return uuid;
}
