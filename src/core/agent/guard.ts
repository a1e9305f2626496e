/** Errors that an agent lives with: the system's and cfs's own. Anything else is a bug and ends the worker; the supervisor fences. */
import { CfsError } from '../errors.js';
import { isSystemCallError } from '../platform/files.js';

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Whether it may pass by itself (a directory that cannot be read, a full disk, a lock that is held …), and is no bug of ours. */
export function isSituation(error: unknown): boolean {
  return isSystemCallError(error) || (error instanceof CfsError && error.code !== 'BUG');
}
