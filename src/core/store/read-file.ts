/** Reading one file of the cluster directory as a whole, refusing whatever is not a plain file (R6). */
import type { Files } from '../platform/files.js';

/** The file is there but cannot be what it should be; the caller knows which code that is. */
export class Unfit extends Error {}

/**
 * @param what label prefix: `<what>.open`, `<what>.fstat`, `<what>.read`, `<what>.close`
 * @throws Unfit when it is a link, pipe, device or directory, or larger than `maxBytes`, or changes while it is read
 * @throws SystemCallError
 */
export function readWhole(files: Files, what: string, path: string, maxBytes: number): Buffer {
  let fd: number;
  try {
    fd = files.openRead(`${what}.open`, path);
  } catch (error) {
    // O_NOFOLLOW on a link; a socket or a device without a driver.
    const code = (error as { code?: string }).code;
    if (code === 'ELOOP' || code === 'ENXIO' || code === 'EMLINK') throw new Unfit('is not a plain file');
    throw error;
  }
  let closed = false;
  try {
    const stat = files.fstat(`${what}.fstat`, fd);
    if (stat.kind !== 'file') throw new Unfit('is not a plain file');
    if (stat.sizeBytes > maxBytes) throw new Unfit(`has ${stat.sizeBytes} bytes, more than any writer makes`);
    const buffer = Buffer.allocUnsafeSlow(stat.sizeBytes);
    let got = 0;
    while (got < buffer.length) {
      const n = files.read(`${what}.read`, fd, buffer, got, buffer.length - got, null);
      if (n === 0) throw new Unfit('became shorter while it was read');
      got += n;
    }
    closed = true;
    files.close(`${what}.close`, fd);
    return buffer;
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

/** Whether there is anything of that name, asked by opening: look-ups are cached less than listings and attributes are. */
export function isPresent(files: Files, what: string, path: string): boolean {
  let fd: number;
  try {
    fd = files.openRead(`${what}.open`, path);
  } catch (error) {
    const code = (error as { code?: string }).code;
    if (code === 'ENOENT' || code === 'ESTALE') return false;
    if (code === 'ELOOP' || code === 'ENXIO') return true;
    throw error;
  }
  files.close(`${what}.close`, fd);
  return true;
}
