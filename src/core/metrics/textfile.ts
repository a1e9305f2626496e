/** A file for the textfile collector of the Prometheus node exporter, which must never see half of one. */

import { CfsError } from '../errors.js';
import { isSystemCallError } from '../platform/files.js';
import type { Platform } from '../platform/platform.js';
import { systemError } from '../store/system-error.js';
import { flushDirectory, writeNew } from '../store/write-file.js';

const MODE = 0o644;

/**
 * Replaces the file as a whole: a temporary name in the same directory that the collector does not read, flushed, renamed.
 * @param path absolute @throws CfsError FILE_NOT_FOUND (its directory), and of the system; the former file is then as it was
 */
export function writeTextfile({ files, random }: Platform, path: string, text: string): void {
  const slash = path.lastIndexOf('/');
  const directory = path.slice(0, slash) || '/';
  const temporary = `${path.slice(0, slash)}/.${path.slice(slash + 1)}.${random.hex(8)}.tmp`;
  try {
    writeNew(files, 'textfile', temporary, Buffer.from(text), MODE);
    files.rename('textfile.rename', temporary, path);
  } catch (error) {
    try {
      files.unlink('textfile.unlink', temporary);
    } catch (e) {
      if (!isSystemCallError(e)) throw e;
    }
    if (isSystemCallError(error, 'ENOENT', 'ENOTDIR')) {
      throw new CfsError('FILE_NOT_FOUND', `there is no directory ${directory}`, {
        hint: `Make it: mkdir -p ${directory}`,
      });
    }
    throw systemError(error, 'write', path);
  }
  try {
    flushDirectory(files, 'textfile-dir', directory);
  } catch (error) {
    throw systemError(error, 'flush', directory);
  }
}
