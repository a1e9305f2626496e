/**
 * The software lock (FIG. 15D, 1654–1660): a file in the root of a volume that cfs controls. cfs passes over its own; a host without
 * cfs can test for it and stay out; a cluster stays out of another's volumes.
 *
 *   .cfs-software-lock     {"cluster":"<uuid of the cluster>","volume":"v1"}
 */
import { constants } from 'node:fs';
import { open, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { CfsError } from '../../core/errors.js';
import { escapeText } from '../../render/format.js';

export const SOFTWARE_LOCK = '.cfs-software-lock';

const { O_CREAT, O_NOFOLLOW, O_NONBLOCK, O_RDONLY, O_TRUNC, O_WRONLY } = constants;
/** Who can write the root of a volume must not have root read, or write, another file by a link of this name. */
const READ = O_RDONLY | O_NOFOLLOW | O_NONBLOCK;
const WRITE = O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW;

/** @throws CfsError SOFTWARE_LOCKED when another cluster, or somebody else, has locked the volume whose root this is; Error */
export async function refuseForeignLock(volume: string, root: string, dir: string): Promise<void> {
  const lock = await readLock(root);
  if (lock === null || clusterOfLock(lock) === (await clusterIn(dir))) return;
  const path = escapeText(join(root, SOFTWARE_LOCK));
  throw new CfsError(
    'SOFTWARE_LOCKED',
    `${volume} is not mounted for writing: ${path} is no lock of this cluster, but says ${escapeText(JSON.stringify(lock.slice(0, 100)))}`,
    { hint: 'Find out who else controls the volume. When nobody does, mount it by hand and remove that file.' },
  );
}

/**
 * On a volume that is mounted for writing: puts the lock on, or takes one of this cluster away when the volume is to have none.
 * @param dir the cluster directory; read only when there is a lock, or is to be one
 * @throws CfsError SOFTWARE_LOCKED; Error
 */
export async function setSoftwareLock(volume: string, root: string, dir: string, isOn: boolean): Promise<void> {
  await refuseForeignLock(volume, root, dir);
  const path = join(root, SOFTWARE_LOCK);
  const lock = await readLock(root);
  if (!isOn) {
    if (lock !== null) await rm(path, { force: true });
    return;
  }
  const text = `${JSON.stringify({ cluster: await clusterIn(dir), volume })}\n`;
  if (lock === text) return;
  const file = await open(path, WRITE, 0o444);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** What a lock says; null: there is none. */
async function readLock(root: string): Promise<string | null> {
  try {
    const file = await open(join(root, SOFTWARE_LOCK), READ);
    try {
      return await file.readFile('utf8');
    } finally {
      await file.close();
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

async function clusterIn(dir: string): Promise<string> {
  const { cluster } = JSON.parse(await readFile(join(dir, 'cluster.json'), 'utf8')) as { cluster?: unknown };
  if (typeof cluster !== 'string') throw new Error(`${escapeText(dir)}/cluster.json names no cluster`);
  return cluster;
}

function clusterOfLock(text: string): string | null {
  try {
    const { cluster } = JSON.parse(text) as { cluster?: unknown };
    return typeof cluster === 'string' ? cluster : null;
  } catch {
    return null;
  }
}
