/**
 * Kills commands at every system call that touches the cluster directory, and cuts the power there as well.
 *
 * For each file system and command: a run without faults gives the calls, 1 to N. Then for each k the command runs on a
 * fresh copy and dies on entry to call k (it is not carried out). The directory it leaves is verified as the next process
 * finds it; where a call before k changed anything, the image is copied at that instant, and the copy is mounted and
 * verified too: what was not flushed is lost there. Point N+1 is the run that ends by itself: the copy must hold the new state.
 *
 * Usage: node --import tsx scripts/crash/kill.ts [--fs=ext4,xfs,btrfs] [--op=init,small,…]     (as root)
 */
import fs from 'node:fs';
import path from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { type App, copyApp, must } from './app.js';
import { VICTIMS, type Victim } from './operations.js';
import { chosen, fail, finish, keepRow, printTable, type Row } from './report.js';
import { type Expected, NO_CLUSTER, stateOf, type Verdict, verify } from './state.js';
import { type Call, straceMissing, type Traced, tracedCfs } from './trace.js';
import { cutPower, KIND_NAMES, type Kind, kindMissing, makeImage, mount, unmount, workDirectory } from './volumes.js';

const TRIES = 5;
/** A command that fails at so many points is not tried further. */
const ENOUGH_FAILURES = 10;

interface Bench {
  app: App;
  kind: Kind;
  victim: Victim;
  /** The prepared cluster, or null. */
  prepared: string | null;
  base: string;
  work: string;
  copy: string;
  at: string;
  trace: string;
}

interface Counts {
  killOld: number;
  killNew: number;
  nameless: number;
  cuts: number;
  cutOld: number;
  cutNew: number;
  failures: number;
}

/** A fresh copy of the prepared image, mounted. */
function freshImage(bench: Bench): void {
  unmount(bench.at);
  must(['cp', '--sparse=always', bench.base, bench.work]);
  mount(bench.kind, bench.work, bench.at);
}

/** A fresh copy of the prepared cluster on the mounted image; enough where the power is not cut. */
function freshDirectory(bench: Bench): void {
  fs.rmSync(`${bench.at}/c`, { recursive: true, force: true });
  if (bench.prepared !== null) must(['cp', '-a', bench.prepared, `${bench.at}/c`]);
}

function runVictim(bench: Bench, inject: string[]): Traced {
  const { app, victim, at, trace } = bench;
  const options = { root: at, file: trace, inject };
  return tracedCfs(
    app,
    `${at}/c`,
    victim.args,
    victim.input === undefined ? options : { ...options, input: victim.input },
  );
}

/** Runs until the process dies at exactly call `k`. @throws Error when it never does */
function killAt(bench: Bench, calls: readonly Call[], k: number, fresh: () => void): Traced {
  const call = calls[k - 1]!;
  for (let tries = 0; tries < TRIES; tries++) {
    fresh();
    const done = runVictim(bench, [`${call.name}:signal=SIGKILL:when=${call.ordinal}`]);
    const hit = done.signal === 'SIGKILL' && done.calls.length === k && done.calls[k - 1]!.shape === call.shape;
    if (hit) return done;
  }
  throw new Error(`the fault did not hit call ${k} (${call.shape}) in ${TRIES} runs`);
}

/** Whether the command had told its user that the change is made. */
function saidDone(run: Traced, args: readonly string[]): boolean {
  return run.status === 0 || (args[0] !== 'db' && /^Generation \d+\.$/m.test(run.stdout));
}

function tally(counts: Counts, how: 'kill' | 'cut', { which }: Verdict): void {
  if (which === 'old') counts[how === 'kill' ? 'killOld' : 'cutOld'] += 1;
  if (which === 'new') counts[how === 'kill' ? 'killNew' : 'cutNew'] += 1;
}

