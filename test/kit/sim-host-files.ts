/**
 * The shared file system as one process on one host sees it: names that others made appear a little late, the disk may be full, and
 * a call may be the one in which the process is killed or hangs for good.
 */
import type { FileIdentity, FileStat, FileSystemSpace, Files, Label } from '../../src/core/platform/files.js';
import { SimKilled, type SimProcess, type SimWorld } from './sim-world.js';

/** What all hosts share beside the files: who made which name when, and whether the disk is full. */
export class SharedDisk {
  /** `data`: new names fit, what is written into them does not. `all`: not even names, until the ballast is given up. */
  full: 'no' | 'data' | 'all' = 'no';
  private readonly made = new Map<string, { host: string; atMs: number }>();

  constructor(
    readonly files: Files,
    private readonly world: SimWorld,
    /** The longest time after which a new name is seen by other hosts, ms. */
    private readonly mostLagMs = 0,
  ) {}

  noteMade(host: string, path: string): void {
    if (this.mostLagMs === 0) return;
    this.made.delete(path);
    this.made.set(path, { host, atMs: this.world.nowMs });
    for (const [old, { atMs }] of this.made) {
      if (this.world.nowMs - atMs <= this.mostLagMs) break;
      this.made.delete(old);
    }
  }

  isHidden(host: string, path: string, lagMs: number): boolean {
    const made = this.made.get(path);
    return made !== undefined && made.host !== host && this.world.nowMs - made.atMs < lagMs;
  }
}

function failure(code: string, path: string): Error {
  return Object.assign(new Error(`${code}: ${path}`), { code, errno: -1, path });
}

export class HostFiles implements Files {
  /** In so many calls the process ends or freezes, before or after the call; null: it does not. */
  doom: { calls: number; isAfter: boolean; act: () => void } | null = null;
  calls = 0;

  constructor(
    private readonly disk: SharedDisk,
    private readonly host: string,
    private readonly process: SimProcess | null,
    private readonly lagMs: number,
  ) {}

  openRead(label: Label, path: string): number {
    return this.call(() => {
      this.seen(path);
      return this.disk.files.openRead(label, path);
    });
  }

  openNew(label: Label, path: string, mode: number): number {
    return this.call(() => {
      if (this.disk.full === 'all') throw failure('ENOSPC', path);
      const fd = this.disk.files.openNew(label, path, mode);
      this.disk.noteMade(this.host, path);
      return fd;
    });
  }

  read(label: Label, fd: number, buffer: Uint8Array, offset: number, length: number, at: number | null): number {
    return this.call(() => this.disk.files.read(label, fd, buffer, offset, length, at));
  }

  write(label: Label, fd: number, buffer: Uint8Array, offset: number, length: number): number {
    return this.call(() => {
      if (this.disk.full !== 'no') throw failure('ENOSPC', label);
      return this.disk.files.write(label, fd, buffer, offset, length);
    });
  }

  fstat(label: Label, fd: number): FileStat {
    return this.call(() => this.disk.files.fstat(label, fd));
  }

  fchmod(label: Label, fd: number, mode: number): void {
    this.call(() => this.disk.files.fchmod(label, fd, mode));
  }

  fsync(label: Label, fd: number): void {
    this.call(() => this.disk.files.fsync(label, fd));
  }

  close(label: Label, fd: number): void {
    this.call(() => this.disk.files.close(label, fd));
  }

  stat(label: Label, path: string): FileStat {
    return this.call(() => {
      this.seen(path);
      return this.disk.files.stat(label, path);
    });
  }

  isAbsent(label: Label, path: string): boolean {
    return this.call(() => this.disk.isHidden(this.host, path, this.lagMs) || this.disk.files.isAbsent(label, path));
  }

  identity(label: Label, path: string): FileIdentity {
    return this.call(() => this.disk.files.identity(label, path));
  }

  link(label: Label, from: string, to: string): void {
    this.call(() => {
      this.disk.files.link(label, from, to);
      this.disk.noteMade(this.host, to);
    });
  }

  rename(label: Label, from: string, to: string): void {
    this.call(() => this.disk.files.rename(label, from, to));
  }

  unlink(label: Label, path: string): void {
    this.call(() => {
      this.disk.files.unlink(label, path);
      if (this.disk.full === 'all' && path.endsWith('/ballast')) this.disk.full = 'data';
    });
  }

  mkdir(label: Label, path: string, mode: number): void {
    this.call(() => this.disk.files.mkdir(label, path, mode));
  }

  chmod(label: Label, path: string, mode: number): void {
    this.call(() => this.disk.files.chmod(label, path, mode));
  }

  chown(label: Label, path: string, uid: number, gid: number): void {
    this.call(() => this.disk.files.chown(label, path, uid, gid));
  }

  rmdir(label: Label, path: string): void {
    this.call(() => this.disk.files.rmdir(label, path));
  }

  list(label: Label, path: string): string[] {
    return this.call(() => {
      const names = this.disk.files.list(label, path);
      if (this.lagMs === 0) return names;
      return names.filter((name) => !this.disk.isHidden(this.host, `${path}/${name}`, this.lagMs));
    });
  }

  utimes(label: Label, path: string, atime: Date, mtime: Date): void {
    this.call(() => this.disk.files.utimes(label, path, atime, mtime));
  }

  space(label: Label, path: string): FileSystemSpace {
    return this.call(() => this.disk.files.space(label, path));
  }

  private call<T>(make: () => T): T {
    if (this.process?.isAlive === false) throw new SimKilled(`${this.process.name} is dead`);
    this.calls += 1;
    const { doom } = this;
    if (doom === null) return make();
    doom.calls -= 1;
    if (doom.calls > 0) return make();
    this.doom = null;
    if (doom.isAfter) make();
    doom.act();
    throw new SimKilled('ended within a system call');
  }

  private seen(path: string): void {
    if (this.disk.isHidden(this.host, path, this.lagMs)) throw failure('ENOENT', path);
  }
}
