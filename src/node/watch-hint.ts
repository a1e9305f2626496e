/** File notification as a hint for `watchStore`. Where it does not work (network and FUSE mounts) polling is all there is. */
import fs from 'node:fs';

/** Calls `changed` when a name appears in `path`. @returns what ends it */
export function watchHint(path: string, changed: () => void): () => void {
  try {
    const watcher = fs.watch(path, { persistent: false }, () => changed());
    watcher.on('error', () => watcher.close());
    return () => watcher.close();
  } catch {
    return () => {};
  }
}
