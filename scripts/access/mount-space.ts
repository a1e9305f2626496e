/**
 * A mount namespace of its own for the clients of one run: what they mount is seen by nobody else, no other program's namespace copies
 * it (which would keep it busy), and all of it is gone when the last process in it has ended, whatever happens.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync, readlinkSync } from 'node:fs';
import { waitFor } from '../lab/wait.js';
import { type KernelMount, parseMounts } from './real-mounts.js';

export class MountSpace {
  private readonly holder: ChildProcess;

  constructor() {
    this.holder = spawn('unshare', ['--mount', '--propagation', 'private', 'sleep', '1000000'], { stdio: 'ignore' });
    this.holder.unref();
  }

  private get pid(): number {
    return this.holder.pid ?? -1;
  }

  /** Waits until it is there. */
  async ready(): Promise<void> {
    const outside = readlinkSync('/proc/self/ns/mnt');
    await waitFor('a mount namespace', 20_000, () => {
      const isSleep = readFileSync(`/proc/${this.pid}/comm`, 'utf8').trim() === 'sleep';
      return isSleep && readlinkSync(`/proc/${this.pid}/ns/mnt`) !== outside;
    });
  }

  /** The command line that runs a program inside; the process is that program. */
  argv(argv: readonly string[]): string[] {
    return ['nsenter', `--mount=/proc/${this.pid}/ns/mnt`, '--', ...argv];
  }

  /** A path inside, as it is seen from outside. */
  path(inside: string): string {
    return `/proc/${this.pid}/root${inside}`;
  }

  mounts(): KernelMount[] {
    return parseMounts(readFileSync(`/proc/${this.pid}/mountinfo`, 'utf8'));
  }

  /** How one mount point is mounted inside; null: it is not. */
  modeAt(at: string): 'ro' | 'rw' | null {
    return this.mounts().findLast((mount) => mount.at === at)?.mode ?? null;
  }

  close(): void {
    this.holder.kill('SIGKILL');
  }
}
