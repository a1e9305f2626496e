/** check (section 8): all manifests in [floor, head] with sums, the unbroken chain of parents, and every table file they name. */
import { CfsError } from '../errors.js';
import type { FileRef, Manifest } from './manifest.js';
import type { SharedDirectoryStore } from './shared-directory-store.js';

export interface CheckProblem {
  code: string;
  generation: number;
  message: string;
}

export interface CheckReport {
  oldest: number;
  newest: number;
  problems: CheckProblem[];
}

export function checkStore(store: SharedDirectoryStore): CheckReport {
  const head = store.heads.newest();
  const problems: CheckProblem[] = [];
  const checked = new Set<string>();
  let previous: Manifest | null = null;
  for (let gen = head.floor; gen <= head.gen; gen++) {
    try {
      const manifest = store.manifest(gen);
      if (previous !== null && manifest.parent !== previous.sum) {
        problems.push({
          code: 'MANIFEST_DAMAGED',
          generation: gen,
          message: `generation ${gen} was not built on the one before it`,
        });
      }
      checkFiles(store, manifest, checked);
      previous = manifest;
    } catch (error) {
      if (!(error instanceof CfsError)) throw error;
      problems.push({ code: error.code, generation: gen, message: error.message });
      previous = null;
    }
  }
  return { oldest: head.floor, newest: head.gen, problems };
}

function checkFiles(store: SharedDirectoryStore, manifest: Manifest, checked: Set<string>): void {
  const once = (ref: FileRef | null): void => {
    if (ref === null || checked.has(ref[0])) return;
    store.reader.verify(manifest.gen, ref);
    checked.add(ref[0]);
  };
  for (const [table, entry] of manifest.tables) {
    if (entry.index !== undefined) once(entry.index);
    for (const ref of store.reader.refs(manifest.gen, table, entry)) once(ref);
  }
}
