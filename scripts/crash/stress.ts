/**
 * 8 processes x 500 changes on counters, while the holder of the lock is stopped past the stale time and resumed, 20 times;
 * then the same without the lock. Real command lines commit in between. No update may be lost, none doubled.
 *
 * The workers use the library with a stale time of 2 s (its floor; the commands' is 10 s), so that a lock is taken over from
 * a stopped holder within seconds.
 *
 * Usage: node --import tsx scripts/crash/stress.ts [--workers=8] [--commits=500] [--stops=20] [--pause=MS] [--lock=with,without]
 */
import { type ChildProcess, spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { openCluster } from '../../src/index.js';
import { type App, cfsArgv, copyApp, mustCfs } from './app.js';
import { chosen, fail, finish, keepRow, printTable, type Row } from './report.js';
import { checkStress } from './stress-check.js';
import type { Seen, WorkerJob } from './stress-worker.js';
import { workDirectory } from './volumes.js';

const STALE_MS = 2_000;
const TABLE = 'stress';

function number(name: string, usual: number): number {
  const given = process.argv.find((arg) => arg.startsWith(`--${name}=`));
  return given === undefined ? usual : Number(given.slice(name.length + 3));
}

interface Stops {
  stopped: number;
  /** Of these, how many were inside a commit: their temporary manifest stayed while they were stopped. */
  inside: number;
}

/** Stops whoever holds the lock (without a lock: whoever is inside a commit) past the stale time, and resumes it. */
async function stopHolders(
  dir: string,
  workers: readonly ChildProcess[],
  times: number,
  lock: boolean,
): Promise<Stops> {
  const stops: Stops = { stopped: 0, inside: 0 };
  const running = (): ChildProcess[] => workers.filter((w) => w.exitCode === null && w.signalCode === null);
  let turn = 0;
  while (stops.stopped < times && running().length > 1) {
    await setTimeout(lock ? Math.random() * 30 : 1);
    const all = running();
    const pid = lock ? holderOf(dir) : (all[turn++ % all.length]?.pid ?? null);
    const victim = all.find((w) => w.pid === pid);
    if (victim === undefined) continue;
    victim.kill('SIGSTOP');
    const before = underWay(dir);
    await setTimeout(before.length === 0 ? 0 : 15);
    const inside = underWay(dir).some((name) => before.includes(name));
    // A stopped process cannot give the lock back: if it is not the holder now, it was too late.
    if (lock ? holderOf(dir) !== victim.pid : !inside) {
      victim.kill('SIGCONT');
      continue;
    }
    await setTimeout(STALE_MS + 200);
    // Others go on before it wakes up; a waiter counts from when it first looked, so that may be later.
    for (let waits = 0; lock && waits < 200 && holderOf(dir) === victim.pid; waits++) await setTimeout(20);
    await setTimeout(Math.random() * 100);
    victim.kill('SIGCONT');
    stops.stopped += 1;
    if (inside) stops.inside += 1;
  }
  return stops;
}

/** Temporary manifests: commits under way. */
function underWay(dir: string): string[] {
  return fs.readdirSync(path.join(dir, 'manifests')).filter((name) => name.endsWith('.tmp'));
}

/** The process that the lock belongs to, if there is a lock and it says so. */
function holderOf(dir: string): number | null {
  try {
    const { ino } = fs.lstatSync(path.join(dir, 'lock'));
    const owner = JSON.parse(fs.readFileSync(path.join(dir, 'lock.owner'), 'utf8')) as { pid: number; ino: string };
    return owner.ino === String(ino) ? owner.pid : null;
  } catch {
    return null;
  }
}

/** Changes by real command lines, on a volume of their own, recorded as the workers' are. */
async function commandLines(
  app: App,
  dir: string,
  lock: boolean,
  volume: string,
  isOver: () => boolean,
): Promise<Seen[]> {
  const seen: Seen[] = [];
  const env = { ...app.env, ...(lock ? {} : { CFS_NO_LOCK: '1' }) };
  for (let i = 0; !isOver(); i++) {
    const startNs = `${process.hrtime.bigint()}`;
    const args = ['volume', 'set', volume, '--weight', String(i + 1), '--json', '--lock-timeout', '2m'];
    const [node, ...argv] = cfsArgv(app, dir, args);
    const child = spawn(node!, argv, { env, stdio: ['ignore', 'pipe', 'pipe'] });
    let [out, err] = ['', ''];
    child.stdout.on('data', (text) => {
      out += text;
    });
    child.stderr.on('data', (text) => {
      err += text;
    });
    const status = await new Promise((resolve) => child.on('close', resolve));
    const endNs = `${process.hrtime.bigint()}`;
    if (status !== 0) throw new Error(`a command line ended with ${status}: ${err}`);
    const { generation, txid } = JSON.parse(out) as { generation: number; txid: string };
    seen.push({ worker: -1, i, volume, before: i, after: i + 1, generation, txid, outcome: 'done', startNs, endNs });
    await setTimeout(200);
  }
  return seen;
}

async function round(app: App, work: string, lock: boolean): Promise<Row> {
  const [count, commits, stops] = [number('workers', 8), number('commits', 500), number('stops', 20)];
  const dir = path.join(work, lock ? 'with' : 'without');
  mustCfs(app, dir, ['init', '--sample', '4x12', '--yes']);
  const volumes = [...(await openCluster({ dir })).snapshot().table('volumes').names()].sort();
  const own = volumes.shift()!;
  mustCfs(app, dir, ['volume', 'set', own, '--weight', '0']);
  const before = (await openCluster({ dir })).snapshot();
  const base = new Map([...before.table('volumes').entries()].map(([name, { weight }]) => [name, weight]));
  const startMs = performance.now();
  const pauseMs = number('pause', lock ? 80 : 240);
  const records: string[] = [];
  const workers = Array.from({ length: count }, (_, worker) => {
    const record = path.join(work, `${lock ? 'with' : 'without'}-${worker}.jsonl`);
    records.push(record);
    // Few counters, so that changes meet.
    const job: WorkerJob = {
      dir,
      worker,
      commits,
      record,
      lock,
      staleMs: STALE_MS,
      volumes: volumes.slice(0, 3),
      pauseMs,
    };
    const script = path.join(import.meta.dirname, 'stress-worker.ts');
    return spawn(process.execPath, ['--import', 'tsx', script, JSON.stringify(job)], {
      stdio: ['ignore', 'inherit', 'inherit'],
    });
  });
  const ends = Promise.all(workers.map((w) => new Promise<number | null>((resolve) => w.on('close', resolve))));
  let isOver = false;
  const [statuses, { stopped, inside }, typed] = await Promise.all([
    ends.then((all) => {
      isOver = true;
      return all;
    }),
    stopHolders(dir, workers, stops, lock),
    commandLines(app, dir, lock, own, () => isOver),
  ]);
  const seconds = Math.round((performance.now() - startMs) / 1000);
  const seen = records.flatMap((file) =>
    fs
      .readFileSync(file, 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Seen),
  );
  seen.push(...typed);
  const report = await checkStress(dir, seen, before.generation, base);
  if (statuses.some((s) => s !== 0)) report.problems.push(`workers ended with ${statuses.join(', ')}`);
  if (stopped < stops)
    report.problems.push(`only ${stopped} of ${stops} holders were stopped: more --commits are needed`);
  const check = mustCfs(app, dir, ['db', 'check']).stdout.trim();
  if (!check.includes('whole')) report.problems.push(check);
  if (report.problems.length > 0)
    fail(`stress ${lock ? 'with' : 'without'} the lock`, report.problems, { directory: dir, record: records[0]! });
  const { problems, commits: made, ...numbers } = report;
  return {
    lock: lock ? 'with' : 'without',
    workers: count,
    'library commits': made - typed.length,
    'command lines': typed.length,
    stopped,
    'inside a commit': inside,
    ...numbers,
    problems: problems.length,
    seconds,
  };
}

// On a disk, where flushes take their time: most of a commit is waiting for them, and there the stops should fall.
const work = workDirectory('stress', false);
const app = copyApp(work);
const rows: Row[] = [];
for (const how of chosen('lock', ['with', 'without'])) {
  const row = await round(app, work, how === 'with');
  rows.push(row);
  keepRow(TABLE, row);
}
printTable(TABLE, rows);
finish();
