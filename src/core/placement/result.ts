/** The result of a placement decision: the object of spec/rebalance.md section 5, and the run it came from. */
import type { UnplacedReason } from '../model/tables.js';
import { toDouble } from './arithmetic.js';
import type { Amount } from './capacity.js';
import type { PlacementVolume } from './input.js';
import { fits, type Problem } from './problem.js';
import type { Run } from './trace.js';

export interface UnplacedVolume {
  readonly volume: string;
  readonly reason: UnplacedReason;
}

export interface PlacementWarning {
  readonly volume?: string;
  readonly code: 'preferred-ineligible' | 'not-converged';
  readonly detail: string;
}

/** A row of the node table; capacities in weight units, as the nearest doubles. */
export interface PlacedNode {
  readonly name: string;
  readonly weight: number;
  readonly idealCapacity: number;
  readonly load: number;
  /** Ideal capacity less load; negative when the node has more than its share. */
  readonly remainingCapacity: number;
  /** In volume order (group, weight descending, name). */
  readonly volumes: readonly string[];
}

/** What `--json` prints (section 5), with what the head line of the text form needs. */
export interface PlacementJson {
  readonly strategy: string;
  readonly generation: number;
  readonly assignment: { readonly [volume: string]: string | null };
  /** Exactly the volumes whose node differs from before, in natural order. */
  readonly changed: readonly string[];
  readonly unassigned: readonly UnplacedVolume[];
  readonly warnings: readonly PlacementWarning[];
  /** In list order of the last sort. */
  readonly nodes: readonly PlacedNode[];
  readonly totals: PlacementTotals;
  readonly sumAbsRC: number;
  /** The imbalance of the placement that was found. */
  readonly sumAbsRCBefore: number;
  readonly maxRelativeRC: number;
  /** Changed volumes that end on a node, and their weight. */
  readonly moves: number;
  readonly movedWeight: number;
  /** Of the moves: those that could not stay where they were. */
  readonly forcedMoves: number;
  readonly cycles: number;
}

export interface PlacementTotals {
  readonly activeNodes: number;
  readonly knownNodes: number;
  readonly activeVolumes: number;
  readonly knownVolumes: number;
  /** V and W. */
  readonly activeVolumeWeight: number;
  readonly activeNodeWeight: number;
}

/** A placement decision. `assignment` is a map, since names may be `__proto__`; `toJSON` gives the documented object. */
export interface PlacementResult extends Omit<PlacementJson, 'assignment'> {
  readonly assignment: ReadonlyMap<string, string | null>;
  /** The run that decided, for explanations; not part of the JSON. */
  readonly run: Run;
  toJSON(): PlacementJson;
}

/** Whether a volume that was on `current` had to leave it (or had no node). */
function isForced(problem: Problem, v: number, current: string | null, node: number): boolean {
  const before = current === null ? undefined : problem.nodeIndex.get(current);
  return before === undefined || !fits(problem, before, v) || problem.preferred[v] === node;
}

function imbalanceBefore(problem: Problem): number {
  const { capacity } = problem;
  const remaining = capacity.empty.slice();
  problem.volumes.forEach((volume, v) => {
    const n = volume.currentNode === null ? undefined : problem.nodeIndex.get(volume.currentNode);
    if (n !== undefined) remaining[n] = (remaining[n] as Amount) - (capacity.weight[v] as Amount);
  });
  return toDouble(capacity.imbalance(remaining));
}

function nodeTable(run: Run): PlacedNode[] {
  const { problem, capacity } = run;
  const volumes: string[][] = problem.nodes.map(() => []);
  for (let v = 0; v < run.node.length; v++) {
    const n = run.node[v] as number;
    if (n >= 0) (volumes[n] as string[]).push(problem.volumes[v]?.name as string);
  }
  return Array.from(run.order, (n) => {
    const remaining = run.remaining[n] as Amount;
    return {
      name: problem.nodes[n]?.name as string,
      weight: problem.nodes[n]?.weight as number,
      idealCapacity: toDouble(capacity.ideal(n)),
      load: toDouble(capacity.load(n, remaining)),
      remainingCapacity: capacity.value(remaining),
      volumes: volumes[n] as string[],
    };
  });
}

function maxRelative(run: Run): number {
  let largest = 0;
  run.problem.nodes.forEach((_, n) => {
    const ideal = run.capacity.ideal(n);
    if (ideal.num === 0n) return;
    const { num } = run.capacity.exact(run.remaining[n] as Amount);
    largest = Math.max(largest, toDouble({ num: num < 0n ? -num : num, den: ideal.num }));
  });
  // JSON has no infinity; only weights some 300 orders of magnitude apart come here.
  return Math.min(largest, Number.MAX_VALUE);
}

/** Reads the result off a finished run. */
export function buildResult(run: Run, warnings: readonly PlacementWarning[]): PlacementResult {
  const { problem, capacity } = run;
  const assignment = new Map<string, string | null>();
  const changed: string[] = [];
  const unassigned: UnplacedVolume[] = [];
  let moves = 0;
  let forcedMoves = 0;
  let moved = capacity.zero;
  for (const v of problem.listing) {
    const { name, currentNode } = (v < 0 ? problem.unreachable[-1 - v] : problem.volumes[v]) as PlacementVolume;
    const n = v < 0 ? -1 : (run.node[v] as number);
    const node = n < 0 ? null : (problem.nodes[n]?.name as string);
    assignment.set(name, node);
    if (node === null) unassigned.push({ volume: name, reason: v < 0 ? 'no-common-domain' : 'group-locked' });
    if (node === currentNode) continue;
    changed.push(name);
    if (node === null) continue;
    moves++;
    moved += capacity.weight[v] as Amount;
    if (isForced(problem, v, currentNode, n)) forcedMoves++;
  }

  const all = run.converged
    ? warnings
    : [...warnings, { code: 'not-converged' as const, detail: `stopped after ${run.cycles} balancing cycles` }];
  const json: Omit<PlacementJson, 'assignment'> = {
    strategy: run.strategy,
    generation: problem.input.generation,
    changed,
    unassigned,
    warnings: all,
    nodes: nodeTable(run),
    totals: {
      activeNodes: problem.nodes.length,
      knownNodes: problem.input.nodes.length,
      activeVolumes: problem.volumes.length,
      knownVolumes: problem.input.volumes.length,
      activeVolumeWeight: toDouble(capacity.volumeWeight),
      activeNodeWeight: toDouble(capacity.nodeWeight),
    },
    sumAbsRC: toDouble(capacity.imbalance(run.remaining)),
    sumAbsRCBefore: imbalanceBefore(problem),
    maxRelativeRC: maxRelative(run),
    moves,
    movedWeight: toDouble(capacity.weightSum(moved)),
    forcedMoves,
    cycles: run.cycles,
  };
  return {
    ...json,
    assignment,
    run,
    toJSON: () => {
      const { strategy, generation, ...rest } = json;
      // fromEntries defines own members, so that a volume named `__proto__` is one too.
      return { strategy, generation, assignment: Object.fromEntries(assignment), ...rest };
    },
  };
}
