/**
 * The host's own programs for mounting: mount, umount, blkid, blockdev, sync, each looked up in the system's directories and run with a
 * time limit, so that a device that hangs keeps nobody waiting for ever. None goes through /etc/fstab: all is said on its command line.
 */
import { accessSync, constants } from 'node:fs';
import { join } from 'node:path';
import { escapeText } from '../../render/format.js';
import type { Programs } from '../programs.js';
import { PROGRAM_PATH, type RunResult, saidLast } from '../run-program.js';

export interface HostToolsOptions {
  programs: Pick<Programs, 'run'>;
  /** Longest time of one program, ms. */
  timeoutMs: number;
}

type Program = 'mount' | 'umount' | 'blkid' | 'blockdev' | 'sync';

export class HostTools {
  constructor(private readonly options: HostToolsOptions) {}

  /** @throws Error with what mount(8) said */
  async mount(args: readonly string[], what: string): Promise<void> {
    const result = await this.run('mount', args);
    if (result.failure !== null) throw failed(what, 'mount', result);
  }

  /** mount(8) of what may be in use. @returns false: it is */
  async mountUnlessBusy(args: readonly string[], what: string): Promise<boolean> {
    return this.unlessBusy('mount', args, what);
  }

  /** Does not look at the path by itself, which might hang. @returns false: it is in use */
  async unmount(at: string, what: string): Promise<boolean> {
    return this.unlessBusy('umount', ['-c', at], what);
  }

  /** The type of the file system on a device or in an image. @throws Error */
  async fsTypeOf(device: string): Promise<string> {
    const result = await this.run('blkid', ['-p', '-o', 'value', '-s', 'TYPE', device]);
    const found = result.stdout.trim();
    if (result.failure === null && /^[\w.-]+$/.test(found)) return found;
    const said = saidLast(result);
    throw new Error(
      `no file system was found on ${escapeText(device)}${said === '' ? '' : `: ${escapeText(said)}`}; say which one in "fsType"`,
    );
  }

  /** blockdev(8). @returns what it said against it; null: done */
  async blockdev(args: readonly string[], device: string): Promise<string | null> {
    const result = await this.run('blockdev', [...args, device]);
    return result.failure === null ? null : escapeText(saidLast(result) || result.failure);
  }

  /** Everything written on the file system that the path lies on is on its device. @throws Error */
  async sync(path: string, what: string): Promise<void> {
    const result = await this.run('sync', ['-f', path]);
    if (result.failure !== null) throw failed(what, 'sync', result);
  }

  private async unlessBusy(name: Program, args: readonly string[], what: string): Promise<boolean> {
    const result = await this.run(name, args);
    if (result.failure === null) return true;
    if (result.status !== null && /\bbusy\b/.test(result.stderr)) return false;
    throw failed(what, name, result);
  }

  private run(name: Program, args: readonly string[]): Promise<RunResult> {
    const { programs, timeoutMs } = this.options;
    return programs.run('program', { program: absolute(name), args, timeoutMs });
  }
}

function failed(what: string, name: Program, result: RunResult): Error {
  const said = escapeText(saidLast(result));
  return new Error(`${what}: ${name} ${result.failure}${said === '' ? '' : `: ${said}`}`);
}

/** @throws Error when this host has no such program */
function absolute(name: Program): string {
  for (const dir of PROGRAM_PATH.split(':')) {
    const path = join(dir, name);
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {
      // Look on.
    }
  }
  throw new Error(`this host has no program ${name} in ${PROGRAM_PATH}`);
}
