/** What besides processes keeps a mount busy, in words: other mounts upon it, loop devices and swap on its files. */
import { readdirSync, readFileSync } from 'node:fs';
import { escapeText } from '../../render/format.js';
import { isWithin, type MountEntry } from './mountinfo.js';

export function mountsUpon(entries: readonly MountEntry[], mounts: readonly MountEntry[]): string[] {
  return entries
    .filter(({ parentId, id }) => mounts.some((mount) => mount.id === parentId && mount.id !== id))
    .map(({ at }) => `${escapeText(at)} is mounted upon it`);
}

export function filesOfKernel(at: string): string[] {
  const loops = loopDevices().filter(({ file }) => isWithin(file, at));
  const swaps = (textOf('/proc/swaps') ?? '').split('\n').map((line) => line.split(/\s/)[0]!);
  return [
    ...loops.map(({ name, file }) => `the loop device /dev/${name} is on ${escapeText(file)}`),
    ...swaps.filter((path) => isWithin(path, at)).map((path) => `${escapeText(path)} is used as swap`),
  ];
}

export interface LoopDevice {
  /** `loop3`. */
  name: string;
  /** `7:3`. */
  number: string;
  /** What it was attached to, by the name that this had then. */
  file: string;
}

/** Those that are attached to a file. */
export function loopDevices(): LoopDevice[] {
  const found: LoopDevice[] = [];
  for (const name of namesIn('/sys/block')) {
    if (!name.startsWith('loop')) continue;
    const file = textOf(`/sys/block/${name}/loop/backing_file`)?.replace(/\n$/, '');
    const number = textOf(`/sys/block/${name}/dev`)?.trim();
    if (file && number) found.push({ name, number, file: file.replace(/ \(deleted\)$/, '') });
  }
  return found;
}

function namesIn(path: string): string[] {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}

function textOf(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null;
  }
}
