/** A mount that programs use: the sentence that names them, and their end where force is asked for. */
import { readFileSync } from 'node:fs';
import { MountBusyError } from '../../core/access/agent/ports.js';
import type { Log } from '../../core/agent/ports.js';
import { escapeText } from '../../render/format.js';
import type { FoundHolder } from './holders.js';

/** That many are named; the others are counted. */
const NAMED = 5;
const LOOK_MS = 50;
/** How long a killed process may take to be gone, ms. */
const GONE_MS = 2000;
/** How long a mount without visible users is tried again, ms: programs such as udev look into it for a moment. */
const MOMENT_MS = 500;
/** And at least so often: on a busy machine one look at all processes may take longer than that. */
const LEAST_ATTEMPTS = 5;

const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

/** `v1 is in use: vim (pid 123, root) writes /srv/v1/a.txt; bash (pid 124, root) works in /srv/v1` */
export function inUseSentence(volume: string, holders: readonly FoundHolder[], also: readonly string[] = []): string {
  const own = lineage();
  const first = [...holders].sort((a, b) => Number(b.isWriting) - Number(a.isWriting) || a.pid - b.pid);
  const named = first.slice(0, NAMED).map(({ pid, user, command, use, path }) => {
    const self = pid === process.pid ? ', this command itself' : own.has(pid) ? ', which this command runs under' : '';
    return `${escapeText(command)} (pid ${pid}, ${escapeText(user)}${self}) ${use} ${escapeText(path)}`;
  });
  const rest = holders.length - named.length;
  const who = [...named, ...(rest > 0 ? [`${rest} more`] : []), ...also].join('; ');
  return `${volume} is in use: ${who === '' ? 'by what, cannot be seen from here (the kernel itself, or a user whose processes are hidden)' : who}`;
}

export interface Attempt {
  volume: string;
  /** What is tried, for the sentence of a failure: `v1 could not be unmounted`. */
  failure: string;
  force: boolean;
  /** Has it done when it returns true; false: it is in use. */
  attempt: () => Promise<boolean>;
  /** Those that keep it from being done. */
  inTheWay: () => Promise<FoundHolder[]>;
  /** What else is, in words: other mounts upon it, loop devices. */
  alsoInTheWay: () => string[];
  /** Between TERM and KILL, ms. */
  graceMs: number;
  log: Log;
}

/** @throws MountBusyError; Error: it is still in use although the programs were ended */
export async function untilFree(options: Attempt): Promise<void> {
  const { volume, failure, force, attempt, inTheWay, alsoInTheWay } = options;
  const began = performance.now();
  let wasForced = false;
  for (let attempts = 1; ; attempts++) {
    if (await attempt()) return;
    const holders = await inTheWay();
    const also = alsoInTheWay();
    const isEarly = attempts < LEAST_ATTEMPTS || performance.now() - began < MOMENT_MS;
    const isMomentary = holders.length === 0 && also.length === 0 && isEarly;
    const ended = holders.filter(mayBeEnded);
    if (isMomentary) {
      await pause(LOOK_MS);
    } else if (force && !wasForced && ended.length > 0) {
      wasForced = true;
      await end(options, ended);
    } else {
      const sentence = inUseSentence(volume, holders, also);
      if (!wasForced) throw new MountBusyError(sentence, holders);
      throw new Error(`${failure} although the programs there were ended: ${sentence}`);
    }
  }
}

/** Not those that only live in a namespace with such a mount: that of a container outlives any one of its processes. */
function mayBeEnded({ pid, use }: FoundHolder): boolean {
  return use !== 'has mounted' && !lineage().has(pid);
}

async function end({ volume, inTheWay, graceMs, log }: Attempt, first: readonly FoundHolder[]): Promise<void> {
  const signalled = new Set<number>();
  const signalAll = (holders: readonly FoundHolder[], signal: 'SIGTERM' | 'SIGKILL') => {
    for (const { pid, command, path } of holders) {
      if (signal === 'SIGTERM' && signalled.has(pid)) continue;
      signalled.add(pid);
      log.warn({ volume, pid, signal, path }, `${command} (pid ${pid}) is ended, because it uses ${volume}`);
      signalOne(pid, signal);
    }
  };
  const gone = async (ms: number, each: (holders: readonly FoundHolder[]) => void): Promise<boolean> => {
    for (const deadline = performance.now() + ms; ; ) {
      const left = (await inTheWay()).filter(mayBeEnded);
      if (left.length === 0) return true;
      if (performance.now() > deadline) return false;
      // Found anew each time: who came meanwhile is in the way as well, and a number never belongs to somebody else for long.
      each(left);
      await pause(LOOK_MS);
    }
  };
  signalAll(first, 'SIGTERM');
  if (await gone(graceMs, (left) => signalAll(left, 'SIGTERM'))) return;
  await gone(GONE_MS, (left) => signalAll(left, 'SIGKILL'));
}

function signalOne(pid: number, signal: 'SIGTERM' | 'SIGKILL'): void {
  try {
    process.kill(pid, signal);
  } catch {
    // Gone, or not ours: the next look tells.
  }
}

/** This process and those that it runs under, up to the first of the host: never ended by itself. */
function lineage(): Set<number> {
  const found = new Set<number>();
  for (let pid = process.pid; pid > 0 && !found.has(pid); pid = parentOf(pid)) found.add(pid);
  return found;
}

function parentOf(pid: number): number {
  try {
    return Number(/^PPid:\s*(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0);
  } catch {
    return 0;
  }
}
