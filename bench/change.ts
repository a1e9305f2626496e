/**
 * One durable small change by the CLI, whole process, as a ratio to `node -e 0`, at several sizes; what a long history and a
 * full overlay add; sqlite beside it; and flushes and system calls of one commit, counted by strace.
 *
 *     node --import tsx bench/change.ts [--runs 40] [--history 10000]
 */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import {
  cfs,
  cleanEnv,
  copyOf,
  cpuOf,
  EMPTY_NODE,
  firstVolume,
  has,
  inTurns,
  isMain,
  median,
  msText,
  noise,
  outputOf,
  type Program,
  printTable,
  type Row,
  SIZES,
  sampleCluster,
  timeOf,
  WORK,
} from './kit.js';

const GOALS: Record<number, number> = { 10: 1.8, 1000: 1.8, 10000: 1.9, 100000: 2.2 };
const FLUSH_GOAL = 2;
/** A manifest stands at 64 KiB of overlay before it folds; this many records bring it near that. */
const NEARLY_FULL = 60_000;

let turn = 0;
/** Never the same weight twice running: a change that changes nothing commits nothing. */
const weight = (): number => 1 + (++turn % 1000) / 8;

const change = (dir: string, volume: string): (() => Program) => {
  return () => cfs(dir, `volume set ${volume} --weight ${weight()}`);
};

function manifestBytes(dir: string): number {
  const folder = path.join(dir, 'manifests');
  return fs.statSync(path.join(folder, fs.readdirSync(folder).sort().at(-1)!)).size;
}

/** Changes volumes one by one in few generations until the overlay is nearly full. */
function fillOverlay(dir: string, volumes: number): void {
  const width = String(volumes).length;
  for (let i = 2; manifestBytes(dir) < NEARLY_FULL; i += 20) {
    const names = Array.from({ length: 20 }, (_, k) => `vol${String(i + k).padStart(width, '0')}`);
    outputOf(cfs(dir, `volume set ${names.join(' ')} --weight ${weight()}`));
  }
}

/** So many generations by one process, through the library's store. */
async function lengthenHistory(dir: string, generations: number, volume: string): Promise<void> {
  const { openCluster } = await import('../src/open.js');
  const { volumeSet } = await import('../src/core/config/volumes.js');
  const cluster = await openCluster({ dir });
  for (let i = 0; i < generations; i++) await cluster.change(volumeSet, { name: volume, weight: weight() });
}

/**
 * A change that folds: a few hundred records in one generation, more than the overlay holds. Each time other weights.
 */
function folding(dir: string, volumes: number): () => Program {
  const width = String(volumes).length;
  const names = Array.from({ length: 900 }, (_, k) => `vol${String(k * 10 + 1).padStart(width, '0')}`);
  return () => cfs(dir, `volume set ${names.join(' ')} --weight ${weight()}`);
}

/** The sqlite shell doing one durable UPDATE in a table of as many rows. */
function sqlite(volumes: number): () => Program {
  const db = path.join(WORK, `sqlite-${volumes}.db`);
  const rows = `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${volumes})`;
  const make = `CREATE TABLE v(name TEXT PRIMARY KEY, weight REAL); INSERT INTO v ${rows} SELECT 'v' || i, 1 FROM n;`;
  outputOf({ file: 'sqlite3', argv: [db, make] });
  return () => ({
    file: 'sqlite3',
    argv: [db, `PRAGMA synchronous=FULL; UPDATE v SET weight=${weight()} WHERE name='v1'`],
  });
}

export interface Calls {
  flushes: number;
  /** System calls that name the cluster directory or use a descriptor in it. */
  inCluster: number;
  total: number;
  byName: Map<string, number>;
}

