/**
 * The programs that this process runs for the node: each is trusted first, bears a mark, and can be ended by somebody else.
 *
 * The mark is a file in STATE/runs of the same name as the variable CFS_RUN of the program, there from before it begins until
 * it has ended. So the supervisor, having killed a worker, finds and kills what that one had begun (a driver that starts a
 * volume must not go on while the supervisor stops it), and `cfs agentd stop-all` does after both were killed. Services that
 * a program has started and left behind in order are not touched: its mark is gone by then.
 */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type RunOptions, type RunResult, runProgram, signalGroup } from './run-program.js';
import { trustedProgram } from './trusted-program.js';

export interface ProgramsOptions {
  /** The node's state directory; null: nobody else has to find what runs (a command of a person). */
  stateDir: string | null;
  /** A program runs also where its mark cannot be written (a state directory that is full, or gone): fencing must not fail for that. */
  canDoWithoutMarks?: boolean;
  /** Where no program may lie: the cluster directory. See TrustOptions. */
  outside: readonly string[];
}

const RUNS = 'runs';
/** Rounds of looking for what was killed, and the pause between them, ms: half a second in all. */
const ROUNDS = 25;
const PAUSE_MS = 20;

const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

export class Programs {
  private readonly running = new Set<number>();
  private readonly prefix = `${process.pid}.${process.hrtime.bigint().toString(36)}`;
  private count = 0;

  constructor(private readonly options: ProgramsOptions) {}

  /**
   * Runs a program of the node's configuration; what goes wrong while it runs stands in the result.
   * @param what what it is for the reader: `driver`, `hook` …
   * @throws CfsError PROGRAM_NOT_TRUSTED; SystemCallError when its mark cannot be written
   */
  async run(what: string, options: RunOptions): Promise<RunResult> {
    const program = trustedProgram(options.program, { what, outside: this.options.outside });
    const run = `${this.prefix}.${++this.count}`;
    const mark = this.mark(run);
    let pid: number | undefined;
    const result = await runProgram({
      ...options,
      program,
      variables: { ...options.variables, CFS_RUN: run },
      onStart: (started) => {
        pid = started;
        this.running.add(started);
      },
    });
    if (pid !== undefined) this.running.delete(pid);
    // Left for whoever looks when it could not be ended.
    if (mark !== null && result.ended) rmSync(mark, { force: true });
    return result;
  }

  /** Kills all that this process runs; each ends with its failure. */
  killAll(): void {
    for (const pid of this.running) signalGroup(pid, 'SIGKILL');
  }

  private mark(run: string): string | null {
    if (this.options.stateDir === null) return null;
    const dir = join(this.options.stateDir, RUNS);
    const mark = join(dir, run);
    try {
      mkdirSync(dir, { recursive: true, mode: 0o700 });
      writeFileSync(mark, '', { flag: 'wx', mode: 0o600 });
    } catch (error) {
      if (this.options.canDoWithoutMarks !== true) throw error;
      return null;
    }
    return mark;
  }
}

/**
 * Kills the programs that another process had begun and not ended.
 * @param by that process, which must be gone by now; `everybody`: whoever is not this process
 * @returns the marks of those that did not end within half a second (calls into a file system that hangs)
 */
export async function killLeftPrograms(stateDir: string, by: number | 'everybody'): Promise<string[]> {
  const left = new Set(marksOf(stateDir).filter((run) => isOf(run, by)));
  if (left.size === 0) return [];
  for (let round = 0; round < ROUNDS; round++) {
    const found = processesOf(left);
    for (const pid of found.keys()) kill(pid);
    // Once more when nothing is found at first: one that is being begun may not bear its mark yet.
    if (found.size === 0 && round > 0) break;
    await pause(PAUSE_MS);
  }
  const stuck = new Set(processesOf(left).values());
  for (const run of left) if (!stuck.has(run)) rmSync(join(stateDir, RUNS, run), { force: true });
  return [...stuck];
}

function isOf(run: string, by: number | 'everybody'): boolean {
  const pid = Number(run.split('.')[0]);
  return by === 'everybody' ? pid !== process.pid : pid === by;
}

function marksOf(stateDir: string): string[] {
  try {
    return readdirSync(join(stateDir, RUNS));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

/** Processes of this host that bear one of the marks: number and mark. */
function processesOf(runs: ReadonlySet<string>): Map<number, string> {
  const found = new Map<number, string>();
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const run = /(?:^|\0)CFS_RUN=([^\0]*)/.exec(environmentOf(name))?.[1];
    if (run !== undefined && runs.has(run)) found.set(Number(name), run);
  }
  return found;
}

function environmentOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'latin1');
  } catch {
    // Gone, or somebody else's.
    return '';
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // Gone.
  }
}
