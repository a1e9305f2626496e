/**
 * Stage 1166: volumes move between pairs of nodes while that lowers the imbalance (spec/rebalance.md section 3).
 *
 * Nearly all time of a large run is spent here, on pairs of nodes between which nothing moves. Two bounds skip them:
 * the lightest movable volume of the inner node; and, per inner node and *reach* (nodes that may have the same volumes
 * have one reach), the lightest volume found there the last time somebody looked. The second stays true until the
 * inner node receives a volume, since giving volumes away only raises it.
 */
import type { Amount, Amounts } from './capacity.js';
import { Holdings } from './holdings.js';
import type { Run } from './trace.js';

const MAX_CYCLES = 10_000;
/** Entries of the table of bounds; beyond it (about 4,000 nodes that all differ) it would cost more than it saves. */
const MAX_BOUNDS = 16_000_000;

class Balancer {
  private readonly holdings: Holdings;
  private readonly bound: Amounts | null;
  private readonly boundStamp: Int32Array;
  private readonly count: number;
  private cycle = 0;

  constructor(private readonly run: Run) {
    this.holdings = new Holdings(run);
    this.count = run.problem.nodes.length;
    const entries = this.holdings.reaches * this.count;
    const bounded = entries <= MAX_BOUNDS;
    this.bound = bounded ? run.capacity.amounts(entries) : null;
    this.boundStamp = new Int32Array(bounded ? entries : 0).fill(-1);
  }

  /** One cycle over all pairs. */
  runCycle(cycle: number): void {
    this.cycle = cycle;
    const { order, remaining } = this.run;
    const { lightest, received, reach } = this.holdings;
    const { bound, boundStamp, count } = this;
    for (let o = 0; o < count; o++) {
      const outer = order[o] as number;
      const row = (reach[outer] as number) * count;
      let outerRemaining = remaining[outer] as Amount;
      for (let i = 0; i < count; i++) {
        const inner = order[i] as number;
        const gap = outerRemaining - (remaining[inner] as Amount);
        // Also true of a node with itself, and of pairs with equal capacity.
        if (gap <= (lightest[inner] as Amount)) continue;
        if (bound !== null) {
          const entry = row + inner;
          if (boundStamp[entry] === received[inner] && gap <= (bound[entry] as Amount)) continue;
        }
        this.movePair(outer, inner, gap, row + inner);
        outerRemaining = remaining[outer] as Amount;
      }
    }
  }

  private movePair(outer: number, inner: number, gapBefore: Amount, entry: number): void {
    const { run, holdings } = this;
    const lightest = holdings.lightestFor(outer, inner);
    const count = gapBefore > lightest ? holdings.candidates(outer, inner, gapBefore) : 0;
    if (count === 0) {
      if (this.bound !== null) {
        this.bound[entry] = gapBefore > lightest ? holdings.lightestSeen : lightest;
        this.boundStamp[entry] = holdings.received[inner] as number;
      }
      return;
    }
    let gap = gapBefore;
    for (let c = 0; c < count && gap > holdings.lightestSeen; c++) {
      const rank = holdings.candidate(c);
      const weight = holdings.rankWeight[rank] as Amount;
      if (!(weight < gap)) continue;
      const volume = holdings.rankVolume[rank] as number;
      const { remaining } = run;
      const from = remaining[inner] as Amount;
      const to = remaining[outer] as Amount;
      run.moves.add(volume, inner, outer, this.cycle, from, to);
      remaining[inner] = from + weight;
      remaining[outer] = to - weight;
      run.node[volume] = outer;
      holdings.move(rank, inner, outer);
      gap = gap - weight - weight;
    }
  }
}

function undo(run: Run, from: number, order: Int32Array, remaining: Amounts): void {
  for (let m = run.moves.length - 1; m >= from; m--) {
    const move = run.moves.at(m);
    run.node[move.volume] = move.from;
  }
  run.order = order;
  for (let n = 0; n < remaining.length; n++) run.remaining[n] = remaining[n] as Amount;
}

/** Repeats cycles until one does not lower the imbalance, and undoes that one. */
export function balance(run: Run): void {
  if (run.problem.nodes.length === 0) return;
  const balancer = new Balancer(run);
  let imbalance = run.capacity.imbalance(run.remaining).num;
  for (;;) {
    if (run.cycles === MAX_CYCLES) {
      run.converged = false;
      return;
    }
    const order = run.order.slice();
    const remaining = run.remaining.slice();
    run.cycles++;
    run.sortNodes();
    balancer.runCycle(run.cycles);
    run.record(`1166.${run.cycles}`);
    const next = run.capacity.imbalance(run.remaining).num;
    if (next >= imbalance) {
      undo(run, run.keptMoves, order, remaining);
      return;
    }
    imbalance = next;
    run.keptMoves = run.moves.length;
  }
}
