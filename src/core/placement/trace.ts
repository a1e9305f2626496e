/** What a run of the stages leaves behind: who got what in which stage, and every balancing move. */
import type { Amount, Amounts, Capacity } from './capacity.js';
import { MoveLog } from './move-log.js';
import type { Problem } from './problem.js';

/**
 * How a volume can come to its node: the stages of `staged` by the numbers of the design document, and the rules of
 * failover and failback.
 */
export const WAYS = ['1152', '1158', '1160', '1162', '1164', 'kept', 'preferred', 'homeless', 'returned'] as const;
export type Way = (typeof WAYS)[number];

/** Code in `Run.way` of a volume that has no node; any other code is the index in WAYS plus one. */
export const UNASSIGNED = 0;

/** The code of a way in `Run.way`. */
export function wayCode(way: Way): number {
  return WAYS.indexOf(way) + 1;
}

/** The node table after a stage: the order of its rows and the remaining capacities. */
export interface StageTable {
  /** `1152` … `1164`, `1166.1` … for the balancing cycles. */
  readonly stage: string;
  /** Node indices in list order. */
  readonly order: Int32Array;
  /** By node index. */
  readonly remaining: Amounts;
  /** How many of the logged moves had been made. */
  readonly moves: number;
}

/** The state that the stages share. */
export class Run {
  readonly capacity: Capacity;
  /** Remaining capacity by node index. */
  readonly remaining: Amounts;
  /** Node indices; sorted anew by each stage that says so. */
  order: Int32Array;
  /** Node index of each volume; -1: none. */
  readonly node: Int32Array;
  /** Code of the way each volume came to its node. */
  readonly way: Uint8Array;
  /** Level of the group that matched, from 1; 0 where no group did. */
  readonly level: Int32Array;
  /** The node that the volume was given to, before balancing. */
  readonly given: Int32Array;
  /** Remaining capacity of that node just before. */
  readonly before: Amounts;
  /** When the volume was given, counted from 1: volumes with lower numbers came first. */
  readonly turn: Int32Array;
  private turns = 0;
  readonly moves: MoveLog;
  /** Moves that stand; those behind were made in the cycle that was undone. */
  keptMoves = 0;
  cycles = 0;
  converged = true;
  readonly tables: StageTable[] = [];

  /** @param strategy `staged`, `failover` … as results and records name it */
  constructor(
    readonly problem: Problem,
    readonly strategy: string,
  ) {
    const volumes = problem.volumes.length;
    this.capacity = problem.capacity;
    this.moves = new MoveLog(problem.capacity);
    this.remaining = problem.capacity.empty.slice();
    this.order = Int32Array.from(problem.nodes, (_, n) => n);
    this.node = new Int32Array(volumes).fill(-1);
    this.way = new Uint8Array(volumes);
    this.level = new Int32Array(volumes);
    this.given = new Int32Array(volumes).fill(-1);
    this.before = problem.capacity.amounts(volumes);
    this.turn = new Int32Array(volumes);
  }

  /** Gives volume `v` to node `n`. */
  give(v: number, n: number, way: Way, level: number): void {
    this.node[v] = n;
    this.given[v] = n;
    this.way[v] = wayCode(way);
    this.level[v] = level;
    this.turn[v] = ++this.turns;
    const before = this.remaining[n] as Amount;
    this.before[v] = before;
    this.remaining[n] = before - (this.capacity.weight[v] as Amount);
  }

  /** Sorts the nodes by remaining capacity descending, in place and stable. */
  sortNodes(): void {
    const remaining = this.remaining;
    const order = Array.from(this.order);
    order.sort((a, b) => {
      const left = remaining[a] as Amount;
      const right = remaining[b] as Amount;
      return left > right ? -1 : left < right ? 1 : 0;
    });
    this.order.set(order);
  }

  /** Keeps the node table as it is now. */
  record(stage: string): void {
    this.tables.push({
      stage,
      order: this.order.slice(),
      remaining: this.remaining.slice(),
      moves: this.moves.length,
    });
  }
}

/** Node index of each volume at the time of a node table; -1: none yet. */
export function assignmentAt(run: Run, table: StageTable): Int32Array {
  const stages = WAYS.indexOf(table.stage as Way) + 1 || WAYS.length;
  const node = run.given.map((n, v) => ((run.way[v] as number) <= stages ? n : -1));
  for (let m = 0; m < table.moves; m++) {
    const move = run.moves.at(m);
    node[move.volume] = move.to;
  }
  return node;
}
