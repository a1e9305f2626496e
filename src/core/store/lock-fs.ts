/**
 * The file system as proper-lockfile wants it: callbacks, called at once. Every call goes through `Files`, and a release
 * removes the lock directory only while it is the one that was made: the library itself removes whatever has the name.
 *
 * One object for all acquisitions of a lock, since the library keeps what it learned of the file system (the precision of
 * its times, found by setting one) with the object.
 */
import { type FileIdentity, type Files, isSystemCallError } from '../platform/files.js';
import { sameIdentity } from './lock-owner.js';

type Callback<T = void> = (error: unknown, value?: T) => void;

function answer<T>(callback: Callback<T>, call: () => T): void {
  let value: T;
  try {
    value = call();
  } catch (error) {
    callback(error);
    return;
  }
  callback(null, value);
}

export class LockFs {
  /** The directory that the last successful `mkdir` made; null before its first `stat`. */
  made: FileIdentity | null = null;
  /** While releasing: the directory that may be removed. Null while acquiring, when a stale one of anybody may be. */
  expected: FileIdentity | null = null;
  private isNew = false;

  constructor(private readonly files: Files) {}

  mkdir = (path: string, callback: Callback): void => {
    answer(callback, () => {
      this.files.mkdir('lock.mkdir', path, 0o750);
      this.isNew = true;
    });
  };

  stat = (path: string, callback: Callback<{ mtime: Date }>): void => {
    answer(callback, () => {
      const identity = this.files.identity('lock.stat', path);
      if (this.isNew) {
        this.made = identity;
        this.isNew = false;
      }
      return { mtime: new Date(Math.round(identity.mtimeMs)) };
    });
  };

  utimes = (path: string, atime: Date, mtime: Date, callback: Callback): void => {
    answer(callback, () => this.files.utimes('lock.utimes', path, atime, mtime));
  };

  rmdir = (path: string, callback: Callback): void => {
    answer(callback, () => {
      if (this.expected !== null && !sameIdentity(this.files.identity('lock.recheck', path), this.expected)) return;
      this.files.rmdir('lock.rmdir', path);
    });
  };

  /** Called by the library when the process exits with the lock held. */
  rmdirSync = (path: string): void => {
    try {
      if (this.made === null || !sameIdentity(this.files.identity('lock.recheck', path), this.made)) return;
      this.files.rmdir('lock.rmdir', path);
    } catch (error) {
      if (!isSystemCallError(error)) throw error;
    }
  };
}
