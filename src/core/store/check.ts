/**
 * check (section 8): all manifests in [floor, head] with sums, the unbroken chain of parents, and every table file that
 * they name; and what has been left behind. Reads only. Damage is reported, not thrown.
 */

import { CfsError } from '../errors.js';
import {
  examineManifest,
  examineTables,
  filesOf,
  isProblem,
  leftoverPaths,
  leftoversOf,
  listAll,
  type Problem,
} from './inspect.js';
import type { Manifest } from './manifest.js';
import type { SharedDirectoryStore } from './shared-directory-store.js';

export interface CheckReport {
  oldest: number;
  newest: number;
  /** Manifests and table files looked at. */
  generations: number;
  tableFiles: number;
  problems: Problem[];
  /** Paths that nothing refers to; harmless, removed by the next compaction. */
  leftovers: string[];
  /** Generations that a repair has given up. */
  skipped: number[];
}

/** @throws CfsError CLUSTER_NOT_FOUND, ACCESS_DENIED … but not for damage */
export function checkStore(store: SharedDirectoryStore): CheckReport {
  const newest = store.heads.number();
  if (newest === null) {
    throw new CfsError('MANIFEST_DAMAGED', `there is no manifest in ${store.place.paths.manifests}`, {
      hint: 'Restore a backup: cfs db restore',
    });
  }
  // Listed before anything is read: what is committed meanwhile is newer than `newest` and not looked at.
  const listing = listAll(store);
  const skipped = new Set<number>();
  const sound = new Set<string>();
  const live = new Set<string>();
  const problems: Problem[] = [];
  // Where the newest manifests are damaged, the oldest name that is there; else what the newest sound one says.
  let floor = listing.manifests[0] ?? newest;
  let isFloorKnown = false;
  let generations = 0;
  let child: Manifest | null = null;
  for (let gen = newest; gen >= floor; gen--) {
    if (skipped.has(gen)) continue;
    const manifest = examineManifest(store, gen);
    // Collected while we read: what is below the floor by now is nobody's loss.
    if (isProblem(manifest) && wasCollected(store, gen)) break;
    generations += 1;
    if (isProblem(manifest)) {
      problems.push(manifest);
      child = null;
      continue;
    }
    if (!isFloorKnown) floor = manifest.floor;
    isFloorKnown = true;
    for (const skip of manifest.repair?.skips ?? []) skipped.add(skip);
    const expected = child?.repair?.from ?? (child === null ? null : child.gen - 1);
    if (child !== null && expected === gen && child.parent !== manifest.sum) {
      problems.push({
        code: 'MANIFEST_DAMAGED',
        generation: child.gen,
        path: store.heads.pathOf(child.gen),
        message: `generation ${child.gen} was built on another generation ${gen} than the one that is there`,
      });
    }
    const found = examineTables(store, manifest, sound);
    if (found.length > 0 && wasCollected(store, gen)) break;
    problems.push(...found);
    collectLive(store, manifest, live);
    child = manifest;
  }
  problems.reverse();
  return {
    oldest: floor,
    newest,
    generations,
    tableFiles: sound.size,
    problems,
    leftovers: leftoverPaths(store, leftoversOf(listing, floor, newest, live)),
    skipped: [...skipped].filter((gen) => gen >= floor).sort((a, b) => a - b),
  };
}

function wasCollected(store: SharedDirectoryStore, gen: number): boolean {
  try {
    return store.heads.newest().floor > gen;
  } catch (error) {
    if (error instanceof CfsError) return false;
    throw error;
  }
}

function collectLive(store: SharedDirectoryStore, manifest: Manifest, live: Set<string>): void {
  try {
    for (const ref of filesOf(store, manifest)) live.add(ref[0]);
  } catch (error) {
    // An unreadable index has been reported; what it named cannot be told from leftovers, which are only listed here.
    if (!(error instanceof CfsError)) throw error;
  }
}
