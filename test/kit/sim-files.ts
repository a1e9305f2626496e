/**
 * A file system in memory that knows what would survive a power cut. Data is durable after fsync of the file, names after
 * fsync of their directory; everything else may or may not be there afterwards, in any combination.
 */
import type { FileIdentity, FileStat, FileSystemSpace, Files } from '../../src/core/platform/files.js';

interface Inode {
  ino: bigint;
  kind: 'file' | 'directory';
  mode: number;
  mtimeMs: number;
  birthtimeNs: bigint;
  data: Buffer;
  /** Data as of the last fsync; null: never synced. */
  syncedData: Buffer | null;
  names: Map<string, Inode>;
  /** Names as of the last fsync of the directory. */
  syncedNames: Map<string, Inode>;
  /** Changes of names since then, in order. */
  pending: NameChange[];
}

/** One atomic change: names taken away, names put there. */
interface NameChange {
  unset: string[];
  set: [string, Inode][];
}

/** What a cut does to data that was never flushed. */
export const DATA_LOSSES = ['whole', 'empty', 'zeroed', 'torn'] as const;
export type DataLoss = (typeof DATA_LOSSES)[number];

function fail(code: string, path: string): never {
  throw Object.assign(new Error(`${code}: ${path}`), { code, errno: -1, path });
}

let nextIno = 100n;

function inode(kind: 'file' | 'directory', mode: number): Inode {
  nextIno += 1n;
  const birthtimeNs = nextIno * 1000n;
  const now = Date.now();
  return {
    ...{ ino: nextIno, kind, mode, mtimeMs: now, birthtimeNs, data: Buffer.alloc(0), syncedData: null },
    ...{ names: new Map(), syncedNames: new Map(), pending: [] },
  };
}

export class SimFiles implements Files {
  private readonly open = new Map<number, { node: Inode; position: number }>();
  private nextFd = 10;

  constructor(private readonly root: Inode = inode('directory', 0o755)) {}

  openRead(_label: string, path: string): number {
    return this.take(this.find(path));
  }

  openNew(_label: string, path: string, mode: number): number {
    const [dir, name] = this.parent(path);
    if (dir.names.has(name)) fail('EEXIST', path);
    const node = inode('file', mode);
    this.change(dir, { unset: [], set: [[name, node]] });
    return this.take(node);
  }

  read(_label: string, fd: number, buffer: Uint8Array, offset: number, length: number, at: number | null): number {
    const file = this.opened(fd);
    const from = at ?? file.position;
    const part = file.node.data.subarray(from, from + length);
    buffer.set(part, offset);
    if (at === null) file.position += part.length;
    return part.length;
  }

  write(_label: string, fd: number, buffer: Uint8Array, offset: number, length: number): number {
    const { node } = this.opened(fd);
    node.data = Buffer.concat([node.data, buffer.subarray(offset, offset + length)]);
    return length;
  }

  fstat(_label: string, fd: number): FileStat {
    return this.statOf(this.opened(fd).node);
  }

  fchmod(_label: string, fd: number, mode: number): void {
    this.opened(fd).node.mode = mode;
  }

  fsync(_label: string, fd: number): void {
    const { node } = this.opened(fd);
    if (node.kind === 'file') node.syncedData = node.data;
    node.syncedNames = new Map(node.names);
    node.pending = [];
  }

  close(_label: string, fd: number): void {
    this.opened(fd);
    this.open.delete(fd);
  }

  stat(_label: string, path: string): FileStat {
    return this.statOf(this.find(path));
  }

  isAbsent(_label: string, path: string): boolean {
    let node: Inode | undefined = this.root;
    for (const part of path.split('/')) if (part !== '') node = node?.names.get(part);
    return node === undefined;
  }

  identity(_label: string, path: string): FileIdentity {
    const { ino, birthtimeNs, mtimeMs } = this.find(path);
    return { ino, birthtimeNs, mtimeMs };
  }

  link(_label: string, from: string, to: string): void {
    const node = this.find(from);
    const [dir, name] = this.parent(to);
    if (dir.names.has(name)) fail('EEXIST', to);
    this.change(dir, { unset: [], set: [[name, node]] });
  }

  rename(_label: string, from: string, to: string): void {
    const node = this.find(from);
    const [dir, name] = this.parent(to);
    this.change(dir, { unset: [this.parent(from)[1]], set: [[name, node]] });
  }

  unlink(_label: string, path: string): void {
    if (this.find(path).kind === 'directory') fail('EISDIR', path);
    const [dir, name] = this.parent(path);
    this.change(dir, { unset: [name], set: [] });
  }

  mkdir(_label: string, path: string, mode: number): void {
    const [dir, name] = this.parent(path);
    if (dir.names.has(name)) fail('EEXIST', path);
    this.change(dir, { unset: [], set: [[name, inode('directory', mode)]] });
  }

  chmod(_label: string, path: string, mode: number): void {
    this.find(path).mode = mode;
  }

  chown(_label: string, path: string): void {
    this.find(path);
  }

