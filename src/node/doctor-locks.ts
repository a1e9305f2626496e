/**
 * Locks of files, tried by two processes. Node has no call for them: `flock` of util-linux takes the one kind, perl (part of every
 * Debian and most other systems) the other.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import type { LockAnswer } from '../core/doctor/measurements.js';

export type LockKind = 'flock' | 'fcntl';

/** F_SETLK with a write lock of the whole file; struct flock as 64-bit Linux has it. Says what it got and waits for the end of input. */
const PERL = `
  use Fcntl; $| = 1;
  open(my $f, "+>>", $ARGV[0]) or do { print "unsupported $!\\n"; exit 2 };
  my $lock = pack("s s x4 q q i x4", F_WRLCK, 0, 0, 0, 0);
  if (fcntl($f, F_SETLK, $lock)) { print "held\\n"; <STDIN>; exit 0 }
  print(($!{EAGAIN} || $!{EACCES}) ? "refused\\n" : "unsupported $!\\n"); exit 1;`;

const COMMANDS: Record<LockKind, (file: string) => [string, string[]]> = {
  flock: (file) => ['flock', ['-n', '-x', '-E', '91', file, 'sh', '-c', 'echo held; exec cat >/dev/null']],
  fcntl: (file) => ['perl', ['-e', PERL, file]],
};

/** A try for a lock: what came of it, and how to let it go. */
export interface Try {
  got: 'held' | 'refused' | 'unsupported' | 'no-program';
  release: () => Promise<void>;
}

/** Tries for a lock without waiting. */
export async function tryLock(kind: LockKind, file: string): Promise<Try> {
  const [program, args] = COMMANDS[kind](file);
  const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'ignore'] });
  const ended = new Promise<number | null>((resolve) => {
    child.on('close', resolve);
    child.on('error', () => resolve(null));
  });
  const got = await answerOf(child);
  const release = async (): Promise<void> => {
    child.stdin?.end();
    await ended;
  };
  if (got !== 'held') await release();
  return { got, release };
}

function answerOf(child: ChildProcess): Promise<Try['got']> {
  return new Promise((resolve) => {
    let text = '';
    child.on('error', () => resolve('no-program'));
    child.stdout?.setEncoding('utf8').on('data', (part: string) => {
      text += part;
      if (text.startsWith('held\n')) resolve('held');
    });
    child.on('close', (status) => resolve(status === 91 || text.startsWith('refused') ? 'refused' : 'unsupported'));
    // Writing to a child that ended already is no failure of ours.
    child.stdin?.on('error', () => {});
  });
}

/** What the second's try tells, the first holding the lock. */
export function lockAnswer(first: Try['got'], second: Try['got']): LockAnswer {
  if (first === 'no-program' || second === 'no-program') return 'no-program';
  if (first !== 'held') return 'unsupported';
  return second === 'held' ? 'given-to-both' : second;
}
