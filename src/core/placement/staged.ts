/**
 * The strategy `staged` (spec/rebalance.md section 3): places every volume anew, stage by stage; where the volumes are
 * now has no influence. Deterministic, whatever order the tables come in.
 */
import { balance } from './balance.js';
import type { PlacementInput } from './input.js';
import { compile, fits } from './problem.js';
import { buildResult, type PlacementResult, type PlacementWarning } from './result.js';
import { giveByGroup, giveByGroupWithinCapacity } from './stage-groups.js';
import { dealRest, giveRestWithinCapacity } from './stage-rest.js';
import { Run, UNASSIGNED } from './trace.js';
import { Waiting } from './waiting.js';

/** 1152: a volume goes to its preferred node, whatever the capacity, if that is active and eligible. */
function givePreferred(run: Run): PlacementWarning[] {
  const { problem } = run;
  const warnings: PlacementWarning[] = [];
  for (let v = 0; v < run.node.length; v++) {
    const n = problem.preferred[v] as number;
    if (n < 0) continue;
    if (fits(problem, n, v)) {
      run.give(v, n, '1152', 0);
      continue;
    }
    const volume = problem.volumes[v]?.name as string;
    const node = problem.nodes[n]?.name as string;
    warnings.push({ volume, code: 'preferred-ineligible', detail: `${node} is active but may not have ${volume}` });
  }
  return warnings;
}

function* unassigned(run: Run): Iterable<number> {
  for (let v = 0; v < run.way.length; v++) if (run.way[v] === UNASSIGNED) yield v;
}

/**
 * Runs all stages. Takes about a second for 1,000 nodes and 100,000 volumes (bench/placement.ts).
 * @throws CfsError BAD_VALUE for a weight that is negative, not finite or above 2^53 - 1
 */
export function staged(input: PlacementInput): PlacementResult {
  const run = new Run(compile(input), 'staged');
  const warnings = givePreferred(run);
  run.record('1152');
  const waiting = new Waiting(run, unassigned(run), true);
  giveByGroupWithinCapacity(run, waiting);
  run.record('1158');
  giveByGroup(run, waiting);
  run.record('1160');
  giveRestWithinCapacity(run);
  run.record('1162');
  dealRest(run);
  run.record('1164');
  balance(run);
  return buildResult(run, warnings);
}
