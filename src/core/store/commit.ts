/**
 * Making generation N exist (C4 to C13). Each step is a type: a wrong order does not compile.
 *
 *   Prepared --C4,C5--> Stored --C6--> Written --C7--> Checked --C9,C10--> Linked --C11--> Flushed --C12,C13--> Manifest
 *
 * Outcomes: the manifest; Conflict (somebody was faster: nothing is left of the attempt); a CfsError with a code of the
 * system (failed, nothing was changed) or COMMIT_UNSURE (may or may not have been committed).
 *
 * All of it runs without giving way to the event loop, so that a signal either comes before C4 or after C13.
 */
import { CfsError } from '../errors.js';
import { isSystemCallError } from '../platform/files.js';
import type { Heads } from './head.js';
import { MAX_MANIFEST_BYTES, temporaryName } from './layout.js';
import { encodeManifest, type Manifest, type NewManifest } from './manifest.js';
import type { Place } from './place.js';
import type { PendingFile } from './plan-tables.js';
import { systemError } from './system-error.js';
import { flushDirectory, writeNew } from './write-file.js';

/** Somebody else committed this generation first; begin again from the new head. */
export class Conflict extends Error {}

export interface Attempt {
  /** The generation that must still be the newest, and its floor; null for a cluster's first generation. */
  base: { gen: number; floor: number } | null;
  next: NewManifest;
  /** Table files that `next` names and that are not on disk yet. */
  files: readonly PendingFile[];
}

interface Prepared extends Attempt {
  temporary: string;
  target: string;
  /** Names made by this attempt, to be removed if it comes to nothing. */
  made: string[];
}
type Stored = Prepared & { readonly stored: true };
type Written = Stored & { readonly written: { sum: string; tablesText: string } };
type Checked = Written & { readonly checked: true };
type Linked = Checked & { readonly linked: true };
type Flushed = Linked & { readonly flushed: true };

/** Runs one attempt. @throws Conflict, CfsError */
export function commit(place: Place, heads: Heads, attempt: Attempt): Manifest {
  const { paths } = place;
  const prepared: Prepared = {
    ...attempt,
    temporary: `${paths.manifests}/${temporaryName(attempt.next.gen, attempt.next.txid)}`,
    target: heads.pathOf(attempt.next.gen),
    made: [],
  };
  let linked: Linked;
  try {
    linked = link(place, heads, check(heads, writeManifest(place, storeTables(place, prepared))));
  } catch (error) {
    if (!(error instanceof CfsError && error.code === 'COMMIT_UNSURE')) discard(place, prepared);
    throw error;
  }
  return confirm(place, heads, flush(place, linked));
}

const UNCHANGED = 'nothing was changed';

/** C4, C5. */
function storeTables(place: Place, attempt: Prepared): Stored {
  const { files } = place.platform;
  for (const { name, bytes } of attempt.files) {
    const path = `${place.paths.tables}/${name}`;
    attempt.made.push(path);
    try {
      writeNew(files, 'table', path, bytes, place.modes.file);
    } catch (error) {
      throw systemError(error, 'write', path, UNCHANGED);
    }
  }
  if (attempt.files.length > 0) {
    try {
      flushDirectory(files, 'tables-dir', place.paths.tables);
    } catch (error) {
      throw systemError(error, 'flush', place.paths.tables, UNCHANGED);
    }
  }
  return Object.assign(attempt, { stored: true as const });
}

/** C6. */
function writeManifest(place: Place, attempt: Stored): Written {
  const { bytes, sum, tablesText } = encodeManifest(attempt.next);
  if (bytes.length > MAX_MANIFEST_BYTES) {
    throw new CfsError('BUG', `the manifest would have ${bytes.length} bytes, more than readers accept; ${UNCHANGED}`);
  }
  attempt.made.push(attempt.temporary);
  try {
    writeNew(place.platform.files, 'manifest', attempt.temporary, bytes, place.modes.file);
  } catch (error) {
    throw systemError(error, 'write', attempt.temporary, UNCHANGED);
  }
  return Object.assign(attempt, { written: { sum, tablesText } });
}

/**
 * C7. Must come after C6: from now on a collector that could free slot N has to remove our temporary name first (G5), so
 * that the link cannot succeed on a freed slot.
 */
function check(heads: Heads, attempt: Written): Checked {
  if (!heads.isStillHead(attempt.base)) throw new Conflict();
  return Object.assign(attempt, { checked: true as const });
}

