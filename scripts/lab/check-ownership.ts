/**
 * Proves that no volume had two owners at one time:
 *
 *     node --import tsx scripts/lab/check-ownership.ts [--events FILE] [--json] STATEDIR…
 *
 * STATEDIR is the state directory of an agent (its ownership.log and what was put aside), or a journal itself. All agents must
 * have run on one machine since one boot: their journals have one clock (CLOCK_MONOTONIC). FILE has lines such as
 * {"t":5123.1,"node":"n2","event":"power-off"}, which ends what n2 ran; other events (`kill`) only mark where a takeover is counted from.
 *
 * Exit status: 0 never two owners; 1 two owners, with the lines that say so; 2 nothing can be proved.
 */
import { readFileSync, statSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { parseJournal, readJournal } from '../../src/agentd/journal.js';
import {
  checkOwnership,
  type Interval,
  type JournalOf,
  type NodeEvent,
  type OwnershipReport,
  spread,
} from '../../test/kit/ownership-check.js';

function journalOf(path: string): JournalOf {
  const events = statSync(path).isDirectory() ? readJournal(path) : parseJournal(readFileSync(path, 'utf8')).events;
  return { source: path, events };
}

/** @throws Error at a line that is no event */
function marksOf(path: string | undefined): NodeEvent[] {
  if (path === undefined) return [];
  const lines = readFileSync(path, 'utf8').split('\n');
  return lines
    .filter((line) => line.trim() !== '')
    .map((line) => {
      const mark = JSON.parse(line) as NodeEvent;
      if (typeof mark.t === 'number' && typeof mark.node === 'string' && typeof mark.event === 'string') return mark;
      throw new Error(`${path} has a line that is no event: ${line}`);
    });
}

const ms = (value: number) => `${value.toFixed(0)} ms`;

function linesOf({ source, began, ended, to }: Interval): string[] {
  const end = ended === null ? (to === Number.POSITIVE_INFINITY ? 'no end' : `power-off at ${to}`) : undefined;
  return [`  ${source}: ${JSON.stringify(began.event)}`, `  ${source}: ${end ?? JSON.stringify(ended!.event)}`];
}

function print(report: OwnershipReport): void {
  const { intervals, overlaps, gaps, takeovers } = report;
  for (const { first, second } of overlaps) {
    console.log(`volume ${first.volume} had two owners from ${second.from} to ${Math.min(first.to, second.to)}:`);
    for (const line of [...linesOf(first), ...linesOf(second)]) console.log(line);
  }
  const volumes = [...new Set(intervals.map(({ volume }) => volume))].sort();
  for (const volume of volumes) {
    const own = gaps.filter((gap) => gap.volume === volume).map((gap) => gap.ms);
    if (own.length > 0) console.log(`volume ${volume}: without owner ${own.map(ms).join(', ')}`);
  }
  for (const cause of [...new Set(takeovers.map((takeover) => takeover.cause))].sort()) {
    const times = takeovers.filter((takeover) => takeover.cause === cause).map((takeover) => takeover.ms);
    const { median, max } = spread(times)!;
    console.log(`takeovers counted from ${cause}: ${times.length}, median ${ms(median)}, longest ${ms(max)}`);
  }
  console.log(`${intervals.length} intervals of ${volumes.length} volumes, ${overlaps.length} overlaps`);
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { events: { type: 'string' }, json: { type: 'boolean' } },
});
const report = checkOwnership(positionals.map(journalOf), marksOf(values.events));
if (positionals.length === 0) report.problems.push('no journal was given');
else if (report.intervals.length === 0) report.problems.push('the journals are empty');
if (values.json) console.log(JSON.stringify(report, null, 2));
else print(report);
for (const problem of report.problems) console.error(problem);
process.exitCode = report.overlaps.length > 0 ? 1 : report.problems.length > 0 ? 2 : 0;
