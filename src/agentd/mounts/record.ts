/**
 * The driver of a host that has nothing to mount: what it is told to mount is mounted. For tests, for trying out, and for sites that
 * mount by other means. What is mounted stands in STATE/mounts, a small file per volume (two processes never write the same one at
 * once, and none of them loses what the other wrote), or in memory where there is no state directory.
 */
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { MountDriver, RealMount } from '../../core/access/agent/ports.js';
import { decodeName, encodeName } from '../../core/membership/leases.js';

type Mode = RealMount['mode'];

export class RecordMountDriver implements MountDriver {
  readonly name = 'record';
  private readonly memory = new Map<string, Mode>();
  private readonly dir: string | null;

  constructor(stateDir: string | null) {
    this.dir = stateDir === null ? null : join(stateDir, 'mounts');
  }

  async mount(volume: string, mode: Mode): Promise<void> {
    if (this.dir === null) {
      this.memory.set(volume, mode);
      return;
    }
    mkdirSync(this.dir, { recursive: true, mode: 0o700 });
    const path = join(this.dir, encodeName(volume));
    // A name that begins with a dot is no volume's.
    const fresh = join(this.dir, `.${process.pid}.${encodeName(volume)}`);
    writeFileSync(fresh, `${mode}\n`, { mode: 0o600 });
    renameSync(fresh, path);
  }

  async unmount(volume: string): Promise<void> {
    this.memory.delete(volume);
    if (this.dir !== null) rmSync(join(this.dir, encodeName(volume)), { force: true });
  }

  async mounted(): Promise<RealMount[]> {
    const { dir } = this;
    if (dir === null) return [...this.memory].map(([volume, mode]) => ({ volume, mode }));
    const found: RealMount[] = [];
    for (const name of namesIn(dir)) {
      const mode = textOf(join(dir, name))?.trim();
      const volume = decodeName(name);
      if (volume !== null && (mode === 'ro' || mode === 'rw')) found.push({ volume, mode });
    }
    return found;
  }

  /** Nothing is known of what is written. */
  async written(): Promise<string | null> {
    return null;
  }
}

function namesIn(dir: string): string[] {
  try {
    return readdirSync(dir)
      .filter((name) => !name.startsWith('.'))
      .sort();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

function textOf(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    // Unmounted meanwhile.
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}
