/**
 * What each node holds that balancing may move, sorted by weight and found by who may take it.
 *
 * A movable volume is known by its *rank*: its place in the order of weight, then volume order. Each node keeps one list
 * of ranks per key (keys.ts), so that the volumes on a node which another may take are those in the lists of the other's
 * keys; a volume with several domains is in several lists and is marked when seen.
 *
 * Most questions are answered by the lowest rank of a list alone. Those stand in a table of keys x nodes, where the rows
 * of one outer node stay in the processor's cache while it is compared with all inner nodes.
 */
import type { Amount, Amounts } from './capacity.js';
import { Keys } from './keys.js';
import type { Problem } from './problem.js';
import { insertRank, type RankList, removeRank } from './rank-list.js';
import { type Run, UNASSIGNED, wayCode } from './trace.js';

const PREFERRED = wayCode('1152');

/** Entries of the table of lowest ranks; beyond it (96 MiB) the lists themselves are asked. */
const MAX_TABLE = 24_000_000;
/** Up to this many candidates, sorting by insertion is faster than the engine's sort. */
const FEW = 24;

/** Volumes that balancing may move, lightest first: not those on their preferred node; weight 0 never lowers anything. */
function movableVolumes(run: Run): number[] {
  const { weight } = run.capacity;
  const movable: number[] = [];
  for (let v = 0; v < run.way.length; v++) {
    const way = run.way[v] as number;
    if (way !== UNASSIGNED && way !== PREFERRED && (weight[v] as Amount) > 0) movable.push(v);
  }
  return movable.sort((a, b) => {
    const left = weight[a] as Amount;
    const right = weight[b] as Amount;
    return left < right ? -1 : left > right ? 1 : a - b;
  });
}

export class Holdings {
  readonly rankVolume: Int32Array;
  readonly rankWeight: Amounts;
  /** Per node: weight of the lightest movable volume on it; Infinity when there is none. */
  readonly lightest: Amounts;
  /** Per node: how many volumes it has received. */
  readonly received: Int32Array;
  /** Per node: the number of its reach. Nodes with the same keys have one reach. */
  readonly reach: Int32Array;
  readonly reaches: number;

  private readonly problem: Problem;
  private readonly ranks: number;
  private readonly nodes: number;
  /** Keys of rank r: rankKeys from rankKeyStart[r] to before rankKeyStart[r + 1]. */
  private readonly rankKeys: Int32Array;
  private readonly rankKeyStart: Int32Array;
  private readonly reachKeys: (readonly number[])[] = [];
  private readonly all: RankList[];
  private readonly byKey: Map<number, RankList>[];
  /** Lowest rank by key and node; `ranks` where there is none. */
  private readonly lowest: Int32Array | null;
  private readonly seen: Int32Array;
  private search = 0;
  /** Candidates as class * ranks + rank, so that sorting numbers sorts them. */
  private readonly found: number[] = [];

  constructor(run: Run) {
    const { problem, capacity } = run;
    const movable = movableVolumes(run);
    const nodes = problem.nodes.length;
    this.problem = problem;
    this.nodes = nodes;
    this.ranks = movable.length;
    this.rankVolume = Int32Array.from(movable);
    this.rankWeight = capacity.amounts(movable.length);
    this.seen = new Int32Array(movable.length);
    this.lightest = capacity.amounts(nodes).fill(Number.POSITIVE_INFINITY);
    this.received = new Int32Array(nodes);
    this.all = Array.from({ length: nodes }, () => []);
    this.byKey = Array.from({ length: nodes }, () => new Map());
    const keys = new Keys(problem);
    const rankKeys: number[] = [];
    this.rankKeyStart = new Int32Array(movable.length + 1);
    movable.forEach((v, rank) => {
      this.rankWeight[rank] = capacity.weight[v] as Amount;
      keys.addOfVolume(v, rankKeys);
      this.rankKeyStart[rank + 1] = rankKeys.length;
    });
    this.rankKeys = Int32Array.from(rankKeys);
    const entries = keys.count * nodes;
    this.lowest = entries <= MAX_TABLE ? new Int32Array(entries).fill(this.ranks) : null;
    for (let rank = this.ranks - 1; rank >= 0; rank--) {
      this.insert(rank, run.node[this.rankVolume[rank] as number] as number);
    }
    this.reach = new Int32Array(nodes);
    const numbers = new Map<string, number>();
    for (let n = 0; n < nodes; n++) {
      const own = keys.ofNode(n);
      const text = own.join();
      const number = numbers.get(text) ?? this.reachKeys.push(own) - 1;
      numbers.set(text, number);
      this.reach[n] = number;
    }
    this.reaches = this.reachKeys.length;
  }

