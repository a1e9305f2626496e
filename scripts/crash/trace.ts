/**
 * Tracing and fault injection by strace. Only the main thread is traced: the store makes all its calls there, one after the
 * other (core/platform/files.ts). strace counts a thread's calls by name, so a call that touches the cluster is named by its
 * name and its ordinal among the calls of that name in a run without faults; that the fault hit the call meant is verified
 * afterwards from the trace of the very run.
 */
import fs from 'node:fs';
import { type App, cfsArgv, type Run, run } from './app.js';

/** System calls by which a process can touch a file or a directory. */
const CALLS =
  'open,openat,creat,read,readv,pread64,preadv,write,writev,pwrite64,pwritev,close,fsync,fdatasync,sync_file_range,link,linkat,' +
  'unlink,unlinkat,rename,renameat,renameat2,symlink,symlinkat,mkdir,mkdirat,rmdir,statx,newfstatat,stat,lstat,fstat,access,' +
  'faccessat,chmod,fchmod,fchmodat,chown,fchown,fchownat,lchown,utimensat,utime,utimes,getdents64,truncate,ftruncate,fallocate,' +
  'copy_file_range,sendfile,readlink,readlinkat,statfs,fstatfs,flock,setxattr,fsetxattr,getxattr,fgetxattr';

/** One system call that touched what is under `root`. */
export interface Call {
  name: string;
  /** Ordinal among all calls of this name of the thread, from 1. */
  ordinal: number;
  /** Name and paths, with random digits masked: equal in every run. */
  shape: string;
  /** Whether it can change what is on the disk (or, fsync, what is there for certain). */
  changes: boolean;
  line: string;
}

export interface Traced extends Run {
  calls: Call[];
}

export interface TraceOptions {
  /** Only calls on paths under this one are reported. */
  root: string;
  /** Where strace writes. */
  file: string;
  /** strace injections, such as `link:signal=SIGKILL:when=1`. */
  inject?: readonly string[];
  input?: string;
}

/** Runs cfs under strace. */
export function tracedCfs(app: App, dir: string, args: readonly string[], options: TraceOptions): Traced {
  const { root, file, inject = [], input } = options;
  const argv = ['strace', '-y', '-s', '64', '-o', file, '-e', `trace=${CALLS}`];
  for (const fault of inject) argv.push('-e', `inject=${fault}`);
  const done = run([...argv, '--', ...cfsArgv(app, dir, args)], {
    env: app.env,
    ...(input === undefined ? {} : { input }),
  });
  return { ...done, calls: callsUnder(root, fs.readFileSync(file, 'utf8')) };
}

const CHANGES =
  /^(write|pwrite|fsync|fdatasync|link|unlink|rename|mkdir|rmdir|f?chmod|f?chown|utimens|f?truncate|fallocate)/;

export function callsUnder(root: string, trace: string): Call[] {
  const counts = new Map<string, number>();
  const calls: Call[] = [];
  for (const line of trace.split('\n')) {
    const name = /^(\w+)\(/.exec(line)?.[1];
    if (name === undefined) continue;
    const ordinal = (counts.get(name) ?? 0) + 1;
    counts.set(name, ordinal);
    // What it returned is left out: a call that is not carried out returns nothing.
    const paths = [...line.replace(/\) += .*$/, '').matchAll(/[<"](\/[^">]*)[>"]/g)].map((match) => match[1]!);
    const ours = paths.filter((p) => p === root || p.startsWith(`${root}/`));
    if (ours.length === 0) continue;
    const named = ours
      .map((p) => p.slice(root.length).replace(/[0-9a-f]{16}/g, 'X'))
      .filter((p, i, all) => all.indexOf(p) === i);
    const changes = CHANGES.test(name) || line.includes('O_CREAT');
    calls.push({ name, ordinal, shape: `${name} ${named.join(' ')}`, changes, line });
  }
  return calls;
}

/** Why strace cannot be used here, or null. */
export function straceMissing(): string | null {
  try {
    const tried = run(['strace', '-o', '/dev/null', '-e', 'inject=rmdir:error=EIO:when=1', 'true']);
    return tried.status === 0 ? null : `strace cannot trace here: ${tried.stderr.split('\n')[0]}`;
  } catch {
    return 'strace is not installed';
  }
}
