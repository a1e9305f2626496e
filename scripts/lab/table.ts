/** The table of the lab: a row per scenario. */
import type { ScenarioResult } from './runner.js';
import type { Takeover } from './takeover.js';

export function median(list: readonly number[]): number {
  const sorted = [...list].sort((a, b) => a - b);
  const half = sorted.length >> 1;
  if (sorted.length === 0) return Number.NaN;
  return sorted.length % 2 === 1 ? sorted[half]! : (sorted[half - 1]! + sorted[half]!) / 2;
}

const seconds = (ms: number): string => (Number.isFinite(ms) ? `${(ms / 1000).toFixed(2)} s` : '–');

export const HEADER = [
  '| scenario | rounds | who runs them then | last volume again: median | longest | no owner: longest | owners | seen |',
  '|---|---:|---|---:|---:|---:|---|---|',
].join('\n');

/** Goal of the issue: with a lease timeout of 3 s, the median takeover is complete 4.5 s after the kill. */
export const GOAL_MS = 4500;

export function rowOf({ scenario, rounds, failures, verdict }: ScenarioResult): string {
  const takeovers = rounds.flatMap(({ takeover }) => takeover ?? []);
  const lasts = takeovers.map(({ lastMs }) => lastMs);
  const gaps = takeovers.flatMap(({ gapsMs }) => gapsMs);
  const cells = [
    scenario.title,
    failures.length === 0 ? String(rounds.length) : `${rounds.length}, ${failures.length} FAILED`,
    takeovers.length === 0 ? '–' : takersOf(takeovers),
    seconds(median(lasts)),
    seconds(Math.max(...lasts)),
    seconds(Math.max(0, ...gaps)),
    ownersOf({ scenario, verdict }),
    together(rounds.flatMap(({ notes }) => notes)).join('; '),
  ];
  return `| ${cells.join(' | ')} |`;
}

/** `itself`, `4 others`, or the share of both. */
function takersOf(takeovers: readonly Takeover[]): string {
  const sum = (of: (takeover: Takeover) => number): number => takeovers.reduce((total, one) => total + of(one), 0);
  const [all, stayed] = [sum(({ volumes }) => volumes), sum((takeover) => takeover.stayed)];
  if (stayed === all) return 'who had them';
  if (stayed > 0) return `who had them ${Math.round((100 * stayed) / all)} %, others the rest`;
  const counts = takeovers.map(({ takers }) => takers.size);
  const [least, most] = [Math.min(...counts), Math.max(...counts)];
  return `${least === most ? least : `${least}–${most}`} others`;
}

/** Notes that differ in their numbers only are one, with the least and the greatest of each. */
function together(notes: readonly string[]): string[] {
  const groups = new Map<string, number[][]>();
  for (const note of notes) {
    const shape = note.replace(/\d+/g, '#');
    groups.set(shape, [...(groups.get(shape) ?? []), [...note.matchAll(/\d+/g)].map(Number)]);
  }
  return [...groups].map(([shape, numbers]) => {
    let at = 0;
    return shape.replace(/#/g, () => {
      const column = numbers.map((row) => row[at]!);
      at++;
      const [least, most] = [Math.min(...column), Math.max(...column)];
      return least === most ? String(least) : `${least}–${most}`;
    });
  });
}

function ownersOf({ scenario, verdict }: Pick<ScenarioResult, 'scenario' | 'verdict'>): string {
  const { intervals, overlaps, problems } = verdict;
  if (problems.length > 0) return `NOTHING PROVED: ${problems[0]}`;
  if (overlaps.length === 0) return `never two (${intervals} intervals)`;
  const word = scenario.mayOverlap ? 'two, as expected' : 'TWO OWNERS';
  return `${word}: ${overlaps.length} of ${intervals} intervals, e.g. ${overlaps[0]}`;
}

/** Whether the scenario ended as it must. */
export function isGood({ scenario, rounds, failures, verdict }: ScenarioResult): boolean {
  return (
    rounds.length > 0 &&
    failures.length === 0 &&
    verdict.problems.length === 0 &&
    (scenario.mayOverlap === true || verdict.overlaps.length === 0)
  );
}