/** C9 and C10. The exclusive link is what all correctness rests on. */
function link(place: Place, heads: Heads, attempt: Checked): Linked {
  try {
    place.platform.files.link('manifest.link', attempt.temporary, attempt.target);
  } catch (error) {
    if (!isSystemCallError(error)) throw error;
    judgeFailedLink(place, heads, attempt, error);
  }
  return Object.assign(attempt, { linked: true as const });
}

/** C10: returns when the slot holds our transaction after all (a network file system lost the reply). */
function judgeFailedLink(place: Place, heads: Heads, attempt: Checked, error: Error & { code: string }): void {
  let removed = true;
  try {
    place.platform.files.unlink('manifest.unlink', attempt.temporary);
  } catch (e) {
    removed = isSystemCallError(e, 'ENOENT');
    if (!isSystemCallError(e)) throw e;
  }
  let inSlot: Manifest | null;
  try {
    inSlot = heads.at(attempt.next.gen);
  } catch (e) {
    if (!isSystemCallError(e, 'ENOENT'))
      throw unsure(attempt, 'the link failed, and what holds its place cannot be read', e);
    inSlot = null;
  }
  if (inSlot !== null) {
    if (inSlot.txid === attempt.next.txid) return;
    throw new Conflict();
  }
  if (!removed) throw unsure(attempt, 'the link failed, and its temporary name cannot be removed', error);
  if (error.code === 'ENOENT') throw new Conflict();
  // Taken, they say, and yet not there: somebody may have taken it, or a lost reply may have been ours, and been collected.
  if (error.code === 'EEXIST') throw unsure(attempt, 'its place was taken and then freed', error);
  throw systemError(error, 'link', attempt.target, UNCHANGED);
}

/** C11. Never a second fsync in hope of success, never undoing a visible generation. */
function flush(place: Place, attempt: Linked): Flushed {
  try {
    flushDirectory(place.platform.files, 'manifests-dir', place.paths.manifests);
  } catch (error) {
    if (!isSystemCallError(error)) throw error;
    throw unsure(attempt, `it is visible but may not be on disk (${error.code})`, error);
  }
  return Object.assign(attempt, { flushed: true as const });
}

/**
 * C12 and C13. A writer that was stopped before C9 for very long could have linked into a slot that was taken and collected
 * meanwhile. A guard still present proves it was not; without one the newest generation tells.
 */
function confirm(place: Place, heads: Heads, attempt: Flushed): Manifest {
  const { next, written } = attempt;
  const manifest: Manifest = { ...next, changes: null, sum: written.sum, tablesText: written.tablesText };
  let certain: boolean;
  try {
    certain = heads.hasGuard(next.gen, next.floor) || isInHistory(heads, next.gen);
  } catch (error) {
    if (!(error instanceof CfsError)) throw error;
    throw unsure(attempt, 'the newest generation cannot be read back', error);
  }
  if (!certain) throw unsure(attempt, 'its place had been freed by a collection');
  try {
    place.platform.files.unlink('manifest.unlink', attempt.temporary);
  } catch (error) {
    // C13: a temporary name left behind changes nothing; the next collection removes it.
    if (!isSystemCallError(error)) throw error;
  }
  heads.committed(manifest);
  return manifest;
}

/** The head is never collected, so if it is `gen` itself nothing needs to be read. */
function isInHistory(heads: Heads, gen: number): boolean {
  if (heads.number() === gen) return true;
  const head = heads.newest();
  return head.gen >= gen && head.floor <= gen;
}

function unsure(attempt: Prepared, why: string, cause?: unknown): CfsError {
  const { txid, gen } = attempt.next;
  return new CfsError('COMMIT_UNSURE', `generation ${gen} may or may not have been committed: ${why}`, {
    hint: `Look the transaction up with: cfs history --txid ${txid}`,
    ...(isSystemCallError(cause) ? { errno: cause.code } : {}),
    details: { txid, generation: gen },
    cause,
  });
}

/** Removes what an attempt made that came to nothing. Failures are left to the next collection. */
function discard(place: Place, attempt: Prepared): void {
  for (const path of attempt.made.reverse()) {
    try {
      place.platform.files.unlink('discard.unlink', path);
    } catch (error) {
      if (!isSystemCallError(error)) throw error;
    }
  }
}
