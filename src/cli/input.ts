/** Reading a file that the user named; `-` is standard input. */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { MAX_FILE_BYTES } from '../core/config/parse-text.js';
import { CfsError } from '../core/errors.js';
import { quoteName } from '../core/model/names.js';
import { formatSize } from '../core/model/units.js';

/**
 * The bytes of a file or of standard input, and how messages call it.
 * @throws CfsError FILE_NOT_FOUND, BAD_FILE (a directory, too long), ACCESS_DENIED, IO_ERROR
 */
export function readInput(path: string): { bytes: Buffer; source: string } {
  const source = path === '-' ? 'standard input' : path;
  let fd = 0;
  try {
    if (path !== '-') fd = openSync(path, 'r');
    if (fstatSync(fd).isDirectory()) refuse('BAD_FILE', source, 'it is a directory');
    return { bytes: readAll(fd, source), source };
  } catch (error) {
    if (error instanceof CfsError) throw error;
    const errno = (error as NodeJS.ErrnoException).code;
    if (errno === 'ENOENT' || errno === 'ENOTDIR') refuse('FILE_NOT_FOUND', source, 'there is no such file', errno);
    if (errno === 'EACCES' || errno === 'EPERM') refuse('ACCESS_DENIED', source, 'permission denied', errno);
    return refuse('IO_ERROR', source, (error as Error).message, errno);
  } finally {
    if (fd !== 0) closeSync(fd);
  }
}

function refuse(
  code: 'FILE_NOT_FOUND' | 'BAD_FILE' | 'ACCESS_DENIED' | 'IO_ERROR',
  source: string,
  why: string,
  errno?: string,
): never {
  throw new CfsError(code, `Cannot read ${quoteName(source)}: ${why}`, {
    hint: 'Nothing was changed.',
    ...(errno === undefined ? {} : { errno }),
  });
}

function readAll(fd: number, source: string): Buffer {
  const parts: Buffer[] = [];
  let total = 0;
  for (;;) {
    const part = Buffer.allocUnsafe(1 << 20);
    let n: number;
    try {
      n = readSync(fd, part);
    } catch (error) {
      const errno = (error as NodeJS.ErrnoException).code;
      if (errno === 'EOF') n = 0;
      else if (errno === 'EAGAIN') {
        // Standard input in non-blocking mode with nothing in it yet.
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
        continue;
      } else throw error;
    }
    if (n === 0) return Buffer.concat(parts, total);
    total += n;
    if (total > MAX_FILE_BYTES) refuse('BAD_FILE', source, `it is larger than ${formatSize(MAX_FILE_BYTES)}`);
    parts.push(part.subarray(0, n));
  }
}
