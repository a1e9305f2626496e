/**
 * Runs one program for the node: without a shell, in a process group of its own, for a limited time, its output kept up to a
 * bound. Never rejects: what went wrong is a sentence in the result.
 *
 * A program gets this environment and nothing of the agent's own: PATH (the system's directories), HOME, LANG=C.UTF-8, and
 * the documented variables, whose names begin with CFS_.
 *
 * A program that leaves a process behind (a service that it started) must redirect that one's output: the pipes are closed
 * shortly after the program itself has ended.
 */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';

export interface RunOptions {
  /** Absolute; trusted by the caller. */
  program: string;
  args?: readonly string[];
  /** Standard input; default: empty. */
  input?: string;
  /** The CFS_ variables. */
  variables?: Record<string, string>;
  /** Then its process group gets TERM, and KILL `graceMs` later. */
  timeoutMs: number;
  /** Default 2 s. */
  graceMs?: number;
  /** Called with the process group when it runs. */
  onStart?: (pid: number) => void;
}

export interface RunResult {
  /** Exit status; null when it was killed, never ran, or cannot be got rid of. */
  status: number | null;
  /** Null when it ended with 0; else why that is a failure, without the program's name: `ended with 3`, `took longer than 30 s`. */
  failure: string | null;
  timedOut: boolean;
  /** False when it may still run: KILL has not ended it (a call into a file system that hangs). */
  ended: boolean;
  durationMs: number;
  /** The last 64 KiB of each. */
  stdout: string;
  stderr: string;
}

/** What is kept of each output, bytes. */
export const KEPT_OUTPUT_BYTES = 64 * 1024;

export const PROGRAM_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** How long the outputs are read after the program itself has ended, ms: somebody else may hold them open. */
const DRAIN_MS = 200;
/** How long a killed program may take to be gone, ms. */
const GONE_MS = 1000;

/** The environment of every program that the node runs. */
export function programEnvironment(variables: Record<string, string> = {}): Record<string, string> {
  return { PATH: PROGRAM_PATH, HOME: process.env.HOME || '/', LANG: 'C.UTF-8', ...variables };
}

/** The end of a text, collected in pieces. */
class Tail {
  private pieces: Buffer[] = [];
  private size = 0;

  add(piece: Buffer): void {
    this.pieces.push(piece);
    this.size += piece.length;
    if (this.size < 2 * KEPT_OUTPUT_BYTES) return;
    this.pieces = [Buffer.from(Buffer.concat(this.pieces).subarray(-KEPT_OUTPUT_BYTES))];
    this.size = KEPT_OUTPUT_BYTES;
  }

  text(): string {
    return Buffer.concat(this.pieces).subarray(-KEPT_OUTPUT_BYTES).toString('utf8');
  }
}

export function runProgram(options: RunOptions): Promise<RunResult> {
  const began = performance.now();
  const stdout = new Tail();
  const stderr = new Tail();
  const { timeoutMs, graceMs = 2000 } = options;
  let timedOut = false;
  const result = (status: number | null, failure: string | null, ended: boolean): RunResult => ({
    status,
    failure,
    timedOut,
    ended,
    durationMs: performance.now() - began,
    stdout: stdout.text(),
    stderr: stderr.text(),
  });
  return new Promise((resolve) => {
    const child = start(options);
    if (child instanceof Error) {
      resolve(result(null, `could not be started: ${child.message}`, true));
      return;
    }
    const timers: NodeJS.Timeout[] = [];
    let isSettled = false;
    const settle = (status: number | null, failure: string | null, ended = true) => {
      if (isSettled) return;
      isSettled = true;
      for (const timer of timers) clearTimeout(timer);
      // Whoever holds them open must not keep us waiting, nor this process alive.
      for (const stream of child.stdio) stream?.destroy();
      resolve(result(status, failure, ended));
    };
    const late = `took longer than ${seconds(timeoutMs)}`;
    const after = (ms: number, step: () => void) => timers.push(setTimeout(step, ms));

    child.on('error', (error) => settle(null, `could not be started: ${error.message}`));
    if (child.pid === undefined) return;
    const { pid } = child;
    options.onStart?.(pid);
    child.stdout.on('data', (piece: Buffer) => stdout.add(piece));
    child.stderr.on('data', (piece: Buffer) => stderr.add(piece));
    // It need not read what it is given.
    child.stdin.on('error', () => {});
    child.stdin.end(options.input ?? '');

    after(timeoutMs, () => {
      timedOut = true;
      signalGroup(pid, 'SIGTERM');
      after(graceMs, () => {
        signalGroup(pid, 'SIGKILL');
        after(GONE_MS, () => settle(null, `${late} and cannot be killed`, false));
      });
    });
    const ended = (status: number | null, signal: string | null) => {
      // What it left behind in its group after being told to end has had its time.
      if (timedOut) signalGroup(pid, 'SIGKILL');
      const why = status === null ? `was killed by ${signal}` : `ended with ${status}`;
      settle(timedOut ? null : status, timedOut ? late : status === 0 ? null : why);
    };
    child.on('close', ended);
    child.on('exit', (status, signal) => after(DRAIN_MS, () => ended(status, signal)));
  });
}

function start(options: RunOptions): ChildProcessWithoutNullStreams | Error {
  try {
    return spawn(options.program, [...(options.args ?? [])], {
      env: programEnvironment(options.variables),
      cwd: '/',
      // A process group of its own, so that all it runs can be ended at once.
      detached: true,
      stdio: 'pipe',
    });
  } catch (error) {
    // Arguments with a null byte, or too long.
    return error as Error;
  }
}

/** Signals every process of a group; one that is gone is no failure. */
export function signalGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal);
  } catch {
    // Gone, or not ours any more.
  }
}

export function seconds(ms: number): string {
  return `${Number((ms / 1000).toFixed(1))} s`;
}

/** The last lines of what a program said, errors first, as one line; '' when it said nothing. */
export function saidLast(result: RunResult, lines = 3): string {
  const text = result.stderr.trim() === '' ? result.stdout : result.stderr;
  const kept = text.trim().split('\n').slice(-lines);
  return kept
    .map((line) => line.trim())
    .filter((line) => line !== '')
    .join('; ')
    .slice(0, 500);
}
