/** What an error of the operating system means to the user. */
import { CfsError, type ErrorCode } from '../errors.js';
import { isSystemCallError } from '../platform/files.js';

const CASES: Record<string, { code: ErrorCode; says: string; hint: string }> = {
  ENOSPC: {
    code: 'NO_SPACE',
    says: 'no space is left on the file system',
    hint: 'Free some space, or run: cfs db compact',
  },
  EDQUOT: { code: 'NO_SPACE', says: 'the disk quota is used up', hint: 'Free some space, or run: cfs db compact' },
  EIO: {
    code: 'IO_ERROR',
    says: 'the storage reported an I/O error',
    hint: 'Look at the kernel log, then run: cfs db check',
  },
  EUCLEAN: { code: 'IO_ERROR', says: 'the file system is damaged', hint: 'Have the file system checked (fsck).' },
  EROFS: { code: 'READ_ONLY', says: 'the file system is mounted read-only', hint: 'Mount it for writing.' },
  EACCES: { code: 'ACCESS_DENIED', says: 'permission denied', hint: 'Run as the owner of the cluster directory.' },
  EPERM: { code: 'ACCESS_DENIED', says: 'operation not permitted', hint: 'Run as the owner of the cluster directory.' },
};

/**
 * Translates an error of a system call; anything else (a CfsError, a bug) is returned as it is.
 * @param doing what was being done, as in "cannot <doing>"
 * @param after what holds now, as the end of the sentence; empty for reads
 */
export function systemError(error: unknown, doing: string, path: string, after = ''): unknown {
  if (!isSystemCallError(error)) return error;
  const known = CASES[error.code];
  const says = known?.says ?? `the system says ${error.code}`;
  return new CfsError(known?.code ?? 'SYSTEM_ERROR', `cannot ${doing} ${path}: ${says}${after && `; ${after}`}`, {
    errno: error.code,
    ...(known === undefined ? {} : { hint: known.hint }),
    details: { path },
    cause: error,
  });
}
