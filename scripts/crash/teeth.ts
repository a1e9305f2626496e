/**
 * Whether the power cuts have teeth: each class of flush in turn is left out (strace makes the call return 0 without being
 * carried out), and the power is cut at the end and after every later change. A cut that then loses or damages something has
 * detected the omission. Where no cut does, the file system flushes more than it was asked for: fsync of one file writes the
 * journal with all names made before it, on all three of these.
 *
 * Usage: node --import tsx scripts/crash/teeth.ts [--fs=ext4,xfs,btrfs] [--op=init,small,fold]     (as root)
 */
import { setImmediate } from 'node:timers/promises';
import { copyApp } from './app.js';
import { ImageStage } from './images.js';
import { callsOf, killAt, runVictim } from './inject.js';
import { prepareAll } from './operations.js';
import { chosen, fail, finish, keepRow, printTable, type Row } from './report.js';
import type { Expected } from './state.js';
import { type Call, straceMissing, type Traced } from './trace.js';
import { KIND_NAMES, kindMissing, workDirectory } from './volumes.js';

const TABLE = 'flushes left out';
/** Commands that show every class of flush; the others add none. */
const USUAL = ['init', 'small', 'fold'];

/** Neighbouring flushes of one kind of thing. */
interface FlushClass {
  name: string;
  /** Where its last call stands among the command's calls, from 0. */
  end: number;
  first: number;
  last: number;
}

const NAMES: [RegExp, string][] = [
  [/\/tables\/.*json/, 'table files'],
  [/\/tables /, 'tables/'],
  [/\/manifests\/\./, 'manifest'],
  [/\/manifests /, 'manifests/'],
  [/\/\.cluster\./, 'cluster.json'],
  [/\/\.probe\./, 'probe'],
  [/\/c /, 'cluster directory'],
  [/./, 'its parent'],
];

function classesOf(calls: readonly Call[]): FlushClass[] {
  const classes: FlushClass[] = [];
  for (const [end, call] of calls.entries()) {
    if (call.name !== 'fsync') continue;
    const name = NAMES.find(([pattern]) => pattern.test(`${call.shape} `))![1];
    const last = classes.at(-1);
    if (last?.name === name) Object.assign(last, { last: call.ordinal, end });
    else classes.push({ name, end, first: call.ordinal, last: call.ordinal });
  }
  return classes;
}

/** Runs with the class left out, to the end (kill null) or until it dies on entry to a call; null when it missed. */
function runWithout(stage: ImageStage, calls: readonly Call[], cls: FlushClass, kill: number | null): Traced | null {
  const range = cls.first === cls.last ? `${cls.first}` : `${cls.first}..${cls.last}`;
  const faults = [`fsync:retval=0:when=${range}`];
  let run: Traced;
  if (kill === null) {
    stage.fresh();
    run = runVictim(stage, faults);
  } else {
    try {
      run = killAt(stage, calls, kill + 1, faults);
    } catch {
      return null;
    }
  }
  const left = run.calls.filter((call) => call.name === 'fsync' && call.line.includes('(INJECTED)')).length;
  return left === cls.last - cls.first + 1 ? run : null;
}

async function tryClass(stage: ImageStage, calls: readonly Call[], cls: FlushClass, expected: Expected): Promise<Row> {
  const points: (number | null)[] = [null];
  for (let i = cls.end + 1; i < calls.length; i++) {
    // strace has one fault for each name: a flush cannot be both left out and died at; the call before it stands for it.
    if (calls[i - 1]!.changes && calls[i]!.name !== 'fsync') points.push(i);
  }
  const row: Row = {
    fs: stage.kind,
    operation: stage.victim.name,
    'left out': cls.name,
    flushes: cls.last - cls.first + 1,
  };
  for (const [i, kill] of points.entries()) {
    await setImmediate();
    const run = runWithout(stage, calls, cls, kill);
    if (run === null) {
      // The point before the end is not needed to see a loss; the end itself is.
      if (kill === null) throw new Error(`leaving out ${cls.name} did not hit`);
      continue;
    }
    stage.cut();
    const { problems } = await stage.verifyCut(expected, run.status === 0 ? 'new' : 'either');
    if (problems.length === 0) continue;
    const lost = problems[0]!
      .split('\n')[0]!
      .replace(/\/\S*\/c\//, '')
      .slice(0, 100);
    return { ...row, detected: 'yes', cuts: i + 1, 'first seen': kill === null ? 'end' : calls[kill]!.shape, lost };
  }
  return { ...row, detected: 'no', cuts: points.length, 'first seen': '', lost: '' };
}

async function main(): Promise<void> {
  const missing = straceMissing();
  if (missing !== null) return console.log(`skipped: ${missing}`);
  const work = workDirectory('teeth');
  const app = copyApp(work);
  if (!process.argv.some((arg) => arg.startsWith('--op='))) process.argv.push(`--op=${USUAL}`);
  const prepared = await prepareAll(app, work);
  const rows: Row[] = [];
  for (const kind of chosen('fs', KIND_NAMES)) {
    const reason = kindMissing(kind);
    if (reason !== null) {
      console.log(`skipped ${kind}: ${reason}`);
      continue;
    }
    for (const { victim, dir } of prepared) {
      const stage = new ImageStage(app, kind, victim, work, dir);
      const calls = callsOf(stage);
      const expected = await stage.expected();
      for (const cls of classesOf(calls)) {
        const row = await tryClass(stage, calls, cls, expected);
        rows.push(row);
        keepRow(TABLE, row);
        console.log(JSON.stringify(row));
      }
      stage.close();
    }
  }
  printTable(TABLE, rows);
  for (const [operation, cls] of [
    ['small', 'manifest'],
    ['small', 'manifests/'],
    ['fold', 'table files'],
  ]) {
    const tried = rows.filter((row) => row.operation === operation && row['left out'] === cls);
    if (tried.length > 0 && !tried.some((row) => row.detected === 'yes')) {
      fail(`${operation}: ${cls} not flushed`, ['no cut on any file system detected it: the power cuts have no teeth']);
    }
  }
}

await main();
finish();
