/** What the capacities were when a volume came to its node, and so why another eligible node did not get it. */
import type { Amount, Amounts } from './capacity.js';
import type { Move } from './move-log.js';
import type { PlacementResult } from './result.js';
import { type Run, UNASSIGNED, WAYS } from './trace.js';

/** Remaining capacities just before volume `v` was given to its first node. */
function whenGiven(run: Run, v: number): Amounts {
  const remaining = run.capacity.empty.slice();
  const turn = run.turn[v] as number;
  for (let other = 0; other < run.turn.length; other++) {
    const n = run.given[other] as number;
    if (n >= 0 && (run.turn[other] as number) < turn) {
      remaining[n] = (remaining[n] as Amount) - (run.capacity.weight[other] as Amount);
    }
  }
  return remaining;
}

/** Remaining capacities just before the balancing move with index `last`. */
function whenMoved(run: Run, last: number): Amounts {
  const dealt = run.tables.find((table) => table.stage === '1164');
  const remaining = (dealt?.remaining ?? run.capacity.empty).slice();
  for (let m = 0; m < last; m++) {
    const { volume, from, to } = run.moves.at(m);
    const weight = run.capacity.weight[volume] as Amount;
    remaining[from] = (remaining[from] as Amount) + weight;
    remaining[to] = (remaining[to] as Amount) - weight;
  }
  return remaining;
}

/** Why the move took the volume to `move.to` and not to `n`. */
function besideMove(run: Run, move: Move, remaining: Amounts, n: number): string {
  const { capacity, problem } = run;
  const name = (index: number): string => problem.nodes[index]?.name as string;
  const step = `when 1166.${move.cycle} moved it ${name(move.from)} -> ${name(move.to)}`;
  if (n === move.from) return `eligible; had it before ${step.slice(5)}`;
  const own = remaining[n] as Amount;
  const gap = own - (remaining[move.from] as Amount);
  const weight = problem.volumes[move.volume]?.weight;
  if (gap <= (capacity.weight[move.volume] as Amount)) {
    const above = gap > 0 ? `only ${capacity.gapText(own, remaining[move.from] as Amount)}` : 'not';
    return `eligible; ${step}, its RC of ${capacity.text(own)} was ${above} above ${name(move.from)}'s, weight ${weight}`;
  }
  const taken = capacity.text(move.toRemaining);
  return `eligible; it was ${name(move.to)}'s turn ${step}, RC ${capacity.text(own)} against ${taken}`;
}

function groupFact(run: Run, v: number, n: number): string | null {
  const { problem } = run;
  const group = problem.group[v] as number;
  if (group === problem.anyGroup) return problem.nodeGroupLevel[n]?.size === 0 ? 'lists no group' : null;
  const listed = problem.nodeGroupLevel[n]?.get(group);
  const name = problem.volumes[v]?.group;
  if (listed === undefined) return `does not list ${name}`;
  if (listed + 1 > (run.level[v] as number)) return `lists ${name} at level ${listed + 1} only`;
  return null;
}

/** Why a stage, or failover, gave the volume to its node and not to `n`. */
function besideGift(run: Run, v: number, remaining: Amounts, n: number): string {
  const { capacity, problem } = run;
  const way = WAYS[(run.way[v] as number) - 1];
  const taker = problem.nodes[run.given[v] as number]?.name;
  const own = remaining[n] as Amount;
  const facts = `RC ${capacity.text(own)} against ${capacity.text(run.before[v] as Amount)}`;
  if (way === '1152' || way === 'preferred' || way === 'returned') return `eligible; ${taker} is preferred`;
  if (way === 'homeless') return `eligible; ${facts}${own === run.before[v] ? `, ${taker} is first by name` : ''}`;
  const group = way === '1158' || way === '1160' ? groupFact(run, v, n) : null;
  if (group !== null) return `eligible; ${group}, ${facts}`;
  if (way !== '1160' && way !== '1164' && !(own > 0)) return `eligible; had no capacity left, ${facts}`;
  return `eligible; its turn came after ${taker}'s, ${facts}`;
}

/**
 * For each active node why it did not get the volume in this run, if it is eligible; keyed by node name. Empty when the
 * volume got no node or kept the one it had.
 */
export function besideOthers(result: PlacementResult, volume: string): Map<string, string> {
  const { run } = result;
  const { problem } = run;
  const found = new Map<string, string>();
  const v = problem.volumes.findIndex(({ name }) => name === volume);
  if (v < 0 || run.way[v] === UNASSIGNED || WAYS[(run.way[v] as number) - 1] === 'kept') return found;
  let last = run.keptMoves - 1;
  while (last >= 0 && run.moves.volumeAt(last) !== v) last--;
  const move = last < 0 ? null : run.moves.at(last);
  const remaining = move === null ? whenGiven(run, v) : whenMoved(run, last);
  problem.nodes.forEach(({ name }, n) => {
    if (n === run.node[v]) return;
    found.set(name, move === null ? besideGift(run, v, remaining, n) : besideMove(run, move, remaining, n));
  });
  return found;
}
