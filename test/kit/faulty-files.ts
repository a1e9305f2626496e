/**
 * Files that fail on request. Every call is counted and named; a script says what happens to it: nothing, an error instead
 * of the call or after it, death before or after it, being left out, a short write, or something else happening first.
 */
import type { FileIdentity, FileStat, FileSystemSpace, Files, Label } from '../../src/core/platform/files.js';

export interface Call {
  /** 1 for the first call since the script was set. */
  number: number;
  label: Label;
  method: keyof Files;
  args: readonly unknown[];
}

export type Fate =
  | undefined
  /** The call is not made; it throws this errno. */
  | { fail: string }
  /** The call is made, and then throws this errno (a lost reply, a late error). */
  | { failAfter: string }
  /** The process dies: this and all later calls do nothing and throw `Killed`. */
  | { kill: 'before' | 'after' }
  /** The call is not made, and reports success. */
  | { drop: true }
  /** Only half of the bytes are written. */
  | { short: true }
  /** The call answers this, without being made. */
  | { answer: unknown };

/** What a killed process throws; nothing in the program may catch it for good. */
export class Killed extends Error {}

const ERRNO: Record<string, number> = {
  ENOENT: -2,
  EIO: -5,
  EACCES: -13,
  EEXIST: -17,
  ENOSPC: -28,
  EROFS: -30,
  ESTALE: -116,
};

function systemCallError(code: string, call: Call): Error {
  return Object.assign(new Error(`${code}: ${call.label}`), {
    code,
    errno: ERRNO[code] ?? -1,
    path: String(call.args[0]),
  });
}

export class FaultyFiles implements Files {
  /** Calls since the script was set. */
  calls: Call[] = [];
  private dead = false;
  private script: (call: Call) => Fate = () => undefined;

  constructor(readonly inner: Files) {}

  /** Sets what happens from now on, and counts from 1 again. */
  play(script: (call: Call) => Fate): void {
    this.script = script;
    this.calls = [];
    this.dead = false;
  }

  private run<T>(method: keyof Files, label: Label, args: readonly unknown[], make: () => T): T {
    if (this.dead) throw new Killed();
    const call: Call = { number: this.calls.length + 1, label, method, args };
    this.calls.push(call);
    const fate = this.script(call);
    if (fate === undefined) return make();
    if ('answer' in fate) return fate.answer as T;
    if ('drop' in fate) return dropped(method, args) as T;
    if ('fail' in fate) throw systemCallError(fate.fail, call);
    if ('kill' in fate) {
      if (fate.kill === 'after') make();
      this.dead = true;
      throw new Killed();
    }
    if ('failAfter' in fate) {
      make();
      throw systemCallError(fate.failAfter, call);
    }
    if (method !== 'write') return make();
    const [fd, buffer, offset, length] = args as [number, Uint8Array, number, number];
    return this.inner.write(label, fd, buffer, offset, Math.max(1, Math.floor(length / 2))) as T;
  }

  openRead(label: Label, path: string): number {
    return this.run('openRead', label, [path], () => this.inner.openRead(label, path));
  }
  openNew(label: Label, path: string, mode: number): number {
    return this.run('openNew', label, [path, mode], () => this.inner.openNew(label, path, mode));
  }
  read(label: Label, fd: number, buffer: Uint8Array, offset: number, length: number, position: number | null): number {
    const args = [fd, buffer, offset, length, position];
    return this.run('read', label, args, () => this.inner.read(label, fd, buffer, offset, length, position));
  }
  write(label: Label, fd: number, buffer: Uint8Array, offset: number, length: number): number {
    return this.run('write', label, [fd, buffer, offset, length], () =>
      this.inner.write(label, fd, buffer, offset, length),
    );
  }
  fstat(label: Label, fd: number): FileStat {
    return this.run('fstat', label, [fd], () => this.inner.fstat(label, fd));
  }
  fchmod(label: Label, fd: number, mode: number): void {
    this.run('fchmod', label, [fd, mode], () => this.inner.fchmod(label, fd, mode));
  }
  fsync(label: Label, fd: number): void {
    this.run('fsync', label, [fd], () => this.inner.fsync(label, fd));
  }
  close(label: Label, fd: number): void {
    this.run('close', label, [fd], () => this.inner.close(label, fd));
  }
  stat(label: Label, path: string): FileStat {
    return this.run('stat', label, [path], () => this.inner.stat(label, path));
  }
  isAbsent(label: Label, path: string): boolean {
    return this.run('isAbsent', label, [path], () => this.inner.isAbsent(label, path));
  }
  identity(label: Label, path: string): FileIdentity {
    return this.run('identity', label, [path], () => this.inner.identity(label, path));
  }
  link(label: Label, from: string, to: string): void {
    this.run('link', label, [from, to], () => this.inner.link(label, from, to));
  }
  rename(label: Label, from: string, to: string): void {
    this.run('rename', label, [from, to], () => this.inner.rename(label, from, to));
  }
  unlink(label: Label, path: string): void {
    this.run('unlink', label, [path], () => this.inner.unlink(label, path));
  }
  mkdir(label: Label, path: string, mode: number): void {
    this.run('mkdir', label, [path, mode], () => this.inner.mkdir(label, path, mode));
  }
  chmod(label: Label, path: string, mode: number): void {
    this.run('chmod', label, [path, mode], () => this.inner.chmod(label, path, mode));
  }
  chown(label: Label, path: string, uid: number, gid: number): void {
    this.run('chown', label, [path, uid, gid], () => this.inner.chown(label, path, uid, gid));
  }
  rmdir(label: Label, path: string): void {
    this.run('rmdir', label, [path], () => this.inner.rmdir(label, path));
  }
  list(label: Label, path: string): string[] {
    return this.run('list', label, [path], () => this.inner.list(label, path));
  }
  utimes(label: Label, path: string, atime: Date, mtime: Date): void {
    this.run('utimes', label, [path, atime, mtime], () => this.inner.utimes(label, path, atime, mtime));
  }
  space(label: Label, path: string): FileSystemSpace {
    return this.run('space', label, [path], () => this.inner.space(label, path));
  }
}

/** What a call that was left out pretends to have returned. */
function dropped(method: keyof Files, args: readonly unknown[]): unknown {
  if (method === 'write' || method === 'read') return args[3];
  return undefined;
}
