/** Stages 1158 and 1160: volumes go to nodes that list their group (spec/rebalance.md section 3). */
import type { Amount } from './capacity.js';
import { NO_GROUP } from './problem.js';
import type { Run } from './trace.js';
import type { Queue, Waiting } from './waiting.js';

function longestGroupList(run: Run): number {
  return run.problem.nodeGroups.reduce((longest, groups) => Math.max(longest, groups.length), 0);
}

/**
 * 1158: level by level, each node in list order takes volumes of its group at that level, then of group `Any`, while it
 * has capacity left. Capacity is tested before each volume, so the last one may overshoot.
 */
export function giveByGroupWithinCapacity(run: Run, waiting: Waiting): void {
  const { nodeGroups, anyGroup } = run.problem;
  const { remaining } = run;
  run.sortNodes();
  const levels = longestGroupList(run);
  for (let level = 0; level < levels; level++) {
    for (const n of run.order) {
      const group = nodeGroups[n]?.[level] ?? NO_GROUP;
      if (group === NO_GROUP) continue;
      for (const wanted of group === anyGroup ? [group] : [group, anyGroup]) {
        if (!((remaining[n] as Amount) > 0)) break;
        const queues = waiting.queuesFor(n, wanted);
        while (queues.length > 0 && (remaining[n] as Amount) > 0) {
          const v = waiting.first(queues);
          if (v < 0) break;
          run.give(v, n, '1158', level + 1);
        }
      }
    }
  }
}

/** Nodes by the group they have at a level. */
function nodesByGroup(run: Run, level: number): Map<number, number[]> {
  const found = new Map<number, number[]>();
  for (const n of run.order) {
    const group = run.problem.nodeGroups[n]?.[level] ?? NO_GROUP;
    if (group === NO_GROUP || group === run.problem.anyGroup) continue;
    const nodes = found.get(group);
    if (nodes === undefined) found.set(group, [n]);
    else nodes.push(n);
  }
  return found;
}

/** Deals the volumes of a group round its nodes; a node that finds none leaves the ring. */
function dealRing(run: Run, waiting: Waiting, group: number, nodes: readonly number[], level: number): void {
  const { remaining } = run;
  const sorted = [...nodes].sort((a, b) => {
    const left = remaining[a] as Amount;
    const right = remaining[b] as Amount;
    return left > right ? -1 : left < right ? 1 : 0;
  });
  let ring: { n: number; queues: Queue[] }[] = sorted.map((n) => ({ n, queues: waiting.queuesFor(n, group) }));
  while (ring.length > 0) {
    ring = ring.filter(({ n, queues }) => {
      const v = waiting.first(queues);
      if (v < 0) return false;
      run.give(v, n, '1160', level + 1);
      return true;
    });
  }
}

/** 1160: what is left of each group goes round the nodes that list it, whatever their capacity. */
export function giveByGroup(run: Run, waiting: Waiting): void {
  run.sortNodes();
  const levels = longestGroupList(run);
  for (let level = 0; level < levels; level++) {
    const byGroup = [...nodesByGroup(run, level)].sort((a, b) => a[0] - b[0]);
    for (const [group, nodes] of byGroup) dealRing(run, waiting, group, nodes, level);
  }
}
