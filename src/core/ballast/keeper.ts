/**
 * Keeping the ballast, and the alarm of a full shared volume. One agent does it for all: the first online one in natural order
 * of names (`firstOf`), whichever that is at the moment; two at once harm nothing.
 */
import { CfsError } from '../errors.js';
import { naturalCompare } from '../model/names.js';
import type { FileSystemSpace } from '../platform/files.js';
import { systemError } from '../store/system-error.js';
import { BALLAST_BYTES, type BallastPlace, type BallastState, ballastState, freeBallast } from './ballast.js';
import { BallastMaking } from './making.js';

/** The ballast is made when so much is free before: so that making it is not what fills the disk, and it does not come and go. */
export const SPACE_TO_MAKE_BYTES = 2 * BALLAST_BYTES;

export interface BallastReport {
  /** As it is now. */
  ballast: BallastState['state'];
  /** What this call found changed since the last one; null: nothing. `disk-full` and `space-back` come once each. */
  event: 'made' | 'disk-full' | 'space-back' | null;
  /** A sentence for the log; null without an event. */
  says: string | null;
  freeBytes: number;
}

/** The first of these nodes in natural order: who does what one agent does for all. Undefined without any. */
export function firstOf(nodes: Iterable<string>): string | undefined {
  let first: string | undefined;
  for (const node of nodes) if (first === undefined || naturalCompare(node, first) < 0) first = node;
  return first;
}

/** @throws CfsError of the system */
export function spaceOf({ platform, paths }: BallastPlace): FileSystemSpace {
  try {
    return platform.files.space('ballast.statfs', paths.root);
  } catch (error) {
    throw systemError(error, 'ask for the free space of', paths.root);
  }
}

/** Longest time that one call may take to make the ballast, ms, where the file system answers: renewals must go on. */
const STEP_MS = 200;

/**
 * Makes the ballast at once: for a command. One that is short is made anew.
 * @returns whether it is this call that made it @throws CfsError NO_SPACE and others of the system
 */
export function makeBallast(place: BallastPlace): boolean {
  const { state } = ballastState(place);
  if (state === 'whole') return false;
  if (state === 'short') freeBallast(place);
  return new BallastMaking(place).step() === 'made';
}

export class BallastKeeper {
  private isFull = false;
  private making: BallastMaking | null = null;

  constructor(private readonly place: BallastPlace) {}

  /**
   * Looks, and makes the ballast, over several calls where the file system is slow, when it is missing and space is ample. To be
   * called every 10 s or so by the agent whose turn it is, and at once by one whose lease met a full disk. Two system calls,
   * unless something is to be done.
   * @throws CfsError of the system; not for want of space, which is what it reports
   */
  ballastDuty(): BallastReport {
    const before = ballastState(this.place).state;
    const { freeBytes } = spaceOf(this.place);
    if (before === 'whole') {
      this.making?.abandon();
      this.making = null;
      return { ballast: 'whole', freeBytes, ...this.judge(false, false, freeBytes) };
    }
    const isMade = this.make(before, freeBytes);
    const ballast = ballastState(this.place).state;
    // One that grows is no alarm: there is space.
    if (this.making !== null) return { ballast, freeBytes, event: null, says: null };
    const nowFree = spaceOf(this.place).freeBytes;
    return { ballast, freeBytes: nowFree, ...this.judge(ballast !== 'whole', isMade, nowFree) };
  }

  /** @returns whether this call finished it */
  private make(state: BallastState['state'], freeBytes: number): boolean {
    if (this.making === null && freeBytes < SPACE_TO_MAKE_BYTES) return false;
    try {
      if (state === 'short') freeBallast(this.place);
      this.making ??= new BallastMaking(this.place);
      const outcome = this.making.step(STEP_MS);
      if (outcome !== 'growing') this.making = null;
      return outcome === 'made';
    } catch (error) {
      this.making = null;
      // Space that was there a moment ago, or that a quota does not give: as good as full.
      if (!(error instanceof CfsError && error.code === 'NO_SPACE')) throw error;
      return false;
    }
  }

  private judge(isFull: boolean, made: boolean, freeBytes: number): Pick<BallastReport, 'event' | 'says'> {
    const wasFull = this.isFull;
    this.isFull = isFull;
    const left = `${Math.floor(freeBytes / 1024)} KiB are free`;
    if (isFull) {
      if (wasFull) return { event: null, says: null };
      return {
        event: 'disk-full',
        says: `there is no ballast, and ${left}; to make one takes ${Math.ceil(SPACE_TO_MAKE_BYTES / 1024)} KiB`,
      };
    }
    if (wasFull)
      return { event: 'space-back', says: `the shared volume has space again: the ballast is back, ${left}` };
    return made ? { event: 'made', says: `the ballast was made, ${left}` } : { event: null, says: null };
  }
}
