/**
 * Garbage collection (section 7, G1 to G7). Needs no clock and no lock after G2; may run beside anything.
 *
 * Why it is safe: a file made for generation g is unwanted once slot g is taken, since its maker can no longer take that
 * slot. So whatever has a number up to the head's and is not named by a kept manifest can go; whatever is higher belongs
 * to a commit under way. Age is never a reason to delete a manifest or a table file.
 */
import { CfsError } from '../errors.js';
import { type FileStat, isSystemCallError } from '../platform/files.js';
import { examineManifest, filesOf, isProblem, type Listing, leftoverPaths, leftoversOf, listAll } from './inspect.js';
import { COLLECT_BLOCK, LEAST_KEPT } from './layout.js';
import type { Manifest } from './manifest.js';
import type { SharedDirectoryStore } from './shared-directory-store.js';
import type { CommitInfo, TransactOptions } from './store.js';
import { systemError } from './system-error.js';
import { flushDirectory } from './write-file.js';

export interface CompactOptions extends Pick<TransactOptions, 'dryRun' | 'lockTimeoutMs' | 'onWait'> {
  info: CommitInfo;
  /** Generations to keep, at least 100. */
  keep: number;
  /** Keep also whatever is younger than this, ms, by the times in the manifests (a policy, not a safety rule). */
  keepMs?: number;
  /** Lower bound of `keep`; tests keep fewer. */
  leastKept?: number;
  /** Fold the overlay into the shards as well. */
  fold?: boolean;
}

export interface CompactReport {
  /** Oldest generation before and after. */
  floorBefore: number;
  floor: number;
  /** The generation that raised the floor or folded; null if none was needed, or there was no space for it. */
  generation: number | null;
  /** There was no space for that generation: neither was the floor raised nor anything folded. */
  noSpace: boolean;
  /** What was removed, or would be. */
  manifests: number;
  temporaries: number;
  tableFiles: number;
  others: number;
  bytes: number;
  /** On a dry run: the paths. */
  paths: string[];
}

const HOUR_MS = 3_600_000;

/** @throws CfsError MANIFEST_DAMAGED (nothing is removed while anything kept is damaged), IO_ERROR, LOCK_TIMEOUT … */
export async function compactStore(store: SharedDirectoryStore, options: CompactOptions): Promise<CompactReport> {
  const keep = Math.max(options.keep, options.leastKept ?? LEAST_KEPT);
  const before = store.heads.newest();
  const floor = wantedFloor(store, before, keep, options.keepMs ?? 0);
  if (options.dryRun) {
    const garbage = findGarbage(store, before, floor);
    return { ...reportOf(store, garbage, before, floor, null), paths: leftoverPaths(store, garbage) };
  }
  const isWanted = floor > before.floor || (options.fold ?? false);
  const generation = isWanted ? await raiseFloor(store, floor, options) : null;
  try {
    const head = store.heads.newest();
    const garbage = findGarbage(store, head, head.floor);
    const report = reportOf(store, garbage, before, head.floor, generation);
    collect(store, garbage);
    return { ...report, noSpace: isWanted && generation === null };
  } catch (error) {
    throw generation === null ? error : afterCommit(error, generation);
  }
}

/** What failed was not all: without this a user would take it that nothing was changed. */
function afterCommit(error: unknown, generation: number): unknown {
  if (!(error instanceof CfsError)) return error;
  const { code, message, hint, errno, details, cause } = error;
  return new CfsError(code, `${message}; generation ${generation} had been committed before`, {
    ...(hint === undefined ? {} : { hint }),
    ...(errno === undefined ? {} : { errno }),
    details: { ...details, generation },
    cause,
  });
}

/** G3 to G7 against the newest generation, without raising the floor. @throws as `compactStore` */
export function collectGarbage(store: SharedDirectoryStore): void {
  const head = store.heads.newest();
  collect(store, findGarbage(store, head, head.floor));
}

/** max(old floor, H - keep + 1), but not above the first generation that is young enough. */
function wantedFloor(store: SharedDirectoryStore, head: Manifest, keep: number, keepMs: number): number {
  // Nothing to gain: without this every run would commit a generation and remove one, for ever.
  if (head.gen - head.floor < keep) return head.floor;
  const byNumber = head.gen - keep + 1;
  if (keepMs <= 0) return byNumber;
  const oldestMs = store.place.platform.clock.nowMs() - keepMs;
  for (let gen = head.floor; gen < byNumber; gen++) {
    const manifest = examineManifest(store, gen);
    if (!isProblem(manifest) && Date.parse(manifest.time) >= oldestMs) return gen;
  }
  return byNumber;
}

