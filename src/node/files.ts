/** `Files` on Node's file system: thin, synchronous, one system call per method. */
import fs from 'node:fs';
import type { FileIdentity, FileStat, FileSystemSpace, Files } from '../core/platform/files.js';

const { O_CREAT, O_EXCL, O_NOFOLLOW, O_NONBLOCK, O_RDONLY, O_WRONLY } = fs.constants;
const READ = O_RDONLY | O_NOFOLLOW | O_NONBLOCK;
const NEW = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW;

/** Linux numbers that libuv has no name for; Node then says `Unknown system error -116`. */
const UNNAMED: Record<number, string> = { [-116]: 'ESTALE', [-122]: 'EDQUOT', [-117]: 'EUCLEAN' };

/** Gives an error of Node the errno name it should have had. */
function named(error: unknown): unknown {
  const e = error as NodeJS.ErrnoException;
  const name = e.errno === undefined ? undefined : UNNAMED[e.errno];
  if (name !== undefined) e.code = name;
  return error;
}

function statOf(s: fs.Stats): FileStat {
  return {
    kind: s.isFile() ? 'file' : s.isDirectory() ? 'directory' : 'other',
    sizeBytes: s.size,
    mode: s.mode & 0o7777,
    uid: s.uid,
    gid: s.gid,
    mtimeMs: s.mtimeMs,
  };
}

export class NodeFiles implements Files {
  openRead(_label: string, path: string): number {
    try {
      return fs.openSync(path, READ);
    } catch (error) {
      throw named(error);
    }
  }

  openNew(_label: string, path: string, mode: number): number {
    try {
      return fs.openSync(path, NEW, mode);
    } catch (error) {
      throw named(error);
    }
  }

  read(_l: string, fd: number, buffer: Uint8Array, offset: number, length: number, position: number | null): number {
    try {
      return fs.readSync(fd, buffer, offset, length, position);
    } catch (error) {
      throw named(error);
    }
  }

  write(_label: string, fd: number, buffer: Uint8Array, offset: number, length: number): number {
    try {
      return fs.writeSync(fd, buffer, offset, length);
    } catch (error) {
      throw named(error);
    }
  }

  fstat(_label: string, fd: number): FileStat {
    try {
      return statOf(fs.fstatSync(fd));
    } catch (error) {
      throw named(error);
    }
  }

  fchmod(_label: string, fd: number, mode: number): void {
    try {
      fs.fchmodSync(fd, mode);
    } catch (error) {
      throw named(error);
    }
  }

  fsync(_label: string, fd: number): void {
    try {
      fs.fsyncSync(fd);
    } catch (error) {
      throw named(error);
    }
  }

  close(_label: string, fd: number): void {
    try {
      fs.closeSync(fd);
    } catch (error) {
      throw named(error);
    }
  }

  stat(_label: string, path: string): FileStat {
    try {
      return statOf(fs.statSync(path));
    } catch (error) {
      throw named(error);
    }
  }

  isAbsent(_label: string, path: string): boolean {
    try {
      return fs.lstatSync(path, { throwIfNoEntry: false }) === undefined;
    } catch (error) {
      throw named(error);
    }
  }

  identity(_label: string, path: string): FileIdentity {
    try {
      const s = fs.lstatSync(path, { bigint: true });
      return { ino: s.ino, birthtimeNs: s.birthtimeNs, mtimeMs: Number(s.mtimeMs) };
    } catch (error) {
      throw named(error);
    }
  }

  link(_label: string, from: string, to: string): void {
    try {
      fs.linkSync(from, to);
    } catch (error) {
      throw named(error);
    }
  }

  rename(_label: string, from: string, to: string): void {
    try {
      fs.renameSync(from, to);
    } catch (error) {
      throw named(error);
    }
  }

  unlink(_label: string, path: string): void {
    try {
      fs.unlinkSync(path);
    } catch (error) {
      throw named(error);
    }
  }

  mkdir(_label: string, path: string, mode: number): void {
    try {
      fs.mkdirSync(path, { mode });
    } catch (error) {
      throw named(error);
    }
  }

  chmod(_label: string, path: string, mode: number): void {
    try {
      fs.chmodSync(path, mode);
    } catch (error) {
      throw named(error);
    }
  }

  chown(_label: string, path: string, uid: number, gid: number): void {
    try {
      fs.chownSync(path, uid, gid);
    } catch (error) {
      throw named(error);
    }
  }

  rmdir(_label: string, path: string): void {
    try {
      fs.rmdirSync(path);
    } catch (error) {
      throw named(error);
    }
  }

  list(_label: string, path: string): string[] {
    try {
      return fs.readdirSync(path);
    } catch (error) {
      throw named(error);
    }
  }

  utimes(_label: string, path: string, atime: Date, mtime: Date): void {
    try {
      fs.utimesSync(path, atime, mtime);
    } catch (error) {
      throw named(error);
    }
  }

  space(_label: string, path: string): FileSystemSpace {
    try {
      const { bavail, blocks, bsize, ffree, files } = fs.statfsSync(path);
      return { freeBytes: bavail * bsize, totalBytes: blocks * bsize, freeInodes: ffree, totalInodes: files };
    } catch (error) {
      throw named(error);
    }
  }
}
