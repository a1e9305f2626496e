/**
 * Which processes keep a mount busy, found in /proc: open files (by the identifier of the mount that they were opened through, which
 * holds for other mount namespaces and for deleted files as well), files mapped into memory, working and root directories, and the
 * program that runs. Not seen: what the kernel itself holds (a loop device on a file there, swap, an NFS export), mounts upon the mount
 * (in-the-way.ts), directories of single threads, and, without root's rights, the processes of others.
 *
 * Open files are read synchronously: that part of /proc takes no lock that a file system which hangs could hold. The rest has a deadline.
 */
import { readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { open, readFile } from 'node:fs/promises';
import type { Holder } from '../../core/access/agent/ports.js';
import { isWithin, type MountEntry, readMountInfo } from './mountinfo.js';

/** What a process does with the mount, as it reads in a sentence: `vim (pid 123, root) writes /srv/v1/a.txt`. */
export type Use = 'writes' | 'reads' | 'works in' | 'runs' | 'has its root in' | 'has mounted';

export interface FoundHolder extends Holder {
  use: Use;
}

/** Whether an entry of some namespace's mountinfo is the mount that is asked about. */
export type MountTest = (entry: MountEntry, isOwnNamespace: boolean) => boolean;

export interface ForeignMount {
  entry: MountEntry;
  /** A process of that namespace. */
  pid: number;
}

/** Flags of open(2). */
const ACCESS = 0o3;
const READ_ONLY = 0o0;
const O_PATH = 0o10000000;
/** Longest wait for one process's maps or directories, ms. */
const DEADLINE_MS = 500;
const LINKS = [
  ['cwd', 'works in'],
  ['root', 'has its root in'],
  ['exe', 'runs'],
] as const;

/** Each process once, with the use that is most in the way. */
export async function holdersOf(test: MountTest): Promise<FoundHolder[]> {
  const found: FoundHolder[] = [];
  const users = userNames();
  const pids = processes();
  const places = placesIn(pids, test);
  if (places.ids.size === 0) return [];
  for (const pid of pids) {
    const use = openFile(pid, places) ?? (await slowUse(pid, places));
    if (use !== null) found.push({ pid, user: users(pid), command: commandOf(pid), ...use });
  }
  return found;
}

/** Such mounts in other mount namespaces, one process for each namespace. */
export function mountsElsewhere(test: (entry: MountEntry) => boolean): ForeignMount[] {
  const seen = new Set<string | null>([ownNamespace(), null]);
  const found: ForeignMount[] = [];
  for (const pid of processes()) {
    const namespace = linkOf(`/proc/${pid}/ns/mnt`);
    if (seen.has(namespace)) continue;
    seen.add(namespace);
    for (const entry of readMountInfo(pid) ?? []) if (test(entry)) found.push({ entry, pid });
  }
  return found;
}

/** The processes that have a mount in a namespace of their own, as holders. */
export function asHolders(mounts: readonly ForeignMount[]): FoundHolder[] {
  const users = userNames();
  return mounts.map(({ entry, pid }) => ({
    pid,
    user: users(pid),
    command: commandOf(pid),
    path: entry.at,
    isWriting: !entry.isReadOnly,
    use: 'has mounted',
  }));
}

interface Places {
  ids: Set<number>;
  points: string[];
}

type Found = Pick<FoundHolder, 'path' | 'isWriting' | 'use'>;

/** Of all namespaces together: a process may have a file open of one that it has left. */
function placesIn(pids: readonly number[], test: MountTest): Places {
  const places: Places = { ids: new Set(), points: [] };
  const seen = new Set<string | null>([null]);
  for (const pid of pids) {
    const namespace = linkOf(`/proc/${pid}/ns/mnt`);
    if (seen.has(namespace)) continue;
    seen.add(namespace);
    for (const entry of readMountInfo(pid) ?? []) {
      if (!test(entry, namespace === ownNamespace())) continue;
      places.ids.add(entry.id);
      places.points.push(entry.at);
    }
  }
  return places;
}

/** A file open for writing before one that is only open. */
function openFile(pid: number, { ids }: Places): Found | null {
  let reads: Found | null = null;
  for (const fd of namesIn(`/proc/${pid}/fd`)) {
    const path = linkOf(`/proc/${pid}/fd/${fd}`);
    // Sockets, pipes and the like have no path.
    if (path === null || !path.startsWith('/')) continue;
    const info = textOf(`/proc/${pid}/fdinfo/${fd}`);
    if (info === null || !ids.has(mountIdOf(info))) continue;
    if (isWritable(info)) return { path, isWriting: true, use: 'writes' };
    reads ??= { path, isWriting: false, use: 'reads' };
  }
  return reads;
}

export function mountIdOf(fdinfo: string): number {
  return Number(/^mnt_id:\s*(\d+)/m.exec(fdinfo)?.[1] ?? -1);
}

export function isWritable(fdinfo: string): boolean {
  const flags = Number.parseInt(/^flags:\s*([0-7]+)/m.exec(fdinfo)?.[1] ?? '0', 8);
  return (flags & O_PATH) === 0 && (flags & ACCESS) !== READ_ONLY;
}

async function slowUse(pid: number, places: Places): Promise<Found | null> {
  const late = new Promise<null>((resolve) => setTimeout(resolve, DEADLINE_MS, null).unref());
  const look = async (): Promise<Found | null> => {
    const mapped = mappedFile(await readFile(`/proc/${pid}/maps`, 'utf8').catch(() => ''), places.points);
    if (mapped?.isWriting) return mapped;
    for (const [name, use] of LINKS) {
      const path = linkOf(`/proc/${pid}/${name}`);
      if (path === null || !places.points.some((point) => isWithin(path, point))) continue;
      if (await liesOn(`/proc/${pid}/${name}`, places)) return { path, isWriting: false, use };
    }
    return mapped;
  };
  return Promise.race([look(), late]);
}

/** A mapping that is shared and writable keeps a file open for writing after it was closed. */
export function mappedFile(maps: string, points: readonly string[]): Found | null {
  let found: Found | null = null;
  for (const line of maps.split('\n')) {
    const match = /^\S+ (\S{4}) \S+ \S+ \S+\s+(\/.*)$/.exec(line);
    if (match === null || !points.some((point) => isWithin(match[2]!, point))) continue;
    const isWriting = /^.w.s$/.test(match[1]!);
    if (isWriting) return { path: match[2]!, isWriting, use: 'writes' };
    found ??= { path: match[2]!, isWriting, use: 'reads' };
  }
  return found;
}

/** Whether what a link of /proc leads to lies on the mount: a place of the same name may be another mount. */
async function liesOn(link: string, { ids }: Places): Promise<boolean> {
  const file = await open(link, O_PATH).catch(() => null);
  if (file === null) return false;
  try {
    return ids.has(mountIdOf(textOf(`/proc/self/fdinfo/${file.fd}`) ?? ''));
  } finally {
    await file.close();
  }
}

function processes(): number[] {
  return namesIn('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
}

function ownNamespace(): string | null {
  return linkOf('/proc/self/ns/mnt');
}

function commandOf(pid: number): string {
  return textOf(`/proc/${pid}/comm`)?.trim() ?? '?';
}

/** Names from /etc/passwd alone: a directory service might not answer. */
function userNames(): (pid: number) => string {
  const names = new Map<number, string>();
  for (const line of (textOf('/etc/passwd') ?? '').split('\n')) {
    const [name, , uid] = line.split(':');
    if (name && uid && !names.has(Number(uid))) names.set(Number(uid), name);
  }
  return (pid) => {
    try {
      const { uid } = statSync(`/proc/${pid}`);
      return names.get(uid) ?? String(uid);
    } catch {
      return '?';
    }
  };
}

function namesIn(path: string): string[] {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}

function linkOf(path: string): string | null {
  try {
    return readlinkSync(path);
  } catch {
    return null;
  }
}

function textOf(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null;
  }
}