/** G2. On a full disk it is skipped: collecting what is garbage already makes room. */
async function raiseFloor(store: SharedDirectoryStore, floor: number, options: CompactOptions): Promise<number | null> {
  const { info, lockTimeoutMs, onWait, fold } = options;
  try {
    const outcome = await store.change({ info, floor, always: true, ...(fold ? { fold } : {}) }, () => {}, {
      ...(lockTimeoutMs === undefined ? {} : { lockTimeoutMs }),
      ...(onWait === undefined ? {} : { onWait }),
    });
    return outcome.generation;
  } catch (error) {
    if (error instanceof CfsError && error.code === 'NO_SPACE') return null;
    throw error;
  }
}

/**
 * G3 and G4. The flush comes after the listing and before any removal: a manifest that a killed collector removed, and that
 * is therefore not listed, must be gone for good before newer ones go (see head.ts).
 */
function findGarbage(store: SharedDirectoryStore, head: Manifest, floor: number): Listing {
  const listing = listAll(store);
  const live = new Set<string>();
  const skipped = new Set<number>();
  for (let gen = head.gen; gen >= floor; gen--) {
    if (skipped.has(gen)) continue;
    const manifest = gen === head.gen ? head : examineManifest(store, gen);
    if (isProblem(manifest)) {
      throw new CfsError('MANIFEST_DAMAGED', `${manifest.message}; nothing was removed`, {
        hint: 'Look with: cfs db check. Then: cfs db repair --dry-run',
        details: { path: manifest.path, generation: gen },
      });
    }
    for (const skip of manifest.repair?.skips ?? []) skipped.add(skip);
    for (const ref of filesOf(store, manifest)) live.add(ref[0]);
  }
  const garbage = leftoversOf(listing, floor, head.gen, live);
  return { ...garbage, others: garbage.others.filter((name) => isOld(store, `${store.place.paths.root}/${name}`)) };
}

function isOld(store: SharedDirectoryStore, path: string): boolean {
  const { files, clock } = store.place.platform;
  let stat: FileStat;
  try {
    stat = files.stat('other.stat', path);
  } catch (error) {
    if (isSystemCallError(error)) return false;
    throw error;
  }
  return clock.nowMs() - stat.mtimeMs > HOUR_MS;
}

/** G5, G6, G7, in this order. */
function collect(store: SharedDirectoryStore, garbage: Listing): void {
  const { platform, paths } = store.place;
  const { files } = platform;
  const flush = (): void => {
    try {
      flushDirectory(files, 'collect-dir', paths.manifests);
    } catch (error) {
      throw systemError(error, 'flush', paths.manifests);
    }
  };
  flush();
  for (const { name } of garbage.temporaries) remove(store, 'collect.unlink-temporary', `${paths.manifests}/${name}`);
  let block: number | null = null;
  for (const gen of garbage.manifests) {
    const next = Math.floor(gen / COLLECT_BLOCK);
    if (block !== null && next !== block) flush();
    block = next;
    remove(store, 'collect.unlink-manifest', store.heads.pathOf(gen));
  }
  if (block !== null) flush();
  for (const { name } of garbage.tables) remove(store, 'collect.unlink-table', `${paths.tables}/${name}`);
  for (const name of garbage.others) {
    const path = `${paths.root}/${name}`;
    try {
      if (name.endsWith('.d')) files.rmdir('collect.rmdir', path);
      else files.unlink('collect.unlink-other', path);
    } catch (error) {
      if (!isSystemCallError(error)) throw error;
    }
  }
}

/** Any failure except "no such file" stops the collection: what comes later relies on it. */
function remove(
  store: SharedDirectoryStore,
  label: 'collect.unlink-temporary' | 'collect.unlink-manifest' | 'collect.unlink-table',
  path: string,
): void {
  try {
    store.place.platform.files.unlink(label, path);
  } catch (error) {
    if (isSystemCallError(error, 'ENOENT')) return;
    throw systemError(error, 'remove', path, 'the collection stopped there; no kept generation is affected');
  }
}

function reportOf(
  store: SharedDirectoryStore,
  garbage: Listing,
  before: Manifest,
  floor: number,
  generation: number | null,
): CompactReport {
  let bytes = 0;
  for (const path of leftoverPaths(store, garbage)) {
    try {
      bytes += store.place.platform.files.stat('garbage.stat', path).sizeBytes;
    } catch (error) {
      if (!isSystemCallError(error)) throw error;
    }
  }
  return {
    floorBefore: before.floor,
    floor,
    generation,
    noSpace: false,
    manifests: garbage.manifests.length,
    temporaries: garbage.temporaries.length,
    tableFiles: garbage.tables.length,
    others: garbage.others.length,
    bytes,
    paths: [],
  };
}
