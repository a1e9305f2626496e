/** Walking through the generations that are kept. */
import { CfsError } from '../errors.js';
import { infoOf } from './manifest.js';
import type { SharedDirectoryStore } from './shared-directory-store.js';
import type { GenerationInfo } from './store.js';

/**
 * Generations, newest first; those that a repair has given up are left out. Lazy: each costs one manifest.
 * @param from where to begin (default: the newest)
 * @throws CfsError GENERATION_NOT_FOUND, MANIFEST_DAMAGED at the generation in question
 */
export function* history(store: SharedDirectoryStore, from?: number): Iterable<GenerationInfo> {
  const { floor } = store.manifest();
  const skipped = new Set<number>();
  for (let gen = from ?? store.manifest().gen; gen >= floor; gen--) {
    if (skipped.has(gen)) continue;
    // Collected while we walked: the history that is left ends here.
    if (gen < store.heads.newest().floor) return;
    const manifest = store.manifest(gen);
    for (const skip of manifest.repair?.skips ?? []) skipped.add(skip);
    yield infoOf(manifest);
  }
}

/** The generation that a transaction made. @throws CfsError TRANSACTION_NOT_FOUND, MANIFEST_DAMAGED */
export function findTransaction(store: SharedDirectoryStore, txid: string): GenerationInfo {
  for (const info of history(store)) if (info.txid === txid) return info;
  const { floor, gen } = store.manifest();
  throw new CfsError('TRANSACTION_NOT_FOUND', `no generation from ${floor} to ${gen} was made by transaction ${txid}`, {
    hint:
      floor === store.heads.newest().gen
        ? 'Only the newest generation is kept.'
        : 'It was not committed, unless it was collected since or its commit is still under way.',
    details: { txid, oldest: floor, newest: gen },
  });
}
