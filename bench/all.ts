/**
 * Every goal of spec/performance.md that the database and its commands touch, measured in one run, as Markdown.
 *
 *     npm run bench [-- --quick]
 *
 * Takes about five minutes; --quick takes one, with fewer runs and a smaller cluster. Nothing else should run meanwhile:
 * the first line says how steady `node -e 0` was.
 */
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { changeRows } from './change.js';
import { EMPTY_NODE, inTurns, machine, median, msText, noise, printTable, type Row, timeOf, verdict } from './kit.js';
import { readersRows, readRows } from './read.js';
import { rebalanceRows } from './rebalance.js';

const HERE = path.dirname(fileURLToPath(import.meta.url));
const COMMIT_GOAL = 1.5;

/** What another benchmark prints, which is a program of its own. */
function outputLines(script: string, ...argv: string[]): string[] {
  const { stdout, stderr, status } = spawnSync(
    process.execPath,
    ['--import', 'tsx', path.join(HERE, script), ...argv],
    { encoding: 'utf8', cwd: path.join(HERE, '..') },
  );
  if (status !== 0) throw new Error(`${script} ended with ${status}: ${stderr}`);
  return stdout.split('\n');
}

/** A table with a head line, of which the first column of milliseconds, the ratio beside it and the goal are read. */
function startupRows(runs: number): Row[] {
  const rows: Row[] = [];
  let goalAt = -1;
  for (const line of outputLines('startup.ts', '--runs', String(runs))) {
    const cells = line.split('|').map((cell) => cell.trim());
    if (cells.includes('goal')) goalAt = cells.indexOf('goal');
    const [, what, ms, ratio] = cells;
    if (what === undefined || !(Number(ms) > 0)) continue;
    const goal = cells[goalAt];
    rows.push({ what, measured: msText(Number(ms)), value: Number(ratio), ...(goal ? { goal: Number(goal) } : {}) });
  }
  return rows;
}

/** `name   1234/s   1.23 x` */
function commitRows(rounds: number, commits: number): Row[] {
  const rows: Row[] = [];
  for (const line of outputLines('commit.ts', String(rounds), String(commits), '1000')) {
    const match = /^(.+?)\s+(\d+)\/s\s+([\d.]+) x$/.exec(line);
    if (match === null) continue;
    const [, what, rate, ratio] = match;
    const isGoal = what === 'one setting, lock';
    rows.push({
      what: `time per commit: ${what}`,
      measured: `${rate} commits/s`,
      value: Number(ratio),
      ...(isGoal ? { goal: COMMIT_GOAL } : {}),
    });
  }
  return rows;
}

const { values } = parseArgs({ options: { quick: { type: 'boolean', default: false } } });
const { quick } = values;
const size = quick ? '200x10000' : '1000x100000';
const empty = inTurns(20, [() => timeOf(EMPTY_NODE)])[0]!;
console.log(`${machine()}; node -e 0: median ${msText(median(empty))}, p90 ${noise(empty).toFixed(2)} x`);
const all: Row[] = [];
async function section(title: string, rows: Row[] | Promise<Row[]>): Promise<void> {
  const made = await rows;
  printTable(title, made);
  all.push(...made);
}
await section('Start-up (x node -e 0)', startupRows(quick ? 15 : 40));
await section('One durable change, whole process (x node -e 0)', changeRows(quick ? 10 : 40, quick ? 1000 : 10_000));
await section('Commits in one process (x C loop)', commitRows(quick ? 3 : 5, quick ? 300 : 1000));
await section(`Reading ${size} (x node -e 0)`, readRows(size, quick ? 3 : 9));
await section('Readers beside a writer, 200x10000 (x without a writer)', readersRows('200x10000', quick ? 15 : 60));
await section(`Large changes, ${size}`, rebalanceRows(size, quick ? 1 : 3));
const judged = all.filter((row) => row.goal !== undefined);
const missed = judged.filter((row) => verdict(row) !== 'met');
console.log(`\n${judged.length - missed.length} of ${judged.length} goals met.`);
for (const row of missed) console.log(`- ${row.what}: ${row.value?.toFixed(2)} against ${row.goal}`);
