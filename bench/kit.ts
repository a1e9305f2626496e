/**
 * What the benchmarks share: whole processes in a clean environment, run in turns, medians compared (spec/performance.md).
 *
 * CFS_BENCH_DIR  where clusters are made (default: the system's temporary directory). Its file system is what is measured.
 * CFS_BENCH_BIN  the bin/run.js to measure (default: this repository's, as built).
 */
import { type SpawnSyncReturns, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

export const BIN = process.env.CFS_BENCH_BIN ?? fileURLToPath(new URL('../bin/run.js', import.meta.url));
const HERE = path.dirname(fileURLToPath(import.meta.url));

/** A directory of this run alone; removed when the process ends. */
export const WORK = fs.mkdtempSync(path.join(process.env.CFS_BENCH_DIR ?? os.tmpdir(), 'cfs-bench-'));
process.on('exit', () => fs.rmSync(WORK, { recursive: true, force: true }));
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(1));

const HOME = path.join(WORK, 'home');
fs.mkdirSync(HOME);

/** One NODE_EXTRA_CA_CERTS in the environment adds 39 ms to every start: nothing is handed on but what is needed. */
export function cleanEnv(dir?: string): Record<string, string> {
  return { PATH: process.env.PATH ?? '', HOME, ...(dir === undefined ? {} : { CFS_DIR: dir }) };
}

/** Something to run: a program with its arguments, and what it reads from standard input. */
export interface Program {
  file: string;
  argv: string[];
  dir?: string;
  stdin?: Buffer;
  /** Exit statuses that are no failure (default: 0 alone). */
  statuses?: number[];
}

export const EMPTY_NODE: Program = { file: process.execPath, argv: ['-e', '0'] };

/** `cfs WORDS…` on the cluster in `dir`. */
export function cfs(dir: string, words: string, stdin?: Buffer): Program {
  return { file: process.execPath, argv: [BIN, ...words.split(' ')], dir, ...(stdin === undefined ? {} : { stdin }) };
}

function ended(program: Program, result: SpawnSyncReturns<Buffer>): void {
  if (result.error !== undefined) throw result.error;
  if ((program.statuses ?? [0]).includes(result.status ?? -1)) return;
  const words = [program.file, ...program.argv].join(' ').slice(0, 200);
  throw new Error(`${words} ended with ${result.status}: ${result.stderr?.toString().slice(0, 1000)}`);
}

/** Milliseconds from before the process is started until it has ended; what it prints is thrown away. */
export function timeOf(program: Program): number {
  const start = process.hrtime.bigint();
  const result = spawnSync(program.file, program.argv, {
    cwd: HOME,
    env: cleanEnv(program.dir),
    input: program.stdin,
    stdio: [program.stdin === undefined ? 'ignore' : 'pipe', 'ignore', 'pipe'],
    maxBuffer: 1 << 28,
  }) as SpawnSyncReturns<Buffer>;
  const ms = Number(process.hrtime.bigint() - start) / 1e6;
  ended(program, result);
  return ms;
}

/** Runs it and gives what it prints on standard output. */
export function outputOf(program: Program): Buffer {
  const result = spawnSync(program.file, program.argv, {
    cwd: HOME,
    env: cleanEnv(program.dir),
    input: program.stdin,
    maxBuffer: 1 << 28,
  }) as SpawnSyncReturns<Buffer>;
  ended(program, result);
  return result.stdout;
}

export function has(program: string): boolean {
  return (process.env.PATH ?? '').split(':').some((dir) => dir !== '' && fs.existsSync(path.join(dir, program)));
}

/** Milliseconds of processor time, user and system, by the shell's `time`; NaN without bash. A busy machine changes it little. */
export function cpuOf(program: Program): number {
  const script = 'TIMEFORMAT="%3U %3S"; time "$@" > /dev/null 2> /dev/null';
  const result = spawnSync('bash', ['-c', script, 'bash', program.file, ...program.argv], {
    cwd: HOME,
    env: { ...cleanEnv(program.dir), LC_ALL: 'C' },
    input: program.stdin,
    stdio: [program.stdin === undefined ? 'ignore' : 'pipe', 'ignore', 'pipe'],
  }) as SpawnSyncReturns<Buffer>;
  if (result.error !== undefined) return Number.NaN;
  ended(program, result);
  const [user, system] = result.stderr.toString().trim().split(' ').map(Number);
  return (user! + system!) * 1000;
}

