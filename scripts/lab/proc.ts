/** What /proc says of processes: trees, states, processor time, memory. Linux only, like everything in the lab. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** Monotonic time of this machine, ms: process.hrtime is CLOCK_MONOTONIC, the same in every namespace of the lab. */
export function monotonicMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

function read(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null; // It ended meanwhile.
  }
}

/** Fields of /proc/PID/stat from the third on (the second may hold blanks); empty when the process is gone. */
function statFields(pid: number): string[] {
  const stat = read(`/proc/${pid}/stat`);
  return stat === null ? [] : stat.slice(stat.lastIndexOf(')') + 2).split(' ');
}

/** `R`, `S`, `D`, `T`, `Z` …; null: it is gone. */
export function stateOfProcess(pid: number): string | null {
  return statFields(pid)[0] ?? null;
}

/** Whether it still runs: a zombie does not. */
export function isAlive(pid: number): boolean {
  const state = stateOfProcess(pid);
  return state !== null && state !== 'Z' && state !== 'X';
}

/** Processor time that it took, all threads, user and system, ms; in ticks of 10 ms. */
export function processorMs(pid: number): number {
  const fields = statFields(pid);
  return fields.length === 0 ? 0 : (Number(fields[11]) + Number(fields[12])) * 10;
}

/** Memory of a process, KiB: resident, and its proportional share of what it shares with others. */
export function memoryKib(pid: number): { rss: number; pss: number } {
  const rollup = read(`/proc/${pid}/smaps_rollup`) ?? '';
  const field = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(rollup)?.[1] ?? 0);
  return { rss: field('Rss'), pss: field('Pss') };
}

export function childrenOf(pid: number): number[] {
  try {
    return readdirSync(`/proc/${pid}/task`).flatMap((task) =>
      (read(`/proc/${pid}/task/${task}/children`) ?? '').split(' ').filter(Boolean).map(Number),
    );
  } catch {
    return [];
  }
}

/** It and everything below it, parents first. */
export function processTree(pid: number): number[] {
  return [pid, ...childrenOf(pid).flatMap(processTree)];
}

/** Whether the process runs this very node binary. */
export function isNode(pid: number): boolean {
  try {
    return readlinkSync(`/proc/${pid}/exe`) === process.execPath;
  } catch {
    return false;
  }
}

/** Signals processes; those that are gone already are passed over. */
export function signalAll(pids: readonly number[], signal: NodeJS.Signals): void {
  for (const pid of pids) {
    try {
      process.kill(pid, signal);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
  }
}
