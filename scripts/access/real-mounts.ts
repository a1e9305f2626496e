/** Mounts as the kernel has them, and devices to mount. Linux, root. */
import { spawnSync } from 'node:child_process';

export interface KernelMount {
  at: string;
  mode: 'ro' | 'rw';
  fsType: string;
}

/** Octal escapes of /proc/PID/mountinfo. */
const plain = (text: string): string =>
  text.replace(/\\(\d{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));

/** What /proc/PID/mountinfo says, in the order the mounts were made. */
export function parseMounts(mountinfo: string): KernelMount[] {
  const found: KernelMount[] = [];
  for (const line of mountinfo.split('\n')) {
    const [own, ofFileSystem] = line.split(' - ');
    const fields = own?.split(' ') ?? [];
    if (fields.length < 6 || ofFileSystem === undefined) continue;
    const [fsType = '', , superOptions = ''] = ofFileSystem.split(' ');
    const isReadOnly = [fields[5]!, superOptions].some((options) => options.split(',').includes('ro'));
    found.push({ at: plain(fields[4]!), mode: isReadOnly ? 'ro' : 'rw', fsType });
  }
  return found;
}

/** Why nothing can be mounted here, one sentence; null: it can. */
export function whyNoMounts(): string | null {
  if (process.platform !== 'linux') return 'mounts are made on Linux only';
  if (process.getuid?.() !== 0) return 'mounts need root';
  const { status } = spawnSync('unshare', ['--mount', 'nsenter', '--mount=/proc/self/ns/mnt', '--', 'true'], {
    stdio: 'ignore',
  });
  return status === 0 ? null : 'mount namespaces cannot be made here (unshare, nsenter)';
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

  /** While it is mounted somewhere: as soon as it is not. */
  detach(): void {
    spawnSync('losetup', ['--detach', this.device], { stdio: 'ignore' });
  }
}