async function point(
  bench: Bench,
  calls: readonly Call[],
  k: number,
  expected: Expected,
  counts: Counts,
): Promise<void> {
  const { app, kind, victim, at, work, copy, trace } = bench;
  const atEnd = k > calls.length;
  const cut = atEnd || k === 1 || calls[k - 2]!.changes;
  const what = `${kind} ${victim.name} ${k}/${calls.length} ${atEnd ? 'end' : calls[k - 1]!.shape}`;
  const fresh = (): void => (cut ? freshImage(bench) : freshDirectory(bench));
  let run: Traced;
  if (atEnd) {
    fresh();
    run = runVictim(bench, []);
    if (run.status !== 0) throw new Error(`without a fault: exit ${run.status}: ${run.stderr}`);
  } else run = killAt(bench, calls, k, fresh);
  if (cut) cutPower(work, copy);
  const done = saidDone(run, victim.args);
  const allowed = done ? 'new' : 'either';
  const killed = await verify(app, `${at}/c`, expected, allowed);
  tally(counts, 'kill', killed);
  if (killed.nameless) counts.nameless += 1;
  if (killed.problems.length > 0) {
    counts.failures += 1;
    fail(`kill ${what}`, killed.problems, { directory: `${at}/c`, trace });
  }
  if (!cut) return;
  unmount(at);
  const kept = process.env.CFS_KEEP === '1' ? `${copy}.kept` : null;
  if (kept !== null) must(['cp', '--sparse=always', copy, kept]);
  mount(kind, copy, at, true);
  const lost = await verify(app, `${at}/c`, expected, allowed);
  unmount(at);
  counts.cuts += 1;
  tally(counts, 'cut', lost);
  if (lost.problems.length > 0) {
    counts.failures += 1;
    fail(`cut ${what}`, lost.problems, { trace, ...(kept === null ? {} : { image: kept }) });
  }
  freshImage(bench);
}

async function torture(app: App, kind: Kind, victim: Victim, dir: string, prepared: string | null): Promise<Row> {
  const startMs = performance.now();
  const file = (name: string): string => path.join(dir, `${kind}-${victim.name}.${name}`);
  const bench: Bench = {
    app,
    kind,
    victim,
    prepared,
    base: file('base'),
    work: file('work'),
    copy: file('copy'),
    at: path.join(dir, `mnt-${kind}`),
    trace: file('trace'),
  };
  fs.mkdirSync(bench.at, { recursive: true });
  makeImage(kind, bench.base, prepared, bench.at);
  freshImage(bench);
  const old = await stateOf(`${bench.at}/c`);
  // Each command has a code cache of its own, written by its first whole run: it must be there before calls are counted.
  runVictim(bench, []);
  freshImage(bench);
  const whole = runVictim(bench, []);
  if (whole.status !== 0) throw new Error(`${victim.name}: exit ${whole.status}: ${whole.stderr}`);
  const expected: Expected = { old, new: await stateOf(`${bench.at}/c`), args: victim.args, input: victim.input };
  if (expected.old === expected.new || expected.new === NO_CLUSTER) throw new Error(`${victim.name} changes nothing`);
  const { calls } = whole;
  const counts: Counts = { killOld: 0, killNew: 0, nameless: 0, cuts: 0, cutOld: 0, cutNew: 0, failures: 0 };
  for (let k = 1; k <= calls.length + 1 && counts.failures < ENOUGH_FAILURES; k++) {
    // Signals are heard here.
    await setImmediate();
    try {
      await point(bench, calls, k, expected, counts);
    } catch (error) {
      counts.failures += 1;
      fail(`${kind} ${victim.name} ${k}/${calls.length}`, [(error as Error).message], { trace: bench.trace });
      freshImage(bench);
    }
  }
  unmount(bench.at);
  for (const f of [bench.base, bench.work, bench.copy, `${bench.copy}.kept`]) fs.rmSync(f, { force: true });
  const seconds = Math.round((performance.now() - startMs) / 1000);
  return { fs: kind, operation: victim.name, points: calls.length + 1, ...counts, seconds };
}

async function main(): Promise<void> {
  const missing = straceMissing();
  if (missing !== null) return console.log(`skipped: ${missing}`);
  const dir = workDirectory('kill');
  const app = copyApp(dir);
  const wanted = chosen(
    'op',
    VICTIMS.map((v) => v.name),
  );
  const prepared = new Map<string, string | null>();
  for (const victim of VICTIMS) {
    if (!wanted.includes(victim.name)) continue;
    const at = victim.prepare === undefined ? null : path.join(dir, `prepared-${victim.name}`);
    if (at !== null) await victim.prepare!(app, at);
    prepared.set(victim.name, at);
  }
  const rows: Row[] = [];
  for (const kind of chosen('fs', KIND_NAMES)) {
    const reason = kindMissing(kind);
    if (reason !== null) {
      console.log(`skipped ${kind}: ${reason}`);
      continue;
    }
    for (const victim of VICTIMS) {
      const at = prepared.get(victim.name);
      if (at === undefined) continue;
      const row = await torture(app, kind, victim, dir, at);
      rows.push(row);
      keepRow('killed at every call, power cut after every change', row);
      console.log(JSON.stringify(row));
    }
  }
  printTable('killed at every call, power cut after every change', rows);
}

await main();
finish();
