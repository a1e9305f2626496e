/**
 * The file system as the store uses it: every system call by itself, each with a label (`manifest.link`), so that a test
 * can fail, delay or drop exactly that one. All calls are synchronous: a one-shot command has nothing else to do
 * meanwhile, and `fs/promises` costs 1.3 to 1.9 times as much for a commit (spec/performance.md).
 *
 * Failures are `SystemCallError`: an errno name (`ENOENT`, also for numbers Node has no name for, such as ESTALE) and a path.
 */

/** Which call of which step: `<thing>.<call>`, such as `table.fsync`. */
export type Label = `${string}.${string}`;

export interface SystemCallError extends Error {
  code: string;
  path?: string;
}

export function isSystemCallError(error: unknown, ...codes: string[]): error is SystemCallError {
  if (!(error instanceof Error)) return false;
  const code = (error as { code?: unknown }).code;
  // Node's have a number; a CfsError has a code and an errno too, but by name.
  if (typeof code !== 'string' || typeof (error as { errno?: unknown }).errno !== 'number') return false;
  return codes.length === 0 || codes.includes(code);
}

export interface FileStat {
  kind: 'file' | 'directory' | 'other';
  sizeBytes: number;
  /** Permission bits only, with set-id and sticky bits. */
  mode: number;
  uid: number;
  gid: number;
  mtimeMs: number;
}

/** What tells one directory from another that later has the same name. An inode number alone is reused at once on ext4. */
export interface FileIdentity {
  ino: bigint;
  /** 0 where the file system does not tell (some FUSE mounts). */
  birthtimeNs: bigint;
  mtimeMs: number;
}

/** What is left of the file system that holds a path. */
export interface FileSystemSpace {
  /** Bytes that this user may still write. */
  freeBytes: number;
  totalBytes: number;
  /** 0 of 0 where the file system has no fixed number of inodes. */
  freeInodes: number;
  totalInodes: number;
}

export interface Files {
  /** Opens for reading; never follows a link in the last place, never waits for a pipe's writer. Returns a descriptor. */
  openRead(label: Label, path: string): number;
  /** Creates for writing (O_CREAT|O_EXCL|O_NOFOLLOW); EEXIST if there is anything of that name. */
  openNew(label: Label, path: string, mode: number): number;
  /** Reads at most `length` bytes at `position` (null: where the last read ended); 0 at the end of the file. */
  read(label: Label, fd: number, buffer: Uint8Array, offset: number, length: number, position: number | null): number;
  /** Writes at most `length` bytes and returns how many: may be short, the caller loops. */
  write(label: Label, fd: number, buffer: Uint8Array, offset: number, length: number): number;
  fstat(label: Label, fd: number): FileStat;
  fchmod(label: Label, fd: number, mode: number): void;
  fsync(label: Label, fd: number): void;
  close(label: Label, fd: number): void;
  /** Follows a link in the last place. */
  stat(label: Label, path: string): FileStat;
  /** Whether there is nothing of that name. Cheaper than a failing `openRead`; does not follow a link. */
  isAbsent(label: Label, path: string): boolean;
  identity(label: Label, path: string): FileIdentity;
  link(label: Label, from: string, to: string): void;
  rename(label: Label, from: string, to: string): void;
  unlink(label: Label, path: string): void;
  mkdir(label: Label, path: string, mode: number): void;
  chmod(label: Label, path: string, mode: number): void;
  chown(label: Label, path: string, uid: number, gid: number): void;
  rmdir(label: Label, path: string): void;
  /** Names in a directory, in no particular order, without `.` and `..`. */
  list(label: Label, path: string): string[];
  utimes(label: Label, path: string, atime: Date, mtime: Date): void;
  /** statfs: an estimate on file systems that copy on write or are spread over servers. */
  space(label: Label, path: string): FileSystemSpace;
}
