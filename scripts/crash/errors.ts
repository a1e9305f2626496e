/**
 * Makes every system call that touches the cluster directory fail, with EIO and with ENOSPC, once and from then on, and
 * compares what the command says (exit code, message) with what is there. Independent of the file system: the call never
 * reaches it.
 *
 * Usage: node --import tsx scripts/crash/errors.ts [--op=init,small,…] [--errno=EIO,ENOSPC] [--how=once,onward]
 */
import fs from 'node:fs';
import path from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { type App, copyApp } from './app.js';
import { callsOf, copyPrepared, failAt, type Stage } from './inject.js';
import { judge, type Lenience } from './judge.js';
import { prepareAll, type Victim } from './operations.js';
import { chosen, fail, finish, keepRow, printTable, type Row } from './report.js';
import { stateOf } from './state.js';
import { straceMissing } from './trace.js';
import { workDirectory } from './volumes.js';

const ENOUGH_FAILURES = 12;
const TABLE = 'every call failing';

/** A collection does more than its commit; on a full disk it goes without that (G2). */
function lenienceOf(victim: Victim, errno: string): Lenience {
  const collects = victim.args[0] === 'db';
  return { afterFailure: collects, afterSuccess: collects && errno === 'ENOSPC' };
}

async function torture(app: App, victim: Victim, work: string, prepared: string | null): Promise<Row[]> {
  const root = path.join(work, 'stage');
  const dir = path.join(root, 'c');
  fs.mkdirSync(root, { recursive: true });
  const fresh = (): void => copyPrepared(prepared, dir);
  const stage: Stage = { app, victim, root, dir, trace: path.join(work, 'trace'), fresh };
  fresh();
  const old = await stateOf(dir);
  const calls = callsOf(stage, ['--json']);
  const expected = { old, new: await stateOf(dir), args: victim.args, input: victim.input };
  const rows: Row[] = [];
  for (const errno of chosen('errno', ['EIO', 'ENOSPC'])) {
    for (const how of chosen('how', ['once', 'onward'])) {
      const startMs = performance.now();
      const exits = new Map<number, number>();
      let failures = 0;
      for (let k = 1; k <= calls.length && failures < ENOUGH_FAILURES; k++) {
        await setImmediate();
        const what = `${errno} ${how} ${victim.name} ${k}/${calls.length} ${calls[k - 1]!.shape}`;
        try {
          const run = failAt(stage, calls, k, errno, how === 'onward', ['--json']);
          const { exit, problems } = await judge(app, dir, run, errno, expected, lenienceOf(victim, errno));
          exits.set(exit, (exits.get(exit) ?? 0) + 1);
          if (problems.length === 0) continue;
          failures += 1;
          fail(what, problems, { directory: dir, trace: stage.trace });
        } catch (error) {
          failures += 1;
          fail(what, [(error as Error).message], { trace: stage.trace });
        }
      }
      const row: Row = { operation: victim.name, errno, how, calls: calls.length };
      for (const exit of [0, 1, 8, 10]) row[`exit ${exit}`] = exits.get(exit) ?? 0;
      row.failures = failures;
      row.seconds = Math.round((performance.now() - startMs) / 1000);
      rows.push(row);
      keepRow(TABLE, row);
      console.log(JSON.stringify(row));
    }
  }
  return rows;
}

async function main(): Promise<void> {
  const missing = straceMissing();
  if (missing !== null) return console.log(`skipped: ${missing}`);
  const work = workDirectory('errors');
  const app = copyApp(work);
  const rows: Row[] = [];
  for (const { victim, dir } of await prepareAll(app, work)) rows.push(...(await torture(app, victim, work, dir)));
  printTable(TABLE, rows);
}

await main();
finish();
