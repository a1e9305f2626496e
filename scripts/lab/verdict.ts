/** What the checker says of a cluster of the lab: its journals, and when hosts lost their power. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readJournal } from '../../src/agentd/journal.js';
import { checkOwnership } from '../../test/kit/ownership-check.js';
import type { LabCluster } from './cluster.js';

export interface Verdict {
  /** How many times some node owned some volume. */
  intervals: number;
  /** Two owners at one time, a sentence each. */
  overlaps: string[];
  /** Why nothing is proved. */
  problems: string[];
}

export function verdictOf(cluster: LabCluster): Verdict {
  const agents = [...cluster.agents.values()];
  // Beside the journals, so that check-ownership.ts can be run on what was kept.
  const marks = cluster.harness.map((event) => `${JSON.stringify(event)}\n`).join('');
  writeFileSync(join(cluster.options.base, 'events.jsonl'), marks);
  const journals = agents.map(({ node, stateDir }) => ({ source: node, events: readJournal(stateDir) }));
  const { intervals, overlaps, problems } = checkOwnership(journals, cluster.harness);
  return {
    intervals: intervals.length,
    overlaps: overlaps.map(({ first, second }) => {
      const ms = Math.round(Math.min(first.to, second.to) - second.from);
      return `${first.volume}: ${first.node} and ${second.node} for ${ms} ms`;
    }),
    problems,
  };
}
