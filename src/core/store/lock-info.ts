/** Looking at the lock, and breaking it on request. The lock is politeness: breaking it can waste work, never lose a change. */
import { CfsError } from '../errors.js';
import { type FileIdentity, isSystemCallError } from '../platform/files.js';
import { holderOf, isSurelyGone, type LockOwner, ownsLock, readOwner, sameIdentity } from './lock-owner.js';
import type { SharedDirectoryStore } from './shared-directory-store.js';
import type { LockHolder } from './store.js';
import { systemError } from './system-error.js';

export interface LockState {
  held: boolean;
  /** Null when it is not known, or the lock is free. */
  holder: LockHolder | null;
  /** Since the holder last renewed it, by this host's clock and the file system's time, ms; null when free. */
  renewedMsAgo: number | null;
  /** `gone`: its process ended on this host; `elsewhere`: it runs, or ran, on another host or before a reboot. */
  process: 'running' | 'gone' | 'elsewhere' | 'unknown' | null;
  /** Older than the stale time: the next writer takes it over. */
  stale: boolean;
  /** Somebody waits for it. */
  wanted: boolean;
}

interface Look {
  state: LockState;
  identity: FileIdentity | null;
}

export function showLock(store: SharedDirectoryStore): LockState {
  return look(store).state;
}

/**
 * Removes the lock, if it is still the one that was looked at.
 * @param force even if the holder runs and renews it
 * @returns what was broken @throws CfsError LOCK_NOT_HELD, LOCK_IN_USE, ACCESS_DENIED …
 */
export function breakLock(store: SharedDirectoryStore, force = false): LockState {
  const { state, identity } = look(store);
  const { lock } = store.place.paths;
  const { files } = store.place.platform;
  const free = (): CfsError => new CfsError('LOCK_NOT_HELD', 'nobody holds the lock');
  if (identity === null) throw free();
  if (!force && !state.stale && state.process !== 'gone') {
    const who =
      state.holder === null
        ? 'somebody'
        : `${state.holder.command} (process ${state.holder.pid} on ${state.holder.host})`;
    throw new CfsError(
      'LOCK_IN_USE',
      `the lock is held by ${who} and was renewed ${Math.round(state.renewedMsAgo ?? 0)} ms ago`,
      {
        hint: 'Wait for it, end that process, or break it all the same with --force: no change is lost, work may be wasted.',
        details: { ...state },
      },
    );
  }
  try {
    if (!sameIdentity(files.identity('lock.recheck', lock), identity)) throw free();
    files.rmdir('lock.break', lock);
  } catch (error) {
    if (isSystemCallError(error, 'ENOENT')) throw free();
    throw systemError(error, 'remove', lock);
  }
  return state;
}

function look(store: SharedDirectoryStore): Look {
  const { files, clock } = store.place.platform;
  const { lock, lockWanted } = store.place.paths;
  let identity: FileIdentity;
  try {
    identity = files.identity('lock.look', lock);
  } catch (error) {
    if (!isSystemCallError(error, 'ENOENT')) throw systemError(error, 'look at', lock);
    const state: LockState = {
      held: false,
      holder: null,
      renewedMsAgo: null,
      process: null,
      stale: false,
      wanted: false,
    };
    return { state, identity: null };
  }
  const owner = readOwner(store.place);
  const current = owner !== null && ownsLock(owner, identity) ? owner : null;
  const renewedMsAgo = clock.nowMs() - identity.mtimeMs;
  return {
    identity,
    state: {
      held: true,
      holder: current === null ? null : holderOf(current),
      renewedMsAgo,
      process: current === null ? 'unknown' : processOf(store, current),
      stale: renewedMsAgo > store.lockTimes.staleMs,
      wanted: !files.isAbsent('wanted.look', lockWanted),
    },
  };
}

function processOf(store: SharedDirectoryStore, owner: LockOwner): 'running' | 'gone' | 'elsewhere' {
  const { processes } = store.place.platform;
  if (owner.host !== processes.host() || owner.boot !== processes.bootId()) return 'elsewhere';
  return isSurelyGone(store.place, owner) ? 'gone' : 'running';
}
