/**
 * What each node holds that balancing may move, sorted by weight, and bounds on what others may take from it.
 *
 * A movable volume is known by its *rank*: its place in the order of weight, then volume order. Each node keeps one list
 * of ranks; which of them another node may take is seen from the keys (keys.ts) when the list is searched. A table of
 * keys x nodes holds a lower bound of the ranks with that key on that node: giving a volume to a node lowers it, taking one
 * away leaves it, a search that finds nothing raises it. So most pairs of nodes are settled by a few bounds, and a move
 * changes two lists, however many domains the volume has. The rows of one outer node's keys stay in the processor's
 * cache while it is compared with all inner nodes.
 */
import type { Amount, Amounts } from './capacity.js';
import { Keys } from './keys.js';
import type { Problem } from './problem.js';
import { insertRank, type RankList, removeRank } from './rank-list.js';
import { type Run, UNASSIGNED, wayCode } from './trace.js';

const PREFERRED = wayCode('1152');

/** Entries of the table of bounds (96 MiB); clusters that need a larger one do without. */
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
  /** After a search: weight of the lightest volume on inner that outer may take, light enough or not; Infinity: none. */
  lightestSeen: Amount = Number.POSITIVE_INFINITY;
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
  /** Per node: the ranks of its movable volumes. */
  private readonly lists: RankList[];
  /** By key and node: a lower bound of the ranks with that key on that node. */
  private readonly bounds: Int32Array | null;
  /** By key: the last search whose outer node had it. */
  private readonly marked: Int32Array;
  private markedReach = -1;
  private mark = 0;
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
    this.lightest = capacity.amounts(nodes).fill(Number.POSITIVE_INFINITY);
    this.received = new Int32Array(nodes);
    this.lists = Array.from({ length: nodes }, () => []);
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
    this.bounds = entries <= MAX_TABLE ? new Int32Array(entries).fill(this.ranks) : null;
    this.marked = new Int32Array(keys.count);
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

  /** A lower bound of the weights of the volumes on `inner` that `outer` may take; Infinity when there are none. */
  lightestFor(outer: number, inner: number): Amount {
    const { bounds, nodes } = this;
    if (bounds === null) return this.lightest[inner] as Amount;
    const keys = this.reachKeys[this.reach[outer] as number] as readonly number[];
    let rank = this.ranks;
    for (let k = 0; k < keys.length; k++) {
      const bound = bounds[(keys[k] as number) * nodes + inner] as number;
      if (bound < rank) rank = bound;
    }
    return rank < this.ranks ? (this.rankWeight[rank] as Amount) : Number.POSITIVE_INFINITY;
  }

  /**
   * Finds the volumes on `inner` lighter than `gap` that `outer` may have; returns how many. They are in the order of
   * section 3: group not in inner's list first, then its groups from least to most preferred; within that by rank.
   */
  candidates(outer: number, inner: number, gap: Amount): number {
    const { rankWeight, found } = this;
    const reach = this.reach[outer] as number;
    this.markKeys(reach);
    const list = this.lists[inner] as RankList;
    let count = 0;
    let next = this.ranks;
    for (let r = list.length - 1; r >= 0; r--) {
      const rank = list[r] as number;
      const isLighter = (rankWeight[rank] as Amount) < gap;
      if (!isLighter && count > 0) break;
      if (!this.isMarked(rank)) continue;
      if (!isLighter) {
        next = rank;
        break;
      }
      found[count++] = rank;
    }
    if (count === 0) {
      this.raiseBounds(reach, inner, next);
      return 0;
    }
    this.lightestSeen = rankWeight[found[0] as number] as Amount;
    this.sortFound(inner, count);
    return count;
  }

  private markKeys(reach: number): void {
    if (reach === this.markedReach) return;
    this.markedReach = reach;
    this.mark++;
    for (const key of this.reachKeys[reach] as readonly number[]) this.marked[key] = this.mark;
  }

  /** Whether the volume has one of the marked keys. */
  private isMarked(rank: number): boolean {
    const end = this.rankKeyStart[rank + 1] as number;
    for (let k = this.rankKeyStart[rank] as number; k < end; k++) {
      if (this.marked[this.rankKeys[k] as number] === this.mark) return true;
    }
    return false;
  }

  /** Notes that the lowest rank on `inner` with one of the reach's keys is `rank`. */
  private raiseBounds(reach: number, inner: number, rank: number): void {
    this.lightestSeen = rank < this.ranks ? (this.rankWeight[rank] as Amount) : Number.POSITIVE_INFINITY;
    if (this.bounds === null) return;
    for (const key of this.reachKeys[reach] as readonly number[]) {
      const entry = key * this.nodes + inner;
      if ((this.bounds[entry] as number) < rank) this.bounds[entry] = rank;
    }
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
    removeRank(this.lists[n] as RankList, rank);
    this.setLightest(n);
  }

  private insert(rank: number, n: number): void {
    insertRank(this.lists[n] as RankList, rank);
    this.setLightest(n);
    const { bounds, nodes } = this;
    if (bounds === null) return;
    const end = this.rankKeyStart[rank + 1] as number;
    for (let k = this.rankKeyStart[rank] as number; k < end; k++) {
      const entry = (this.rankKeys[k] as number) * nodes + n;
      if (rank < (bounds[entry] as number)) bounds[entry] = rank;
    }
  }

  private setLightest(n: number): void {
    const list = this.lists[n] as RankList;
    const lowest = list[list.length - 1];
    this.lightest[n] = lowest === undefined ? Number.POSITIVE_INFINITY : (this.rankWeight[lowest] as Amount);
  }
}
