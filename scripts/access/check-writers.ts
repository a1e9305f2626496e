/**
 * Proves from a cluster's whole history that each volume had one writer at a time and that rights passed on properly; with state
 * directories of clients' agents also that no volume was mounted for writing on two clients at one time:
 *
 *     node --import tsx scripts/access/check-writers.ts DIR [--json] [STATEDIR…]
 *
 * STATEDIR is the state directory of a client's agent (its ownership.log), all of this machine since one boot. What is held for a
 * violation stands in test/kit/writers-check.ts and writers-mounts.ts.
 *
 * Exit status: 0 proved; 1 violations, one line each; 2 nothing can be proved.
 */
import { parseArgs } from 'node:util';
import { readJournal } from '../../src/agentd/journal.js';
import { openCluster } from '../../src/open.js';
import type { WritersReport } from '../../test/kit/writers-check.js';
import { checkMounts, type MountsReport } from '../../test/kit/writers-mounts.js';
import { HistoryWalk } from './history-steps.js';

export interface Proof {
  history: WritersReport;
  /** Null: no journals were given. */
  mounts: MountsReport | null;
}

/** @throws CfsError when the history cannot be read */
export async function proofOf(dir: string, stateDirs: readonly string[]): Promise<Proof> {
  const history = new HistoryWalk(await openCluster({ dir })).follow();
  if (stateDirs.length === 0) return { history, mounts: null };
  const journals = stateDirs.map((source) => ({ source, events: readJournal(source) }));
  return { history, mounts: checkMounts(history.rights, journals) };
}

/** Every violation, a line each. */
export function violationsOf({ history, mounts }: Proof): string[] {
  const lines = history.violations.map(
    ({ kind, generation, volume, says }) => `${kind}: generation ${generation}, volume ${volume}: ${says}`,
  );
  return [
    ...lines,
    ...(mounts?.violations ?? []).map(({ kind, volume, says }) => `${kind}: volume ${volume}: ${says}`),
  ];
}

/** Why less is proved than asked for. */
export function problemsOf({ history, mounts }: Proof): string[] {
  const problems = [...history.problems, ...(mounts?.problems ?? [])];
  if (history.rights.length === 0) problems.push('history has no writer');
  if (mounts !== null && mounts.intervals.length === 0) problems.push('the journals are empty');
  return problems;
}

/** `1203 generations, 340 rights to write 5 volumes …` */
export function summaryOf({ history, mounts }: Proof): string {
  const { generations, rights } = history;
  const volumes = new Set(rights.map(({ volume }) => volume)).size;
  const ends = new Map<string, number>();
  for (const { endedBy } of rights) if (endedBy !== null) ends.set(endedBy, (ends.get(endedBy) ?? 0) + 1);
  const how = [...ends].sort((a, b) => b[1] - a[1]).map(([operation, count]) => `${count} by ${operation}`);
  const lines = [
    `${generations} generations, ${rights.length} rights to write ${volumes} volumes; ended ${how.join(', ')}`,
  ];
  if (mounts !== null) {
    const { intervals, unused } = mounts;
    lines.push(`${intervals.length} mounts for writing in the journals, ${unused} rights were never used`);
  }
  return lines.join('\n');
}

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({ allowPositionals: true, options: { json: { type: 'boolean' } } });
  const [dir, ...stateDirs] = positionals;
  if (dir === undefined) {
    console.error('which cluster directory? check-writers.ts DIR [STATEDIR…]');
    return 2;
  }
  const proof = await proofOf(dir, stateDirs);
  const violations = violationsOf(proof);
  const problems = problemsOf(proof);
  if (values.json) console.log(JSON.stringify({ ...proof, problems }, null, 2));
  else {
    for (const line of violations) console.log(line);
    console.log(`${summaryOf(proof)}\n${violations.length} violations`);
  }
  for (const problem of problems) console.error(problem);
  return violations.length > 0 ? 1 : problems.length > 0 ? 2 : 0;
}

if (process.argv[1] === import.meta.filename) process.exitCode = await main();
