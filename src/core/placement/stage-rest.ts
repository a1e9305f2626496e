/** Stages 1162 and 1164: what no group took (spec/rebalance.md section 3). */
import type { Amount } from './capacity.js';
import type { Problem } from './problem.js';
import { type Run, UNASSIGNED } from './trace.js';
import { Waiting } from './waiting.js';

/**
 * The unassigned volumes that any node may have. After 1160 a locked volume is left only if no node that shares a domain
 * with it carries its group: it has no eligible node.
 */
function freeVolumes(run: Run): number[] {
  const free: number[] = [];
  const { isLocked } = run.problem;
  for (let v = 0; v < run.way.length; v++) {
    if (run.way[v] === UNASSIGNED && isLocked[v] === 0) free.push(v);
  }
  return free;
}

/** 1162: each node in list order takes volumes while it has capacity left. */
export function giveRestWithinCapacity(run: Run): void {
  run.sortNodes();
  const waiting = new Waiting(run, freeVolumes(run), false);
  for (const n of run.order) {
    if (!((run.remaining[n] as Amount) > 0)) continue;
    const queues = waiting.queuesFor(n, 0);
    while (queues.length > 0 && (run.remaining[n] as Amount) > 0) {
      const v = waiting.first(queues);
      if (v < 0) break;
      run.give(v, n, '1162', 0);
    }
  }
}

/** List positions of the nodes of each domain, ascending; those with `ALL` apart. */
function positionsByDomain(problem: Problem, order: Int32Array): { of: Map<number, number[]>; wide: number[] } {
  const of = new Map<number, number[]>();
  const wide: number[] = [];
  order.forEach((n, position) => {
    if (problem.nodeIsWide[n]) wide.push(position);
    for (const domain of problem.nodeDomains[n] as ReadonlySet<number>) {
      const positions = of.get(domain);
      if (positions === undefined) of.set(domain, [position]);
      else positions.push(position);
    }
  });
  return { of, wide };
}

/** How far from `pointer` onward, cyclically, the next of the ascending `positions` is; `count` when there is none. */
function stepsTo(positions: readonly number[], pointer: number, count: number): number {
  if (positions.length === 0) return count;
  let low = 0;
  let high = positions.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((positions[middle] as number) < pointer) low = middle + 1;
    else high = middle;
  }
  if (low < positions.length) return (positions[low] as number) - pointer;
  return (positions[0] as number) + count - pointer;
}

/** 1164: each volume goes to the first eligible node behind the one that got the volume before. */
export function dealRest(run: Run): void {
  run.sortNodes();
  const { problem, order } = run;
  const count = order.length;
  const { of, wide } = positionsByDomain(problem, order);
  let pointer = 0;
  for (const v of freeVolumes(run)) {
    let steps = problem.isWide[v] ? 0 : stepsTo(wide, pointer, count);
    for (const domain of problem.domains[v] as readonly number[]) {
      steps = Math.min(steps, stepsTo(of.get(domain) ?? [], pointer, count));
    }
    const position = (pointer + steps) % count;
    run.give(v, order[position] as number, '1164', 0);
    pointer = (position + 1) % count;
  }
}
