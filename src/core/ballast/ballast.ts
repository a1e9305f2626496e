/**
 * The ballast: a file of real blocks in the cluster directory that is given up when the file system is full, so that agents can
 * go on renewing their leases and one commit can still be made (DESIGN.md, "The shared directory"). Without it a full disk would
 * take down every node at once: nobody could renew, and everybody would fence itself.
 *
 * `DIR/ballast` is there whole, or it is missing: it is made under another name and put in place by an exclusive link. Only
 * agents and commands that give space back make it; nobody trusts its content.
 *
 * What it does not do: keep the freed blocks from whoever filled the disk. Agents give up nothing more after it, they raise the
 * alarm. It holds one inode, so that out of inodes it makes room for one renewal and for no commit. Where a file system copies on
 * write or reserves space in advance, the blocks may come back late, or not at all while a snapshot of the volume holds them.
 */
import { CfsError } from '../errors.js';
import { isSystemCallError } from '../platform/files.js';
import type { Place } from '../store/place.js';
import { systemError } from '../store/system-error.js';
import { flushDirectory } from '../store/write-file.js';

/** Where the ballast lies and what touches it; a store has it as `store.place`. */
export type BallastPlace = Pick<Place, 'platform' | 'paths' | 'modes'>;

/** What the ballast holds, bytes. */
export const BALLAST_BYTES = 4 * 1024 * 1024;

export interface BallastState {
  state: 'whole' | 'short' | 'missing';
  bytes: number;
}

/** Looks; one system call. @throws CfsError of the system */
export function ballastState({ platform, paths }: BallastPlace): BallastState {
  try {
    const { kind, sizeBytes } = platform.files.stat('ballast.stat', paths.ballast);
    return { state: kind === 'file' && sizeBytes >= BALLAST_BYTES ? 'whole' : 'short', bytes: sizeBytes };
  } catch (error) {
    if (isSystemCallError(error, 'ENOENT')) return { state: 'missing', bytes: 0 };
    throw systemError(error, 'look at', paths.ballast);
  }
}

/**
 * Gives the space back: for an agent whose lease, or whose commit, met ENOSPC or EDQUOT.
 * @returns whether there was something to give; false means that trying again is in vain
 * @throws CfsError of the system, when it is there and cannot be removed
 */
export function freeBallast({ platform, paths }: BallastPlace): boolean {
  try {
    platform.files.unlink('ballast.unlink', paths.ballast);
  } catch (error) {
    if (isSystemCallError(error, 'ENOENT')) return false;
    throw systemError(error, 'remove', paths.ballast);
  }
  try {
    // Some file systems hand blocks out again only when the removal is on disk.
    flushDirectory(platform.files, 'ballast-dir', paths.root);
  } catch (error) {
    if (!isSystemCallError(error)) throw error;
  }
  return true;
}

/**
 * Runs something that may fail for want of space; when it did, gives up the ballast and runs it once more. Only for what makes
 * room again or must not wait: an agent's decision, a compaction. A failure stays as clean as the attempt's own: only NO_SPACE,
 * which says that nothing was changed, leads to a second attempt; COMMIT_UNSURE never does.
 * @param isDone false for a result that says "no space" without throwing
 */
export async function withBallast<T>(
  place: BallastPlace,
  attempt: () => T | Promise<T>,
  isDone: (result: T) => boolean = () => true,
): Promise<{ value: T; freed: boolean }> {
  try {
    const value = await attempt();
    if (isDone(value) || !freeBallast(place)) return { value, freed: false };
  } catch (error) {
    if (!(error instanceof CfsError && error.code === 'NO_SPACE') || !freeBallast(place)) throw error;
  }
  return { value: await attempt(), freed: true };
}
