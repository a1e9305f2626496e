/**
 * The lock: politeness between writers, by proper-lockfile (section 5). Correctness never rests on it.
 *
 * What it does not do: keep two writers apart for certain. When a stale lock is taken over, two processes can both get it;
 * one that was stopped may resume and still believe it has it. The commit's exclusive link decides then.
 *
 * Between changes of one process the lock is kept, not given back and taken again, until the event loop has turned or
 * somebody wants it: a waiter leaves the file `lock.wanted`, which a release looks for. Taking it costs more than a
 * whole commit does on ext4, where each new directory has to step over all inodes freed in the last five seconds.
 *
 * The library is loaded when a lock is first taken: reading must not pay for it (graceful-fs).
 */
import { CfsError } from '../errors.js';
import { type FileIdentity, isSystemCallError } from '../platform/files.js';
import type { Hold } from '../platform/interrupts.js';
import { LockFs } from './lock-fs.js';
import { holderOf, isSurelyGone, type LockOwner, ownsLock, readOwner, sameIdentity, writeOwner } from './lock-owner.js';
import type { LockTimes } from './lock-policy.js';
import type { Place } from './place.js';
import type { LockHolder } from './store.js';
import { systemError } from './system-error.js';

const RETRY_MS = 10;
const LONGEST_PAUSE_MS = 20;
/** A loop of changes holds the lock this long though others wait: handing it over costs them about as much. */
const FAIR_SHARE_MS = 20;
/** How often `onWait` is told and the owner looked at, ms. */
const LOOK_MS = 250;

export interface LockWish {
  timeoutMs: number;
  onWait: ((holder: LockHolder | null, waitedMs: number) => void) | undefined;
  /** Waiting ends when a signal was received. */
  hold: Hold;
  /** The newest generation that this process knows; told to others in `lock.owner`. */
  generation: number | null;
}

type Library = typeof import('proper-lockfile');

let acquisitions = 0;

/** A lock that this process has taken. */
interface Held {
  /** Its key in the library's table. */
  key: string;
  made: FileIdentity | null;
  sinceMs: number;
  /** Whether the library found that somebody took it over. */
  isCompromised: () => boolean;
}

export class Lock {
  /** Set by a release that found somebody waiting; the next acquisition in this process lets them go first. */
  private pauseUntilMs = 0;
  private readonly fs: LockFs;
  /** The lock between two changes: still ours, and free for the next change of this process. */
  private kept: Held | null = null;
  private library: Library | null = null;

  constructor(
    private readonly place: Place,
    private readonly times: LockTimes,
  ) {
    this.fs = new LockFs(place.platform.files);
  }

  /** @returns what releases it. @throws CfsError LOCK_TIMEOUT, INTERRUPTED, or of the system */
  async acquire(wish: LockWish): Promise<() => void> {
    const { clock, random } = this.place.platform;
    const startMs = clock.monotonicMs();
    if (this.pauseUntilMs > startMs) await clock.sleep(this.pauseUntilMs - startMs);
    this.library ??= await loadLibrary(this.place);
    const watch = new StaleWatch(this.place, this.times.staleMs);
    let lookedMs = Number.NEGATIVE_INFINITY;
    for (let tries = 1; ; tries++) {
      const held = this.takeKept() ?? (await this.tryOnce(this.library, wish.generation));
      if (held !== null) return () => this.release(held);
      const nowMs = clock.monotonicMs();
      if (nowMs - lookedMs >= LOOK_MS) {
        lookedMs = nowMs;
        const owner = readOwner(this.place);
        watch.look(owner);
        if (tries > 1) wish.onWait?.(owner === null ? null : holderOf(owner), nowMs - startMs);
      }
      this.announceWaiting();
      if (wish.hold.received() !== null) throw interrupted();
      if (nowMs - startMs >= wish.timeoutMs) throw this.timeout(nowMs - startMs);
      // The first time it may be another store of this very process that keeps it: that one lets go when the loop turns.
      if (tries === 1) await clock.yieldTurn();
      else await clock.sleep(RETRY_MS * (0.5 + random.fraction()));
    }
  }

  private takeKept(): Held | null {
    const held = this.kept;
    this.kept = null;
    return held?.isCompromised() ? null : held;
  }

  private release(held: Held): void {
    const heldMs = this.place.platform.clock.monotonicMs() - held.sinceMs;
    if (held.isCompromised() || (heldMs >= FAIR_SHARE_MS && this.isWanted())) {
      this.giveBack(held);
      return;
    }
    this.kept = held;
    void this.place.platform.clock.yieldTurn().then(() => {
      if (this.kept !== held) return;
      this.kept = null;
      this.giveBack(held);
    });
  }

  private isWanted(): boolean {
    const { files } = this.place.platform;
    try {
      return !files.isAbsent('wanted.look', this.place.paths.lockWanted);
    } catch (error) {
      if (!isSystemCallError(error)) throw error;
      return true;
    }
  }

