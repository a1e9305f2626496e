/**
 * Kills commands at every system call that touches the cluster directory, and cuts the power there as well.
 *
 * For each file system and command: a run without faults gives the calls, 1 to N. Then for each k the command runs on a
 * fresh copy and dies on entry to call k (it is not carried out). The directory it leaves is verified as the next process
 * finds it; where call k-1 changed anything, the image is copied at that instant, and the copy is mounted and verified too:
 * what was not flushed is lost there. Point N+1 is the run that ends by itself: there the copy must hold the new state.
 *
 * Usage: node --import tsx scripts/crash/kill.ts [--fs=ext4,xfs,btrfs] [--op=init,small,…]     (as root)
 */
import { setImmediate } from 'node:timers/promises';
import { type App, copyApp } from './app.js';
import { ImageStage } from './images.js';
import { callsOf, killAt, runVictim } from './inject.js';
import { prepareAll, type Victim } from './operations.js';
import { chosen, fail, finish, keepRow, printTable, type Row } from './report.js';
import { type Expected, type Verdict, verify } from './state.js';
import { type Call, straceMissing, type Traced } from './trace.js';
import { KIND_NAMES, type Kind, kindMissing, workDirectory } from './volumes.js';

/** A command that fails at so many points is not tried further. */
const ENOUGH_FAILURES = 10;
const TABLE = 'killed at every call, power cut after every change';

interface Counts {
  killOld: number;
  killNew: number;
  /** Killed between making the lock and naming itself in it: the next writer has to wait until it is stale. */
  nameless: number;
  cuts: number;
  cutOld: number;
  cutNew: number;
  failures: number;
}

/** Whether the command had told its user that the change is made. A collection says what it removed. */
function saidDone(run: Traced): boolean {
  return run.status === 0 || /^(Generation \d+|Removed .*)\.$/m.test(run.stdout);
}

async function point(
  stage: ImageStage,
  calls: readonly Call[],
  k: number,
  expected: Expected,
  counts: Counts,
): Promise<void> {
  const atEnd = k > calls.length;
  const cut = atEnd || k === 1 || calls[k - 2]!.changes;
  const what = `${stage.kind} ${stage.victim.name} ${k}/${calls.length} ${atEnd ? 'end' : calls[k - 1]!.shape}`;
  const report = (how: 'kill' | 'cut', { which, problems }: Verdict, artefacts: Record<string, string>): void => {
    if (which === 'old') counts[`${how}Old`] += 1;
    if (which === 'new') counts[`${how}New`] += 1;
    if (problems.length === 0) return;
    counts.failures += 1;
    fail(`${how} ${what}`, problems, { trace: stage.trace, ...artefacts });
  };
  stage.whole = cut;
  let run: Traced;
  if (atEnd) {
    stage.fresh();
    run = runVictim(stage, []);
    if (run.status !== 0) throw new Error(`without a fault: exit ${run.status}: ${run.stderr}`);
  } else run = killAt(stage, calls, k);
  if (cut) stage.cut();
  const allowed = saidDone(run) ? 'new' : 'either';
  const killed = await verify(stage.app, stage.dir, expected, allowed);
  if (killed.nameless) counts.nameless += 1;
  report('kill', killed, { directory: stage.dir });
  if (!cut) return;
  counts.cuts += 1;
  report('cut', await stage.verifyCut(expected, allowed), { image: `${stage.copy}.kept` });
  stage.fresh();
}

async function torture(app: App, kind: Kind, victim: Victim, work: string, prepared: string | null): Promise<Row> {
  const startMs = performance.now();
  const stage = new ImageStage(app, kind, victim, work, prepared);
  const calls = callsOf(stage);
  const expected = await stage.expected();
  const counts: Counts = { killOld: 0, killNew: 0, nameless: 0, cuts: 0, cutOld: 0, cutNew: 0, failures: 0 };
  for (let k = 1; k <= calls.length + 1 && counts.failures < ENOUGH_FAILURES; k++) {
    // Signals are heard here.
    await setImmediate();
    try {
      await point(stage, calls, k, expected, counts);
    } catch (error) {
      counts.failures += 1;
      fail(`${kind} ${victim.name} ${k}/${calls.length}`, [(error as Error).message], { trace: stage.trace });
      stage.whole = true;
      stage.fresh();
    }
  }
  stage.close();
  const seconds = Math.round((performance.now() - startMs) / 1000);
  return { fs: kind, operation: victim.name, points: calls.length + 1, ...counts, seconds };
}

async function main(): Promise<void> {
  const missing = straceMissing();
  if (missing !== null) return console.log(`skipped: ${missing}`);
  const work = workDirectory('kill');
  const app = copyApp(work);
  const prepared = await prepareAll(app, work);
  const rows: Row[] = [];
  for (const kind of chosen('fs', KIND_NAMES)) {
    const reason = kindMissing(kind);
    if (reason !== null) {
      console.log(`skipped ${kind}: ${reason}`);
      continue;
    }
    for (const { victim, dir } of prepared) {
      const row = await torture(app, kind, victim, work, dir);
      rows.push(row);
      keepRow(TABLE, row);
      console.log(JSON.stringify(row));
    }
  }
  printTable(TABLE, rows);
}

await main();
finish();