export interface Cost {
  ms: number;
  /** Processor time, user and system: what remains the same on a busy machine. Null without GNU time (/usr/bin/time). */
  cpuMs: number | null;
  /** Peak of resident memory. */
  mib: number | null;
}

export function costOf(program: Program): Cost {
  const time = '/usr/bin/time';
  if (!fs.existsSync(time)) return { ms: timeOf(program), cpuMs: null, mib: null };
  const out = path.join(WORK, 'cost');
  const ms = timeOf({ ...program, file: time, argv: ['-o', out, '-f', '%M %U %S', program.file, ...program.argv] });
  const [kib, user, system] = fs.readFileSync(out, 'utf8').trim().split('\n').at(-1)!.split(' ').map(Number);
  return { ms, cpuMs: (user! + system!) * 1000, mib: kib! / 1024 };
}

export function quantile(values: readonly number[], q: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))]!;
}

export const median = (values: readonly number[]): number => quantile(values, 0.5);

/** Runs every case once per round, after one round that does not count: whatever else the machine does falls on all. */
export function inTurns(rounds: number, cases: (() => number)[]): number[][] {
  const times = cases.map((): number[] => []);
  for (const one of cases) one();
  for (let round = 0; round < rounds; round++) for (const [i, one] of cases.entries()) times[i]!.push(one());
  return times;
}

/** How much the same thing took longer at times: the ninth decile over the median. 1.0 is a quiet machine. */
export const noise = (values: readonly number[]): number => quantile(values, 0.9) / median(values);

/** A balanced sample cluster of NODESxVOLUMES, made once per run and size. */
export function sampleCluster(size: string, balanced = true): string {
  const dir = path.join(WORK, balanced ? size : `${size}-new`);
  if (fs.existsSync(dir)) return dir;
  outputOf(cfs(dir, `init --sample ${size} --yes`));
  if (balanced) outputOf(cfs(dir, 'rebalance'));
  return dir;
}

/** A copy that may be changed; the sample stays as it is for the next case. */
export function copyOf(dir: string, name: string): string {
  const to = path.join(WORK, name);
  fs.rmSync(to, { recursive: true, force: true });
  fs.cpSync(dir, to, { recursive: true, preserveTimestamps: true });
  return to;
}

/** Sizes of the samples, by number of volumes. */
export const SIZES = { 10: '10x10', 1000: '50x1000', 10000: '200x10000', 100000: '1000x100000' } as const;

/** Name of the first volume of a sample of that many. */
export const firstVolume = (volumes: number): string => `vol${'1'.padStart(String(volumes).length, '0')}`;

/** A line of the table of results. */
export interface Row {
  what: string;
  /** As measured, with its unit. */
  measured: string;
  /** The number to compare with the goal, where there is one: a ratio, seconds, a count. */
  value?: number;
  goal?: number;
  unit?: string;
  note?: string;
}

export function verdict({ value, goal }: Row): string {
  if (value === undefined || goal === undefined) return '';
  return value <= goal ? 'met' : `missed by ${((value / goal - 1) * 100).toFixed(0)} %`;
}

/** Markdown. */
export function printTable(title: string, rows: readonly Row[]): void {
  console.log(`\n### ${title}\n\n| what | measured | ratio or value | goal | | note |\n|---|---:|---:|---:|---|---|`);
  for (const row of rows) {
    const unit = row.unit ?? 'x';
    const value = row.value === undefined ? '' : `${format(row.value)} ${unit}`;
    const goal = row.goal === undefined ? '' : `${format(row.goal)} ${unit}`;
    console.log(`| ${row.what} | ${row.measured} | ${value} | ${goal} | ${verdict(row)} | ${row.note ?? ''} |`);
  }
}

const format = (n: number): string => (n >= 100 || Number.isInteger(n) ? n.toFixed(0) : n.toFixed(2));

export const msText = (ms: number): string => (ms >= 1000 ? `${(ms / 1000).toFixed(2)} s` : `${ms.toFixed(1)} ms`);

/** What the figures were taken on, for the head of a report. */
export function machine(): string {
  const load = os.loadavg()[0]!.toFixed(1);
  const commit = spawnSync('git', ['rev-parse', '--short', 'HEAD'], { cwd: HERE, encoding: 'utf8' }).stdout?.trim();
  const cores = os.availableParallelism();
  return `node ${process.version}, ${cores} cores, load ${load}, ${WORK.split('/')[1]} file system, commit ${commit || '?'}`;
}

/** Whether the file was started as a program, not imported. */
export const isMain = (url: string): boolean => process.argv[1] === fileURLToPath(url);