  /** The lowest rank on `inner` that `outer` may take; `ranks` when there is none. */
  private lowestRank(outer: number, inner: number): number {
    const { lowest, nodes } = this;
    const keys = this.reachKeys[this.reach[outer] as number] as readonly number[];
    let rank = this.ranks;
    for (let k = 0; k < keys.length; k++) {
      const key = keys[k] as number;
      const first = lowest === null ? this.lowestInList(inner, key) : (lowest[key * nodes + inner] as number);
      if (first < rank) rank = first;
    }
    return rank;
  }

  private lowestInList(n: number, key: number): number {
    const list = this.byKey[n]?.get(key);
    return list === undefined || list.length === 0 ? this.ranks : (list[list.length - 1] as number);
  }

  /** Weight of the lightest volume on `inner` that `outer` may take; Infinity when there is none. */
  lightestFor(outer: number, inner: number): Amount {
    const rank = this.lowestRank(outer, inner);
    return rank < this.ranks ? (this.rankWeight[rank] as Amount) : Number.POSITIVE_INFINITY;
  }

  /**
   * Finds the volumes on `inner` lighter than `gap` that `outer` may have; returns how many. They are in the order of
   * section 3: group not in inner's list first, then its groups from least to most preferred; within that by rank.
   */
  candidates(outer: number, inner: number, gap: Amount): number {
    const { rankWeight, seen, found } = this;
    const lists = this.byKey[inner] as Map<number, RankList>;
    const search = ++this.search;
    let count = 0;
    for (const key of this.reachKeys[this.reach[outer] as number] as readonly number[]) {
      if (this.lowest !== null && this.lowest[key * this.nodes + inner] === this.ranks) continue;
      const list = lists.get(key);
      if (list === undefined) continue;
      for (let r = list.length - 1; r >= 0; r--) {
        const rank = list[r] as number;
        if (!((rankWeight[rank] as Amount) < gap)) break;
        if (seen[rank] === search) continue;
        seen[rank] = search;
        found[count++] = rank;
      }
    }
    this.sortFound(inner, count);
    return count;
  }

  /** The rank of a candidate found by the last search. */
  candidate(index: number): number {
    return (this.found[index] as number) % this.ranks;
  }

  private sortFound(inner: number, count: number): void {
    const { found } = this;
    const levels = this.problem.nodeGroupLevel[inner] as ReadonlyMap<number, number>;
    const worst = (this.problem.nodeGroups[inner] as readonly number[]).length;
    for (let c = 0; c < count; c++) {
      const rank = found[c] as number;
      const level = levels.get(this.problem.group[this.rankVolume[rank] as number] as number);
      if (level !== undefined) found[c] = rank + (worst - level) * this.ranks;
    }
    if (count > FEW) {
      const sorted = Float64Array.from(found.slice(0, count)).sort();
      for (let c = 0; c < count; c++) found[c] = sorted[c] as number;
      return;
    }
    for (let c = 1; c < count; c++) {
      const value = found[c] as number;
      let place = c;
      for (; place > 0 && (found[place - 1] as number) > value; place--) found[place] = found[place - 1] as number;
      found[place] = value;
    }
  }

  /** Moves a volume from one node's lists to another's. */
  move(rank: number, from: number, to: number): void {
    this.remove(rank, from);
    this.insert(rank, to);
    this.received[to] = (this.received[to] as number) + 1;
  }

  private remove(rank: number, n: number): void {
    const { lowest, nodes } = this;
    removeRank(this.all[n] as RankList, rank);
    this.setLightest(n);
    const lists = this.byKey[n] as Map<number, RankList>;
    const end = this.rankKeyStart[rank + 1] as number;
    for (let k = this.rankKeyStart[rank] as number; k < end; k++) {
      const key = this.rankKeys[k] as number;
      const list = lists.get(key) as RankList;
      removeRank(list, rank);
      if (lowest !== null) lowest[key * nodes + n] = list.length === 0 ? this.ranks : (list[list.length - 1] as number);
    }
  }

  private insert(rank: number, n: number): void {
    const { lowest, nodes } = this;
    insertRank(this.all[n] as RankList, rank);
    this.setLightest(n);
    const lists = this.byKey[n] as Map<number, RankList>;
    const end = this.rankKeyStart[rank + 1] as number;
    for (let k = this.rankKeyStart[rank] as number; k < end; k++) {
      const key = this.rankKeys[k] as number;
      const list = lists.get(key);
      if (list === undefined) lists.set(key, [rank]);
      else insertRank(list, rank);
      if (lowest !== null && rank < (lowest[key * nodes + n] as number)) lowest[key * nodes + n] = rank;
    }
  }

  private setLightest(n: number): void {
    const all = this.all[n] as RankList;
    this.lightest[n] =
      all.length === 0 ? Number.POSITIVE_INFINITY : (this.rankWeight[all[all.length - 1] as number] as Amount);
  }
}
