/** Whether a file system can hold a cluster (section 8): exclusive links and directories are what everything rests on. */
import { CfsError } from '../errors.js';
import { isSystemCallError } from '../platform/files.js';
import type { Place } from './place.js';
import { systemError } from './system-error.js';
import { writeNew } from './write-file.js';

/**
 * Tries in the cluster directory: create, link, a second link must give EEXIST; mkdir, a second one must give EEXIST.
 * Leaves nothing behind.
 * @throws CfsError UNSUITABLE_FILE_SYSTEM, or of the system
 */
export function probeFileSystem(place: Place): void {
  const { files, random } = place.platform;
  const stem = `${place.paths.root}/.probe.${random.hex(8)}`;
  const [file, name, directory] = [`${stem}.a`, `${stem}.b`, `${stem}.d`];
  const undo: (() => void)[] = [];
  try {
    undo.push(() => files.unlink('probe.unlink', file));
    writeNew(files, 'probe-file', file, Buffer.from('probe\n'), place.modes.file);
    undo.push(() => files.unlink('probe.unlink', name));
    try {
      files.link('probe.link', file, name);
    } catch (error) {
      if (isSystemCallError(error, 'EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK')) {
        throw unsuitable(place, `it has no hard links (${error.code})`);
      }
      throw error;
    }
    mustExist(place, 'a second link', () => files.link('probe.link-again', file, name));
    undo.push(() => files.rmdir('probe.rmdir', directory));
    files.mkdir('probe.mkdir', directory, place.modes.directory);
    mustExist(place, 'a second mkdir', () => files.mkdir('probe.mkdir-again', directory, place.modes.directory));
  } catch (error) {
    throw systemError(error, 'try the file system of', place.paths.root);
  } finally {
    for (const step of undo.reverse()) {
      try {
        step();
      } catch {
        // A leftover of the probe harms nobody, and the first error is the one to report.
      }
    }
  }
}

function mustExist(place: Place, what: string, attempt: () => void): void {
  try {
    attempt();
  } catch (error) {
    if (isSystemCallError(error, 'EEXIST')) return;
    // A disk that fails or is full says nothing about what the file system can do.
    if (isSystemCallError(error, 'EIO', 'ENOSPC', 'EDQUOT', 'EUCLEAN', 'EROFS')) throw error;
    if (isSystemCallError(error))
      throw unsuitable(place, `${what} under the same name fails with ${error.code}, not EEXIST`);
    throw error;
  }
  throw unsuitable(place, `${what} under the same name succeeds`);
}

function unsuitable(place: Place, why: string): CfsError {
  return new CfsError(
    'UNSUITABLE_FILE_SYSTEM',
    `the file system of ${place.paths.root} cannot hold a cluster: ${why}`,
    {
      hint: 'Use a local or cluster file system, or a FUSE mount, with hard links. Not: object stores, synchronising folders.',
    },
  );
}