/** Counts the system calls of a program by strace -f -y, which shows the path behind every descriptor. */
export function callsOf(program: Program, dir: string): Calls {
  const trace = path.join(WORK, 'trace');
  const { status, stderr } = spawnSync(
    'strace',
    ['-f', '-y', '-s', '256', '-o', trace, program.file, ...program.argv],
    { cwd: WORK, env: cleanEnv(program.dir), stdio: ['ignore', 'ignore', 'pipe'] },
  );
  if (status !== 0) throw new Error(`strace: ${stderr.toString().slice(0, 500)}`);
  const calls: Calls = { flushes: 0, inCluster: 0, total: 0, byName: new Map() };
  for (const line of fs.readFileSync(trace, 'utf8').split('\n')) {
    const name = /^\d+\s+(\w+)\(/.exec(line)?.[1];
    if (name === undefined) continue;
    calls.total += 1;
    if (/^(fsync|fdatasync|sync|syncfs|sync_file_range|msync)$/.test(name)) calls.flushes += 1;
    if (name === 'execve' || !line.includes(dir)) continue;
    calls.inCluster += 1;
    calls.byName.set(name, (calls.byName.get(name) ?? 0) + 1);
  }
  return calls;
}

function callRows(label: string, dir: string, words: string, goal?: number): Row[] {
  const { flushes, inCluster, total, byName } = callsOf(cfs(dir, words), dir);
  const names = [...byName].sort((a, b) => b[1] - a[1]).map(([name, n]) => `${name} ${n}`);
  return [
    {
      what: `${label}: flushes`,
      measured: `${flushes}`,
      ...(goal === undefined ? {} : { value: flushes, goal, unit: '' }),
    },
    {
      what: `${label}: system calls on the cluster`,
      measured: `${inCluster}`,
      note: `of ${total} in all; ${names.join(', ')}`,
    },
  ];
}

export async function changeRows(runs: number, history: number): Promise<Row[]> {
  const labels: string[] = ['node -e 0'];
  const goals: (number | undefined)[] = [undefined];
  const cases: (() => Program)[] = [() => EMPTY_NODE];
  const add = (label: string, run: () => Program, goal?: number): void => {
    labels.push(label);
    cases.push(run);
    goals.push(goal);
  };
  for (const [volumes, size] of Object.entries(SIZES)) {
    const n = Number(volumes);
    const dir = copyOf(sampleCluster(size), `change-${size}`);
    add(`volume set, ${n.toLocaleString('en')} volumes`, change(dir, firstVolume(n)), GOALS[n]);
  }
  const large = sampleCluster(SIZES[10_000]);
  const full = copyOf(large, 'change-full');
  fillOverlay(full, 10_000);
  const kib = (manifestBytes(full) / 1024).toFixed(0);
  add(`the same, 10,000 volumes, overlay of ${kib} KiB`, change(full, firstVolume(10_000)));
  const long = copyOf(large, 'change-long');
  await lengthenHistory(long, history, firstVolume(10_000));
  add(`the same, 10,000 volumes, ${history.toLocaleString('en')} generations`, change(long, firstVolume(10_000)));
  const fold = copyOf(large, 'change-fold');
  add('900 of 10,000 volumes, which folds', folding(fold, 10_000));
  if (has('sqlite3')) {
    for (const volumes of [10, 100_000])
      add(`sqlite3, one durable UPDATE, ${volumes.toLocaleString('en')} rows`, sqlite(volumes));
  }
  const times = inTurns(
    runs,
    cases.map((one) => () => timeOf(one())),
  );
  const cpu = inTurns(
    Math.ceil(runs / 2),
    cases.map((one) => () => cpuOf(one())),
  ).map(median);
  const base = median(times[0]!);
  const rows: Row[] = times.map((values, i) => ({
    what: labels[i]!,
    measured: msText(median(values)),
    value: median(values) / base,
    ...(goals[i] === undefined ? {} : { goal: goals[i] }),
    note: `processor time ${(cpu[i]! / cpu[0]!).toFixed(2)} x; p90 ${noise(values).toFixed(2)} x the median`,
  }));
  if (has('strace')) {
    const small = copyOf(sampleCluster(SIZES[1000]), 'calls');
    rows.push(...callRows('small change', small, `volume set ${firstVolume(1000)} --weight ${weight()}`, FLUSH_GOAL));
    rows.push(
      ...callRows(
        'small change, 100,000 volumes',
        path.join(WORK, `change-${SIZES[100_000]}`),
        'volume set vol000001 --weight 7.5',
        FLUSH_GOAL,
      ),
    );
    rows.push(...callRows('a list (node list)', small, 'node list'));
  }
  return rows;
}

if (isMain(import.meta.url)) {
  const { values } = parseArgs({
    options: { runs: { type: 'string', default: '40' }, history: { type: 'string', default: '10000' } },
  });
  printTable(
    `One durable change (median of ${values.runs})`,
    await changeRows(Number(values.runs), Number(values.history)),
  );
}
