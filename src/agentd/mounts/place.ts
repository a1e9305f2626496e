/** Mount points and devices as the kernel names them. What might touch a file system that hangs has a deadline. */
import type { Stats } from 'node:fs';
import { lstat, mkdir, realpath, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { escapeText } from '../../render/format.js';
import type { MountEntry } from './mountinfo.js';

/** Longest time that a path is looked at, ms. */
const DEADLINE_MS = 5000;

/** @throws Error when it takes too long */
export async function inTime<T>(look: Promise<T>, path: string, ms = DEADLINE_MS): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${escapeText(path)} does not answer for ${ms / 1000} s`)), ms);
  });
  // What fails after its time must not end the process.
  look.catch(() => {});
  return Promise.race([look, late]).finally(() => clearTimeout(timer));
}

/** The mount point as mountinfo writes it. What is mounted there is found by its name, without looking at it. */
export async function placeOf(entries: readonly MountEntry[], at: string): Promise<string> {
  if (entries.some((entry) => entry.at === at)) return at;
  try {
    return join(await inTime(realpath(dirname(at)), at), basename(at));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return at;
    throw error;
  }
}

/** Makes the mount point where it is missing; it stays. @throws Error */
export async function makePlace(at: string): Promise<void> {
  try {
    await inTime(mkdir(at, { recursive: true, mode: 0o755 }), at);
  } catch (error) {
    // Something is there; what, is looked at below.
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  const found = await inTime(lstat(at), at);
  if (found.isFile()) throw new Error(`${escapeText(at)} is a file, not a directory: correct "at"`);
  if (!found.isDirectory()) throw new Error(`${escapeText(at)} is no directory (a link is not followed): correct "at"`);
}

/** @throws Error, beginning with `what` failed, where the path is no directory; where it does not answer */
export async function requireDirectory(path: string, what: string): Promise<void> {
  const found = await inTime(stat(path), path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return null;
    throw error;
  });
  if (!found?.isDirectory()) throw new Error(`${what}: there is no directory ${escapeText(path)}`);
}

/** `MAJOR:MINOR` of a block device's number, as sysfs writes it. */
export function deviceNumber({ rdev }: Pick<Stats, 'rdev'>): string {
  const high = Math.floor(rdev / 256);
  return `${high & 0xfff}:${(rdev & 0xff) | (Math.floor(high / 16) & 0xfff00)}`;
}

/** The number of the block device that a mount is of; btrfs and the like show one of their own. */
export async function deviceOf({ device, source }: MountEntry): Promise<string> {
  if (!device.startsWith('0:') || !source.startsWith('/dev/')) return device;
  const found = await inTime(stat(source), source).catch(() => null);
  return found?.isBlockDevice() ? deviceNumber(found) : device;
}
