/**
 * /proc/PID/mountinfo (proc(5)): what is mounted in the mount namespace of a process.
 *
 *   36 35 98:0 /mnt1 /srv/v1 rw,noatime shared:1 master:2 - ext3 /dev/root rw,errors=continue
 *   id parent device root mount point, options of the mount; optional fields; - type, source, options of the file system
 */
import { readFileSync } from 'node:fs';

export interface MountEntry {
  id: number;
  parentId: number;
  /** `MAJOR:MINOR` of the file system; with major 0 it is not that of a block device. */
  device: string;
  /** What of the file system is seen here: `/`, or the directory that was bound. */
  root: string;
  at: string;
  fsType: string;
  source: string;
  /** Either the mount or the file system as a whole is read-only. */
  isReadOnly: boolean;
  /** The file system is: nobody writes it, through whatever mount. */
  isFileSystemReadOnly: boolean;
  /** Peer groups of `shared:` and `master:`; null: none. */
  shared: number | null;
  master: number | null;
}

/** The entries in the file's order: of those at one mount point the last one is seen. Lines that are none are left out. */
export function parseMountInfo(text: string): MountEntry[] {
  const entries: MountEntry[] = [];
  for (const line of text.split('\n')) {
    const entry = entryOf(line.split(' '));
    if (entry !== null) entries.push(entry);
  }
  return entries;
}

function entryOf(fields: string[]): MountEntry | null {
  const dash = fields.indexOf('-', 6);
  if (dash < 0 || fields.length < dash + 4) return null;
  const [id, parentId, device, root, at, options] = fields as [string, string, string, string, string, string];
  const [fsType, source, superOptions] = fields.slice(dash + 1) as [string, string, string];
  const group = (kind: string): number | null => {
    const field = fields.slice(6, dash).find((one) => one.startsWith(`${kind}:`));
    return field === undefined ? null : Number(field.slice(kind.length + 1));
  };
  return {
    id: Number(id),
    parentId: Number(parentId),
    device,
    root: unescapeField(root),
    at: unescapeField(at),
    fsType: unescapeField(fsType),
    source: unescapeField(source),
    isReadOnly: [options, superOptions].some((list) => list.split(',').includes('ro')),
    isFileSystemReadOnly: superOptions.split(',').includes('ro'),
    shared: group('shared'),
    master: group('master'),
  };
}

/** Blanks, tabs, line ends and backslashes stand as three octal digits, each of a byte. */
export function unescapeField(field: string): string {
  return field.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));
}

/** What is mounted here, as the kernel writes it: another text when anything was mounted, unmounted or remounted. */
export function mountInfoText(): string {
  return readFileSync('/proc/self/mountinfo', 'utf8');
}

/** @param pid a process, or `self` @returns null: it is gone, or nobody may look */
export function readMountInfo(pid: number | 'self' = 'self'): MountEntry[] | null {
  try {
    return parseMountInfo(readFileSync(`/proc/${pid}/mountinfo`, 'utf8'));
  } catch (error) {
    if (pid === 'self') throw error;
    return null;
  }
}

/** Whether the path is this directory or lies in it. */
export function isWithin(path: string, directory: string): boolean {
  return path === directory || path.startsWith(directory.endsWith('/') ? directory : `${directory}/`);
}

/** The mount that a path lies on, judged by names alone: nothing is touched, so that nothing can hang. */
export function mountOfPath(entries: readonly MountEntry[], path: string): MountEntry | null {
  let found: MountEntry | null = null;
  for (const entry of entries) {
    if (isWithin(path, entry.at) && (found === null || entry.at.length >= found.at.length)) found = entry;
  }
  return found;
}

/** Whether unmounting `entry` takes the copy in another namespace with it (mount_namespaces(7), shared subtrees). */
export function goesWith(copy: MountEntry, entry: MountEntry): boolean {
  return entry.shared !== null && (copy.shared === entry.shared || copy.master === entry.shared);
}