  rmdir(_label: string, path: string): void {
    if (this.find(path).names.size > 0) fail('ENOTEMPTY', path);
    const [dir, name] = this.parent(path);
    this.change(dir, { unset: [name], set: [] });
  }

  list(_label: string, path: string): string[] {
    return [...this.find(path).names.keys()];
  }

  utimes(_label: string, path: string, _atime: Date, mtime: Date): void {
    this.find(path).mtimeMs = mtime.getTime();
  }

  /** As much as anybody wants, unless a test says otherwise. */
  freeBytes = 2 ** 40;

  space(_label: string, _path: string): FileSystemSpace {
    return { freeBytes: this.freeBytes, totalBytes: 2 ** 41, freeInodes: 0, totalInodes: 0 };
  }

  /** How many changes of names a cut could lose now. */
  unsynced(): number {
    return this.directories().reduce((n, dir) => n + dir.pending.length, 0);
  }

  /** Every file system that a power cut at this moment could leave: each subset of unsynced names, each loss of data. */
  *afterPowerCut(): Iterable<{ files: SimFiles; lost: string }> {
    const dirs = this.directories();
    const changes = dirs.reduce((n, dir) => n + dir.pending.length, 0);
    if (changes > 12) throw new Error(`${changes} unsynced changes are too many to try every subset`);
    const losses = this.hasUnsyncedData() ? DATA_LOSSES : (['whole'] as const);
    for (let subset = 0; subset < 1 << changes; subset++) {
      for (const loss of losses) {
        let bit = 0;
        const survives = (): boolean => (subset & (1 << bit++)) !== 0;
        const kept = new Map(dirs.map((dir) => [dir, dir.pending.filter(survives)]));
        yield { files: new SimFiles(remains(this.root, kept, loss, new Map())), lost: `${subset.toString(2)} ${loss}` };
      }
    }
  }

  private hasUnsyncedData(): boolean {
    return this.directories().some((dir) =>
      [...dir.names.values()].some((n) => n.kind === 'file' && n.data !== n.syncedData),
    );
  }

  private directories(): Inode[] {
    const found = new Set<Inode>();
    const walk = (node: Inode): void => {
      if (node.kind !== 'directory' || found.has(node)) return;
      found.add(node);
      for (const child of node.names.values()) walk(child);
      for (const child of node.syncedNames.values()) walk(child);
    };
    walk(this.root);
    return [...found];
  }

  private change(dir: Inode, change: NameChange): void {
    applyChange(dir.names, change);
    dir.pending.push(change);
    dir.mtimeMs = Date.now();
  }

  private find(path: string): Inode {
    let node = this.root;
    const trail: Inode[] = [];
    for (const part of path.split('/')) {
      if (part === '' || part === '.') continue;
      if (part === '..') {
        node = trail.pop() ?? this.root;
        continue;
      }
      if (node.kind !== 'directory') fail('ENOTDIR', path);
      trail.push(node);
      node = node.names.get(part) ?? fail('ENOENT', path);
    }
    return node;
  }

  private parent(path: string): [Inode, string] {
    const slash = path.lastIndexOf('/');
    return [this.find(path.slice(0, slash)), path.slice(slash + 1)];
  }

  private take(node: Inode): number {
    this.nextFd += 1;
    this.open.set(this.nextFd, { node, position: 0 });
    return this.nextFd;
  }

  private opened(fd: number): { node: Inode; position: number } {
    return this.open.get(fd) ?? fail('EBADF', String(fd));
  }

  private statOf(node: Inode): FileStat {
    const { kind, mode, mtimeMs } = node;
    return { kind, mode, mtimeMs, sizeBytes: node.data.length, uid: 0, gid: 0 };
  }
}

function applyChange(names: Map<string, Inode>, change: NameChange): void {
  for (const name of change.unset) names.delete(name);
  for (const [name, node] of change.set) names.set(name, node);
}

function remains(node: Inode, kept: Map<Inode, NameChange[]>, loss: DataLoss, done: Map<Inode, Inode>): Inode {
  const known = done.get(node);
  if (known !== undefined) return known;
  const copy: Inode = { ...node, names: new Map(), syncedNames: new Map(), pending: [] };
  done.set(node, copy);
  if (node.kind === 'file') {
    copy.data = node.syncedData === node.data ? node.data : lose(node.data, loss);
    copy.syncedData = copy.data;
    return copy;
  }
  const names = new Map(node.syncedNames);
  for (const change of kept.get(node) ?? []) applyChange(names, change);
  for (const [name, child] of names) copy.names.set(name, remains(child, kept, loss, done));
  copy.syncedNames = new Map(copy.names);
  return copy;
}

function lose(data: Buffer, loss: DataLoss): Buffer {
  if (loss === 'whole') return data;
  if (loss === 'empty') return Buffer.alloc(0);
  if (loss === 'zeroed') return Buffer.alloc(data.length);
  return data.subarray(0, Math.floor(data.length / 2));
}
