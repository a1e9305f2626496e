/**
 * Failover and failback: what may stay stays. Never the staged algorithm, which moves 15 % of a large cluster for one lost
 * node (spec/rebalance.md section 10; DESIGN.md, "Membership and failover").
 */
import type { Amount } from './capacity.js';
import type { PlacementInput } from './input.js';
import { compareStrings, naturalKey } from './name-order.js';
import { compile, fits, type Problem } from './problem.js';
import { buildResult, type PlacementResult } from './result.js';
import { Run } from './trace.js';

/** Keeps every volume that is on a node which may have it; returns the others, which are homeless. */
function keepOthers(run: Run, isReturning: (v: number) => boolean): number[] {
  const { problem } = run;
  const homeless: number[] = [];
  problem.volumes.forEach(({ currentNode }, v) => {
    if (isReturning(v)) return;
    const n = currentNode === null ? undefined : problem.nodeIndex.get(currentNode);
    if (n !== undefined && fits(problem, n, v)) run.give(v, n, 'kept', 0);
    else homeless.push(v);
  });
  return homeless;
}

/** Heaviest first; equal weights in natural order of names. */
function sortHeaviestFirst(problem: Problem, volumes: readonly number[]): number[] {
  const keyed = volumes.map((v) => {
    const { name, weight } = problem.volumes[v] as { name: string; weight: number };
    return { v, name, weight, key: naturalKey(name) };
  });
  keyed.sort((a, b) => b.weight - a.weight || compareStrings(a.key, b.key) || compareStrings(a.name, b.name));
  return keyed.map(({ v }) => v);
}

function isHeld(problem: Problem, n: number): boolean {
  return problem.nodes[n]?.held === true;
}

/**
 * The eligible node with the largest remaining capacity (ties: natural order); -1 when no node is eligible. A held node
 * comes last: it may be about to fail again, and being empty it would be the roomiest.
 */
function roomiest(run: Run, v: number): number {
  const { problem, remaining } = run;
  let best = -1;
  for (let n = 0; n < remaining.length; n++) {
    const held = isHeld(problem, n);
    const more =
      best < 0 || (held === isHeld(problem, best) ? (remaining[n] as Amount) > (remaining[best] as Amount) : !held);
    if (more && fits(problem, n, v)) best = n;
  }
  return best;
}

/**
 * Places the homeless: first those whose preferred node is active, eligible and not held go there, so that the others see the
 * capacity that is really left; then each of the others, heaviest first, on the roomiest eligible node.
 */
function placeHomeless(run: Run, homeless: readonly number[]): void {
  const { problem } = run;
  const rest: number[] = [];
  for (const v of sortHeaviestFirst(problem, homeless)) {
    const n = problem.preferred[v] as number;
    if (n >= 0 && !isHeld(problem, n) && fits(problem, n, v)) run.give(v, n, 'preferred', 0);
    else rest.push(v);
  }
  for (const v of rest) {
    const n = roomiest(run, v);
    if (n >= 0) run.give(v, n, 'homeless', 0);
  }
}

function finish(run: Run): PlacementResult {
  run.sortNodes();
  return buildResult(run, []);
}

export interface FailoverRequest {
  /** Nodes that count as inactive, whatever the input says of them. Unknown names are ignored. */
  readonly leaving: readonly string[];
  /** How results and records name it; default `failover`. */
  readonly by?: string;
}

/**
 * Keeps everything that may stay and places only what is homeless: without a node, on one that is inactive or leaving, or
 * on one that may not have it any more. A run on its own result changes nothing.
 * @throws CfsError BAD_VALUE for a weight that is no weight
 */
export function planFailover(input: PlacementInput, request: FailoverRequest): PlacementResult {
  const leaving = new Set(request.leaving);
  const nodes = input.nodes.map((node) => (leaving.has(node.name) ? { ...node, active: false } : node));
  const run = new Run(compile({ ...input, nodes }), request.by ?? 'failover');
  placeHomeless(
    run,
    keepOthers(run, () => false),
  );
  return finish(run);
}

/**
 * Returns to `back` (a node or several) the volumes that prefer it and for which it is eligible. No other volume leaves a node that may have
 * it; what has no such node (nothing eligible was active before) is placed as in a failover, since a volume without a
 * node though one is eligible would break what must hold. A run on its own result changes nothing.
 * @throws CfsError BAD_VALUE for a weight that is no weight
 */
export function planFailback(input: PlacementInput, back: string | readonly string[]): PlacementResult {
  const run = new Run(compile(input), 'failback');
  const { problem } = run;
  const homes = new Set<number>();
  for (const node of typeof back === 'string' ? [back] : back) homes.add(problem.nodeIndex.get(node) ?? -1);
  const returning = (v: number): boolean => {
    const home = problem.preferred[v] as number;
    if (home < 0 || !homes.has(home) || !fits(problem, home, v)) return false;
    return problem.volumes[v]?.currentNode !== problem.nodes[home]?.name;
  };
  const homeless = keepOthers(run, returning);
  const returned = problem.volumes.flatMap((_, v) => (returning(v) ? [v] : []));
  for (const v of sortHeaviestFirst(problem, returned)) run.give(v, problem.preferred[v] as number, 'returned', 0);
  placeHomeless(run, homeless);
  return finish(run);
}
