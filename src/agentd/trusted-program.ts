/**
 * Which programs the node may run: only those that nobody but root and the caller can change. Who can write into the shared
 * directory must not be able to run code as root (DESIGN.md, "The shared directory"), nor who can write anywhere on the way.
 *
 * The file, every directory above it and every symbolic link on the way belong to root or the caller; file and directories
 * cannot be written by group or others. A directory like /tmp, writable by all and sticky, is passed: nobody can replace in it
 * what belongs to root or the caller. What was found trusted stays so, since only root and the caller can change it: there is
 * no gap between looking and running.
 *
 * Not looked at: the interpreter that a script names, and what a program itself runs or reads.
 */
import { lstatSync, readlinkSync, type Stats } from 'node:fs';
import { dirname, join } from 'node:path';
import { CfsError } from '../core/errors.js';

export interface TrustOptions {
  /** What the program is for the reader: `driver`, `fencing command`, `hook`. */
  what: string;
  /**
   * Directories in which no program may lie, absolute: the cluster directory, as configured and as resolved. Compared by name
   * before anything is looked at, so that a shared file system that hangs is never touched.
   */
  outside?: readonly string[];
  /** Whose files are trusted besides root's; default: the effective user. */
  uid?: number;
}

/** As many as Linux follows. */
const MAX_LINKS = 40;
const GROUP_OR_OTHERS_WRITE = 0o022;
const STICKY = 0o1000;
const EXECUTE = 0o111;

/**
 * The program's path without symbolic links.
 * @throws CfsError PROGRAM_NOT_TRUSTED saying which path, why, and how to put it right
 */
export function trustedProgram(path: string, options: TrustOptions): string {
  const { path: resolved, stat } = trustedFile(path, options);
  if ((stat.mode & EXECUTE) === 0) {
    refuse(path, options, resolved, 'is not executable', `Make it executable: chmod u+x ${resolved}`);
  }
  return resolved;
}

/** The same for a file that is only read (the node's configuration). @throws CfsError PROGRAM_NOT_TRUSTED */
export function trustedFile(path: string, options: TrustOptions): { path: string; stat: Stats } {
  if (!path.startsWith('/') || path.includes('\0')) {
    refuse(path, options, path, 'is not an absolute path', 'Give the whole path, beginning with /.');
  }
  const found = walk(path, options);
  if (!found.stat.isFile()) refuse(path, options, found.path, 'is not a regular file', 'Name a file.');
  return found;
}

/** Follows the path from the root, one name after the other, and checks each that is passed. */
function walk(path: string, options: TrustOptions): { path: string; stat: Stats } {
  const outside = (options.outside ?? []).map((dir) => (dir.endsWith('/') ? dir : `${dir}/`));
  const rest = namesOf(path);
  let at = '/';
  let stat = lstatSync(at);
  checkEntry(path, options, at, stat);
  for (let links = 0; rest.length > 0; ) {
    const name = rest.shift()!;
    if (name === '..') {
      at = dirname(at);
      stat = lstatSync(at);
      continue;
    }
    if (!stat.isDirectory()) refuse(path, options, at, 'is not a directory', 'Correct the path.');
    const next = join(at, name);
    if (outside.some((dir) => `${next}/`.startsWith(dir))) {
      refuse(path, options, next, 'lies in the cluster directory', 'Keep programs on the node itself, as in /etc/cfs.');
    }
    const found = look(path, options, next);
    if (!found.isSymbolicLink()) {
      checkEntry(path, options, next, found);
      at = next;
      stat = found;
      continue;
    }
    checkOwner(path, options, next, found);
    if (++links > MAX_LINKS) refuse(path, options, next, 'is one of too many links', 'Name the file itself.');
    const target = readlinkSync(next);
    if (target.startsWith('/')) {
      at = '/';
      stat = lstatSync(at);
    }
    rest.unshift(...namesOf(target));
  }
  return { path: at, stat };
}

function namesOf(path: string): string[] {
  return path.split('/').filter((name) => name !== '' && name !== '.');
}

function look(path: string, options: TrustOptions, at: string): Stats {
  try {
    return lstatSync(at);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') refuse(path, options, at, 'does not exist', 'Install it, or correct the path.');
    return refuse(path, options, at, `cannot be looked at (${code})`, 'See to it that it can be read.');
  }
}

function checkEntry(path: string, options: TrustOptions, at: string, stat: Stats): void {
  checkOwner(path, options, at, stat);
  if ((stat.mode & GROUP_OR_OTHERS_WRITE) === 0 || (stat.isDirectory() && (stat.mode & STICKY) !== 0)) return;
  refuse(path, options, at, 'can be written by others than its owner', `Take that away: chmod go-w ${at}`);
}

function checkOwner(path: string, options: TrustOptions, at: string, stat: Stats): void {
  const uid = options.uid ?? process.geteuid!();
  if (stat.uid === 0 || stat.uid === uid) return;
  const owner = uid === 0 ? 'root' : `root or user ${uid}`;
  refuse(path, options, at, `belongs to user ${stat.uid}, not to ${owner}`, `Change its owner: chown -h root ${at}`);
}

function refuse(program: string, { what }: TrustOptions, at: string, why: string, hint: string): never {
  const subject = at === program ? 'it' : at;
  throw new CfsError('PROGRAM_NOT_TRUSTED', `The ${what} ${program} is not used: ${subject} ${why}`, {
    hint,
    details: { program, path: at },
  });
}
