/** Sentences about a placement decision: which stage and rule put a volume where it is (spec/rebalance.md section 6). */
import type { PlacementRecord } from '../model/tables.js';
import type { Amount } from './capacity.js';
import { exclusion } from './eligibility.js';
import type { PlacementVolume } from './input.js';
import type { Move } from './move-log.js';
import { sortNames } from './name-order.js';
import type { Problem } from './problem.js';
import type { PlacementResult } from './result.js';
import { type Run, UNASSIGNED, WAYS, type Way } from './trace.js';

/** Moves that a placement record tells in full; of a longer chain it tells the number and the last one. */
const MOVES_IN_RECORD = 2;

const IN_WORDS: { readonly [way in Way]?: string } = {
  '1152': 'preferred',
  '1162': 'within capacity',
  '1164': 'dealt round',
  preferred: 'preferred',
  homeless: 'most remaining capacity',
  returned: 'preferred, returned',
};

/** The stage as placement records have it: a number of the design document, or null. */
function stageOf(way: Way): string | null {
  return /^\d/.test(way) ? way : null;
}

function wayOf(run: Run, v: number): Way {
  return WAYS[(run.way[v] as number) - 1] as Way;
}

/** How the volume came to its first node: `ops, level 3, RC 2.88 -> -16.13`. */
function ruleOf(run: Run, v: number): string {
  const words = IN_WORDS[wayOf(run, v)] ?? `${run.problem.volumes[v]?.group}, level ${run.level[v]}`;
  const before = run.before[v] as Amount;
  const after = before - (run.capacity.weight[v] as Amount);
  return `${words}, RC ${run.capacity.text(before)} -> ${run.capacity.text(after)}`;
}

/** One balancing move: `1166.1 CFN8 -> CFN5 (19 < 33.44)`, its weight against the difference of remaining capacities. */
function moveText(run: Run, move: Move): string {
  const { nodes, volumes } = run.problem;
  const gap = run.capacity.gapText(move.toRemaining, move.fromRemaining);
  const names = `${nodes[move.from]?.name} -> ${nodes[move.to]?.name}`;
  return `1166.${move.cycle} ${names} (${volumes[move.volume]?.weight} < ${gap})`;
}

/** Indices of the moves that stand, by volume. */
function movesByVolume(run: Run): Map<number, number[]> {
  const found = new Map<number, number[]>();
  for (let m = 0; m < run.keptMoves; m++) {
    const v = run.moves.volumeAt(m);
    const moves = found.get(v);
    if (moves === undefined) found.set(v, [m]);
    else moves.push(m);
  }
  return found;
}

function placedLine(run: Run, v: number, moves: readonly number[]): string {
  const volume = run.problem.volumes[v]?.name;
  const way = wayOf(run, v);
  const node = run.problem.nodes[run.given[v] as number]?.name;
  if (way === 'kept') return `${volume}: kept ${node}`;
  const steps = [`${stageOf(way) ?? run.strategy} ${node} (${ruleOf(run, v)})`];
  for (const m of moves) steps.push(moveText(run, run.moves.at(m)));
  return `${volume}: ${steps.join('; ')}`;
}

/** The lines for a volume without a node: each active node and the rule that excludes it. */
function unplacedLines(problem: Problem, volume: PlacementVolume, reason: string): string[] {
  const lines = [`${volume.name}: unassigned (${reason})`];
  for (const node of problem.nodes) lines.push(`  ${node.name}: ${exclusion(node, volume)?.text}`);
  if (problem.nodes.length === 0) lines.push('  no node is active');
  return lines;
}

/**
 * The explanation of every volume, in volume order, those without a node at the end; or of the named ones only.
 * Several lines for a volume without a node, one for any other.
 */
export function explain(result: PlacementResult, only?: ReadonlySet<string>): string[] {
  const { run } = result;
  const { problem } = run;
  const moves = movesByVolume(run);
  const lines: string[] = [];
  const unplaced = new Map<string, PlacementVolume>();
  problem.volumes.forEach((volume, v) => {
    if (only !== undefined && !only.has(volume.name)) return;
    if (run.way[v] === UNASSIGNED) unplaced.set(volume.name, volume);
    else lines.push(placedLine(run, v, moves.get(v) ?? []));
  });
  for (const volume of problem.unreachable) {
    if (only === undefined || only.has(volume.name)) unplaced.set(volume.name, volume);
  }
  const reasons = new Map(result.unassigned.map(({ volume, reason }) => [volume, reason]));
  for (const name of sortNames(unplaced.keys())) {
    lines.push(...unplacedLines(problem, unplaced.get(name) as PlacementVolume, reasons.get(name) as string));
  }
  return lines;
}

function recordRule(run: Run, v: number, moves: readonly number[]): string {
  const steps = [ruleOf(run, v)];
  const told = moves.length > MOVES_IN_RECORD ? moves.slice(-1) : moves;
  if (told.length < moves.length) steps.push(`${moves.length} moves in 1166, the last`);
  for (const m of told) steps.push(moveText(run, run.moves.at(m)));
  return steps.join('; ');
}

/**
 * The placement records of the changed volumes, by name.
 * @param by what decided, as the record says it; default the result's strategy
 */
export function placementRecords(
  result: PlacementResult,
  nextGeneration: number,
  by: string = result.strategy,
): Map<string, PlacementRecord> {
  const { run } = result;
  const { problem } = run;
  const moves = movesByVolume(run);
  const records = new Map<string, PlacementRecord>();
  problem.volumes.forEach((volume, v) => {
    const n = run.node[v] as number;
    if (n < 0) return;
    const node = problem.nodes[n]?.name as string;
    if (node === volume.currentNode) return;
    const rule = recordRule(run, v, moves.get(v) ?? []);
    records.set(volume.name, { node, since: nextGeneration, by, stage: stageOf(wayOf(run, v)), rule, unplaced: null });
  });
  const reasons = new Map(result.unassigned.map(({ volume, reason }) => [volume, reason]));
  for (const name of result.changed) {
    const unplaced = reasons.get(name);
    if (unplaced !== undefined) {
      records.set(name, { node: null, since: nextGeneration, by, stage: null, rule: null, unplaced });
    }
  }
  return records;
}
