/**
 * repair (section 8), asked for explicitly: publishes highest + 1 from the newest generation that checks fully. Never
 * removes or renames a manifest: what is given up stays where it is, for whoever wants to look, until it is collected.
 */
import { CfsError } from '../errors.js';
import { commit } from './commit.js';
import { MemoryDraft } from './draft.js';
import { examineManifest, examineTables, isProblem, listAll, type Problem } from './inspect.js';
import type { Manifest } from './manifest.js';
import { planTables } from './plan-tables.js';
import { recorded } from './recorded.js';
import { renewed } from './restore.js';
import type { SharedDirectoryStore } from './shared-directory-store.js';
import { StoredSnapshot } from './snapshot.js';
import type { CommitInfo, TransactOptions } from './store.js';

export interface RepairReport {
  /** False: everything is sound, nothing was or would be done. */
  needed: boolean;
  /** The newest generation that checks fully: what the database goes back to. */
  from: number;
  /** Highest number there was. */
  newest: number;
  /** Generations given up: every change they made, as far as `from` does not hold it, is lost. */
  skips: number[];
  problems: Problem[];
  /** The generation made; null if none was. */
  generation: number | null;
  txid: string | null;
}

interface Diagnosis {
  newest: number;
  floor: number;
  from: Manifest;
  skips: number[];
  problems: Problem[];
}

/**
 * @throws CfsError MANIFEST_DAMAGED when no generation can be saved, LOCK_TIMEOUT, COMMIT_UNSURE, NO_SPACE …
 */
export async function repairStore(
  store: SharedDirectoryStore,
  info: CommitInfo,
  options: Pick<TransactOptions, 'dryRun' | 'lockTimeoutMs' | 'onWait'> = {},
): Promise<RepairReport> {
  const report = (d: Diagnosis, made: Manifest | null): RepairReport => ({
    needed: d.skips.length > 0,
    from: d.from.gen,
    newest: d.newest,
    skips: d.skips,
    problems: d.problems,
    generation: made?.gen ?? null,
    txid: made?.txid ?? null,
  });
  if (options.dryRun) return report(diagnose(store), null);
  return store.exclusively(options, () => {
    const diagnosis = diagnose(store);
    return report(diagnosis, diagnosis.skips.length === 0 ? null : publish(store, info, diagnosis));
  });
}

function diagnose(store: SharedDirectoryStore): Diagnosis {
  const newest = store.heads.number();
  const lost = (why: string): CfsError =>
    new CfsError('MANIFEST_DAMAGED', `${why}; nothing was changed`, { hint: 'Restore a backup: cfs db restore' });
  if (newest === null) throw lost(`there is no manifest in ${store.place.paths.manifests}`);
  let floor = listAll(store).manifests[0] ?? newest;
  let isFloorKnown = false;
  let from: Manifest | null = null;
  const sound = new Set<string>();
  const covered = new Set<number>();
  const skips: number[] = [];
  const problems: Problem[] = [];
  for (let gen = newest; gen >= floor; gen--) {
    if (covered.has(gen)) continue;
    const manifest = examineManifest(store, gen);
    const found = isProblem(manifest) ? [manifest] : examineTables(store, manifest, sound);
    if (!isProblem(manifest)) {
      // A kept generation whose manifest is gone counts as damaged, at the old end too.
      if (!isFloorKnown) floor = manifest.floor;
      isFloorKnown = true;
    }
    if (found.length > 0 || isProblem(manifest)) {
      problems.push(...found);
      skips.push(gen);
      continue;
    }
    for (const skip of manifest.repair?.skips ?? []) covered.add(skip);
    from ??= manifest;
  }
  if (from === null) throw lost('no generation is whole');
  return { newest, floor, from, skips: skips.filter((gen) => gen >= floor).reverse(), problems: problems.reverse() };
}

/** What the given-up generations did to placements and writers is not known: each gets an epoch that outranks theirs. */
function publish(store: SharedDirectoryStore, info: CommitInfo, { newest, floor, from, skips }: Diagnosis): Manifest {
  const { random, clock } = store.place.platform;
  const draft = new MemoryDraft(new StoredSnapshot(from, store.reader), newest + 1);
  for (const table of ['placements', 'writers'] as const) {
    for (const [name, record] of draft.base.table(table).entries()) {
      draft.put(table, name, renewed(table, record, newest + 1) as never);
    }
  }
  const planned = planTables({
    base: from,
    gen: newest + 1,
    changes: draft.changes(),
    reader: store.reader,
    bounds: store.place.bounds,
    nonce: () => random.hex(8),
  });
  return commit(store.place, store.heads, {
    base: { gen: newest, floor },
    files: planned.files,
    next: {
      format: from.format,
      gen: newest + 1,
      parent: from.sum,
      txid: random.hex(8),
      floor,
      ...recorded(info, store.actor),
      time: new Date(clock.nowMs()).toISOString(),
      counts: planned.counts,
      tables: planned.tables,
      overlay: planned.overlay,
      changesText: planned.changesText,
      repair: { from: from.gen, skips },
      tablesText: null,
    },
  });
}
