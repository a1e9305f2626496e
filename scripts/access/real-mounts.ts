/** What is mounted on this machine below a directory, by the kernel; and how all of it goes away again. Linux, root. */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';

export interface KernelMount {
  at: string;
  mode: 'ro' | 'rw';
  fsType: string;
}

/** Octal escapes of /proc/self/mountinfo. */
const plain = (text: string): string =>
  text.replace(/\\(\d{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));

/** Mounts at or below `base`, in the order they were made. */
export function mountsBelow(base: string): KernelMount[] {
  const found: KernelMount[] = [];
  for (const line of readFileSync('/proc/self/mountinfo', 'utf8').split('\n')) {
    const [own, ofFileSystem] = line.split(' - ');
    const fields = own?.split(' ') ?? [];
    if (fields.length < 6 || ofFileSystem === undefined) continue;
    const at = plain(fields[4]!);
    if (at !== base && !at.startsWith(`${base}/`)) continue;
    const [fsType = '', , superOptions = ''] = ofFileSystem.split(' ');
    const isReadOnly = [fields[5]!, superOptions].some((options) => options.split(',').includes('ro'));
    found.push({ at, mode: isReadOnly ? 'ro' : 'rw', fsType });
  }
  return found;
}

/** How one mount point is mounted; null: it is not. */
export function modeAt(at: string): 'ro' | 'rw' | null {
  return mountsBelow(at).findLast((mount) => mount.at === at)?.mode ?? null;
}

/** Unmounts everything below `base`, whatever uses it; safe to call while the process ends. @returns what could not be unmounted */
export function unmountBelow(base: string): string[] {
  for (const { at } of mountsBelow(base).reverse()) {
    if (spawnSync('umount', [at], { stdio: 'ignore' }).status !== 0)
      spawnSync('umount', ['-l', at], { stdio: 'ignore' });
  }
  return mountsBelow(base).map(({ at }) => at);
}

/** Why nothing can be mounted here, one sentence; null: it can. */
export function whyNoMounts(): string | null {
  if (process.platform !== 'linux') return 'mounts are made on Linux only';
  if (process.getuid?.() !== 0) return 'mounts need root';
  return existsSync('/proc/self/mountinfo') ? null : 'there is no /proc';
}

/** A loop device over a file. */
export class LoopDevice {
  readonly device: string;

  /** @throws Error with what losetup said */
  constructor(image: string) {
    const { status, stdout, stderr } = spawnSync('losetup', ['--find', '--show', image], { encoding: 'utf8' });
    if (status !== 0) throw new Error(`losetup: ${stderr.trim()}`);
    this.device = stdout.trim();
  }

  detach(): void {
    spawnSync('losetup', ['--detach', this.device], { stdio: 'ignore' });
  }
}
