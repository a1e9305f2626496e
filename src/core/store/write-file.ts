/** Writing one new file durably: create exclusively, write all, fsync, close. The directory is the caller's to flush. */
import type { Files } from '../platform/files.js';

/**
 * A file that fails half-way is left where it is: the caller knows whether it may be removed.
 * An error of close is an error: network file systems report lost writes there.
 * @param what label prefix: `<what>.create`, `.chmod`, `.write`, `.fsync`, `.close`
 * @throws SystemCallError
 */
export function writeNew(files: Files, what: string, path: string, bytes: Uint8Array, mode: number): void {
  const fd = files.openNew(`${what}.create`, path, mode);
  let closed = false;
  try {
    files.fchmod(`${what}.chmod`, fd, mode);
    let done = 0;
    while (done < bytes.length) done += files.write(`${what}.write`, fd, bytes, done, bytes.length - done);
    files.fsync(`${what}.fsync`, fd);
    closed = true;
    files.close(`${what}.close`, fd);
  } finally {
    if (!closed) {
      try {
        files.close(`${what}.close`, fd);
      } catch {
        // The first error is the one to report.
      }
    }
  }
}

/** Flushes the names in a directory. @param what label prefix: `<what>.open`, `.fsync`, `.close` */
export function flushDirectory(files: Files, what: string, path: string): void {
  const fd = files.openRead(`${what}.open`, path);
  let closed = false;
  try {
    files.fsync(`${what}.fsync`, fd);
    closed = true;
    files.close(`${what}.close`, fd);
  } finally {
    if (!closed) {
      try {
        files.close(`${what}.close`, fd);
      } catch {
        // The first error is the one to report.
      }
    }
  }
}
