/** File systems in image files, mounted through loop devices, that are always cleaned up. */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { must, run } from './app.js';

export type Kind = 'ext4' | 'xfs' | 'btrfs';

/**
 * How each is made and mounted. Commit intervals are long, so that nothing reaches the image but what was flushed: a cut then
 * loses as much as a file system may lose. Copies have the identity of their original: nouuid.
 */
const KINDS: Record<Kind, { bytes: number; mkfs: string[]; options: string; copyOptions: string }> = {
  ext4: {
    bytes: 48 << 20,
    mkfs: ['mkfs.ext4', '-q', '-F', '-E', 'lazy_itable_init=0,lazy_journal_init=0,nodiscard'],
    options: 'commit=300',
    copyOptions: 'commit=300',
  },
  xfs: { bytes: 320 << 20, mkfs: ['mkfs.xfs', '-q', '-f', '-K'], options: 'nouuid', copyOptions: 'nouuid' },
  btrfs: {
    bytes: 160 << 20,
    mkfs: ['mkfs.btrfs', '-q', '-f', '-K', '-m', 'single', '-d', 'single'],
    options: 'commit=300',
    copyOptions: 'commit=300',
  },
};
export const KIND_NAMES = Object.keys(KINDS) as Kind[];

const mounted: string[] = [];
const made: string[] = [];

/** A directory for everything of this run: in memory where there is room (and wanted), else under the temporary directory. */
export function workDirectory(name: string, inMemory = true): string {
  const memory = '/dev/shm';
  let base = process.env.CFS_CRASH_TMP ?? os.tmpdir();
  if (inMemory && process.env.CFS_CRASH_TMP === undefined && fs.existsSync(memory)) {
    const { bavail, bsize } = fs.statfsSync(memory);
    if (bavail * bsize > 2 ** 31) base = memory;
  }
  const dir = fs.mkdtempSync(path.join(base, `cfs-crash-${name}-`));
  made.push(dir);
  return dir;
}

/** Why loop images of this kind cannot be used here, or null. */
export function kindMissing(kind: Kind): string | null {
  if (process.getuid?.() !== 0) return 'mounting needs root';
  for (const tool of ['mount', 'umount', 'losetup', `mkfs.${kind}`]) {
    if (run(['sh', '-c', `command -v ${tool}`]).status !== 0) return `${tool} is not installed`;
  }
  run(['sh', '-c', `modprobe ${kind} 2>/dev/null`]);
  const known = fs.readFileSync('/proc/filesystems', 'utf8');
  return known.split('\n').some((line) => line.split('\t')[1] === kind) ? null : `the kernel has no ${kind}`;
}

/** Makes an image of the kind that holds a copy of `contents` (a directory), if any. */
export function makeImage(
  kind: Kind,
  image: string,
  contents: string | null,
  at: string,
  mkfsOptions: readonly string[] = [],
): void {
  fs.rmSync(image, { force: true });
  const raw = `${image}.raw`;
  fs.writeFileSync(raw, '');
  fs.truncateSync(raw, KINDS[kind].bytes);
  must([...KINDS[kind].mkfs, ...mkfsOptions, raw]);
  mount(kind, raw, at);
  if (contents !== null) must(['cp', '-a', contents, `${at}/c`]);
  unmount(at);
  must(['cp', '--sparse=always', raw, image]);
  fs.rmSync(raw);
}

export function mount(kind: Kind, image: string, at: string, isCopy = false): void {
  fs.mkdirSync(at, { recursive: true });
  const { options, copyOptions } = KINDS[kind];
  must(['mount', '-t', kind, '-o', `loop,${isCopy ? copyOptions : options}`, image, at]);
  mounted.push(at);
}

export function mountTmpfs(at: string, options: string): void {
  fs.mkdirSync(at, { recursive: true });
  must(['mount', '-t', 'tmpfs', '-o', options, 'tmpfs', at]);
  mounted.push(at);
}

export function unmount(at: string): void {
  const i = mounted.lastIndexOf(at);
  if (i < 0) return;
  must(['umount', at]);
  mounted.splice(i, 1);
}

/**
 * What has reached the disk at this instant. Taken again when the file system wrote meanwhile (the image's time of change
 * moved), so that the copy is of one instant.
 */
export function cutPower(image: string, copy: string): void {
  for (let tries = 0; tries < 20; tries++) {
    const before = fs.statSync(image, { bigint: true }).mtimeNs;
    must(['cp', '--sparse=always', image, copy]);
    if (fs.statSync(image, { bigint: true }).mtimeNs === before) return;
  }
  throw new Error(`${image} is written to all the time`);
}

function cleanUp(): void {
  for (const at of [...mounted].reverse()) {
    if (run(['umount', at]).status !== 0) run(['umount', '-l', at]);
  }
  mounted.length = 0;
  for (const dir of made) fs.rmSync(dir, { recursive: true, force: true });
}

process.on('exit', cleanUp);
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => process.exit(130));