  private async tryOnce(lockfile: Library, generation: number | null): Promise<Held | null> {
    const { lock } = this.place.paths;
    acquisitions += 1;
    // Only a key in the library's own table; one per acquisition, so that two stores of one process, or a lock taken over
    // within it, do not share an entry.
    const key = `${lock}#${acquisitions}`;
    this.fs.expected = null;
    let compromised = false;
    try {
      // Runs to its end before it gives a promise back, since LockFs answers at once.
      await lockfile.lock(key, {
        lockfilePath: lock,
        realpath: false,
        retries: 0,
        stale: this.times.staleMs,
        update: this.times.updateMs,
        fs: this.fs,
        // C8: nothing to do; the commit's link decides. The default handler would throw from a timer.
        onCompromised: () => {
          compromised = true;
        },
      });
    } catch (error) {
      const code = (error as { code?: string }).code;
      // ENOENT: stolen while it was being made. ENOTEMPTY: not a lock of ours, waits like one.
      if (code === 'ELOCKED' || code === 'ENOENT' || code === 'EEXIST' || code === 'ENOTEMPTY') return null;
      throw systemError(error, 'take the lock', lock, 'nothing was changed');
    }
    const made = this.fs.made;
    if (made !== null) writeOwner(this.place, made, generation);
    return { key, made, sinceMs: this.place.platform.clock.monotonicMs(), isCompromised: () => compromised };
  }

  private giveBack({ key, made }: Held): void {
    const { platform, paths } = this.place;
    const { files } = platform;
    this.fs.expected = made;
    // As above: all is done when the promise is given. C13: a failure here changes nothing.
    this.library?.unlock(key, { realpath: false, lockfilePath: paths.lock, fs: this.fs }).catch(() => {});
    if (!this.isWanted()) return;
    this.pauseUntilMs = platform.clock.monotonicMs() + LONGEST_PAUSE_MS * platform.random.fraction();
    try {
      files.unlink('wanted.unlink', paths.lockWanted);
    } catch (error) {
      if (!isSystemCallError(error)) throw error;
    }
  }

  /** Leaves a note that a holder finds on release. Without it a loop of changes would starve the others. */
  private announceWaiting(): void {
    const { files } = this.place.platform;
    try {
      files.close('wanted.close', files.openNew('wanted.create', this.place.paths.lockWanted, 0o640));
    } catch (error) {
      if (!isSystemCallError(error)) throw error;
    }
  }

  private timeout(waitedMs: number): CfsError {
    const owner = readOwner(this.place);
    const seconds = Math.round(waitedMs / 1000);
    const who = owner === null ? 'somebody' : `${owner.command} (${owner.user}, process ${owner.pid} on ${owner.host})`;
    return new CfsError('LOCK_TIMEOUT', `the cluster is locked by ${who}; waited ${seconds} s; nothing was changed`, {
      hint: 'Try again, or wait longer with --lock-timeout. Who holds it: cfs lock show',
      details: { waitedMs: Math.round(waitedMs), holder: owner === null ? null : holderOf(owner) },
    });
  }
}

/** A CommonJS module: under `default`, or, bundled, at the top. */
async function loadLibrary(place: Place): Promise<Library> {
  const loaded = await place.platform.interrupts.withoutListeners(() => import('proper-lockfile'));
  return (loaded as { default?: Library }).default ?? loaded;
}

export function interrupted(): CfsError {
  return new CfsError('INTERRUPTED', 'interrupted; nothing was changed');
}

/**
 * Finds out, while waiting, that a holder is gone: at once if it ran on this host and its process is gone; else when the
 * lock's mtime has not changed for the stale time by our own monotonic clock, whatever the date says.
 */
class StaleWatch {
  private seen: { identity: FileIdentity; sinceMs: number } | null = null;

  constructor(
    private readonly place: Place,
    private readonly staleMs: number,
  ) {}

  look(owner: LockOwner | null): void {
    const { files, clock } = this.place.platform;
    const { lock } = this.place.paths;
    let now: FileIdentity;
    try {
      now = files.identity('lock.look', lock);
    } catch (error) {
      if (!isSystemCallError(error)) throw error;
      this.seen = null;
      return;
    }
    const { seen } = this;
    if (owner !== null && ownsLock(owner, now) && isSurelyGone(this.place, owner)) removeLock(this.place, now);
    else if (seen === null || !sameIdentity(seen.identity, now) || seen.identity.mtimeMs !== now.mtimeMs) {
      this.seen = { identity: now, sinceMs: clock.monotonicMs() };
    } else if (clock.monotonicMs() - seen.sinceMs >= this.staleMs) removeLock(this.place, now);
  }
}

/** Removes the lock directory if it is still the given one. Says whether it did. */
export function removeLock(place: Place, expected: { ino: bigint; birthtimeNs: bigint }): boolean {
  const { files } = place.platform;
  try {
    if (!sameIdentity(files.identity('lock.recheck', place.paths.lock), expected)) return false;
    files.rmdir('lock.break', place.paths.lock);
    return true;
  } catch (error) {
    if (isSystemCallError(error)) return false;
    throw error;
  }
}
