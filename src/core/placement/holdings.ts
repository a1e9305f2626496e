/**
 * What each node holds that balancing may move, sorted by weight and found by who may take it.
 *
 * A movable volume is known by its *rank*: its place in the order of weight, then volume order. Each node keeps lists of
 * ranks, ascending, one per *key*. A key is a domain (or `wide`: volumes of domain `ALL`, or `every`: everything, for nodes
 * with `ALL`) together with the group that locks the volume, or none. So the volumes on a node that another may take are
 * those in the lists of the other's keys; a volume with several domains is in several lists and is marked when seen.
 */
import type { Amount, Amounts } from './capacity.js';
import { NO_GROUP, type Problem } from './problem.js';
import { type Run, UNASSIGNED, wayCode } from './trace.js';

const PREFERRED = wayCode('1152');

/** Numbers for (domain or wide or every, locking group or none). */
class Keys {
  private readonly numbers = new Map<string, number>();

  /** For a volume: new keys get a number. */
  number(place: number | string, lock: number): number {
    const key = `${place}/${lock}`;
    let number = this.numbers.get(key);
    if (number === undefined) {
      number = this.numbers.size;
      this.numbers.set(key, number);
    }
    return number;
  }

  /** For a node: only keys that some volume has. */
  find(place: number | string, lock: number): number | undefined {
    return this.numbers.get(`${place}/${lock}`);
  }
}

function volumeKeys(problem: Problem, keys: Keys, v: number, someWide: boolean): readonly number[] {
  const lock = problem.isLocked[v] ? (problem.group[v] as number) : NO_GROUP;
  const found: number[] = someWide ? [keys.number('every', lock)] : [];
  if (problem.isWide[v]) found.push(keys.number('wide', lock));
  else for (const domain of problem.domains[v] as readonly number[]) found.push(keys.number(domain, lock));
  return found;
}

function nodeKeys(problem: Problem, keys: Keys, n: number): number[] {
  const places = problem.nodeIsWide[n] ? ['every'] : ['wide', ...(problem.nodeDomains[n] as ReadonlySet<number>)];
  const locks = [NO_GROUP, ...(problem.nodeGroupLevel[n] as ReadonlyMap<number, number>).keys()];
  const found = new Set<number>();
  for (const place of places) {
    for (const lock of locks) {
      const key = keys.find(place, lock);
      if (key !== undefined) found.add(key);
    }
  }
  return [...found].sort((a, b) => a - b);
}

/** Index of the first element of the ascending list that is not below `rank`. */
function lowerBound(list: readonly number[], rank: number): number {
  let low = 0;
  let high = list.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((list[middle] as number) < rank) low = middle + 1;
    else high = middle;
  }
  return low;
}

export class Holdings {
  readonly rankVolume: Int32Array;
  readonly rankWeight: Amounts;
  /** Per node: weight of the lightest movable volume on it; Infinity when there is none. */
  readonly lightest: Amounts;
  /** Per node: how many volumes it has received. */
  readonly received: Int32Array;
  /** Per node: the number of its reach. */
  readonly reach: Int32Array;
  /** How many reaches there are. */
  readonly reaches: number;
  /** After `candidates` gave 0: the lightest volume that the outer node may take from the inner; Infinity: none. */
  lightestSeen: Amount = Number.POSITIVE_INFINITY;
  /** After `candidates` gave more: the lowest rank among them. */
  lowestRank = 0;

  private readonly rankKeys: (readonly number[])[] = [];
  private readonly reachKeys: (readonly number[])[] = [];
  /** Per node: all its movable volumes, and the lists by key. */
  private readonly all: number[][];
  private readonly byKey: Map<number, number[]>[];
  private readonly seen: Int32Array;
  private search = 0;
  /** Candidates as class * ranks + rank, so that sorting numbers sorts them. */
  private found: number[] = [];
  private readonly ranks: number;
  private readonly problem: Problem;

  constructor(run: Run) {
    const { problem, capacity } = run;
    this.problem = problem;
    const nodes = problem.nodes.length;
    const movable: number[] = [];
    for (let v = 0; v < run.way.length; v++) {
      const way = run.way[v] as number;
      if (way !== UNASSIGNED && way !== PREFERRED && (capacity.weight[v] as Amount) > 0) movable.push(v);
    }
    movable.sort((a, b) => {
      const left = capacity.weight[a] as Amount;
      const right = capacity.weight[b] as Amount;
      return left < right ? -1 : left > right ? 1 : a - b;
    });
    this.ranks = movable.length;
    this.rankVolume = Int32Array.from(movable);
    this.rankWeight = capacity.amounts(movable.length);
    this.seen = new Int32Array(movable.length);
    this.lightest = capacity.amounts(nodes).fill(Number.POSITIVE_INFINITY);
    this.received = new Int32Array(nodes);
    this.all = Array.from({ length: nodes }, () => []);
    this.byKey = Array.from({ length: nodes }, () => new Map());
    const keys = new Keys();
    const someWide = problem.nodeIsWide.includes(true);
    const known = new Map<unknown, Map<number, readonly number[]>>();
    movable.forEach((v, rank) => {
      this.rankWeight[rank] = capacity.weight[v] as Amount;
      const own = keysOf(known, problem, v, () => volumeKeys(problem, keys, v, someWide));
      this.rankKeys.push(own);
      this.append(run.node[v] as number, rank, own);
    });
    this.reach = new Int32Array(nodes);
    const reachNumbers = new Map<string, number>();
    for (let n = 0; n < nodes; n++) {
      const own = nodeKeys(problem, keys, n);
      const text = own.join();
      let number = reachNumbers.get(text);
      if (number === undefined) {
        number = this.reachKeys.push(own) - 1;
        reachNumbers.set(text, number);
      }
      this.reach[n] = number;
    }
    this.reaches = this.reachKeys.length;
  }

  private append(n: number, rank: number, keys: readonly number[]): void {
    const all = this.all[n] as number[];
    if (all.length === 0) this.lightest[n] = this.rankWeight[rank] as Amount;
    all.push(rank);
    const lists = this.byKey[n] as Map<number, number[]>;
    for (const key of keys) {
      const list = lists.get(key);
      if (list === undefined) lists.set(key, [rank]);
      else list.push(rank);
    }
  }

  /**
   * Finds the volumes on `inner` lighter than `gap` that `outer` may have; returns how many. They are in the order of
   * section 3: group not in inner's list first, then its groups from least to most preferred; within that by rank.
   */
  candidates(outer: number, inner: number, gap: Amount): number {
    const { rankWeight, seen } = this;
    const lists = this.byKey[inner] as Map<number, number[]>;
    const found = this.found;
    const search = ++this.search;
    let count = 0;
    let lowest = this.ranks;
    for (const key of this.reachKeys[this.reach[outer] as number] as readonly number[]) {
      const list = lists.get(key);
      if (list === undefined || list.length === 0) continue;
      if ((list[0] as number) < lowest) lowest = list[0] as number;
      for (let r = 0; r < list.length; r++) {
        const rank = list[r] as number;
        if (!((rankWeight[rank] as Amount) < gap)) break;
        if (seen[rank] === search) continue;
        seen[rank] = search;
        found[count++] = rank;
      }
    }
    if (count === 0) {
      this.lightestSeen = lowest < this.ranks ? (rankWeight[lowest] as Amount) : Number.POSITIVE_INFINITY;
      return 0;
    }
    this.lowestRank = lowest;
    this.sortFound(inner, count);
    return count;
  }

  /** The rank of a candidate found by the last search. */
  candidate(index: number): number {
    return (this.found[index] as number) % this.ranks;
  }

  private sortFound(inner: number, count: number): void {
    const found = this.found;
    const levels = this.problem.nodeGroupLevel[inner] as ReadonlyMap<number, number>;
    const worst = (this.problem.nodeGroups[inner] as readonly number[]).length;
    for (let c = 0; c < count; c++) {
      const rank = found[c] as number;
      const level = levels.get(this.problem.group[this.rankVolume[rank] as number] as number);
      if (level !== undefined) found[c] = rank + (worst - level) * this.ranks;
    }
    if (count > 24) {
      const sorted = Float64Array.from(found.slice(0, count)).sort();
      for (let c = 0; c < count; c++) found[c] = sorted[c] as number;
      return;
    }
    for (let c = 1; c < count; c++) {
      const value = found[c] as number;
      let place = c - 1;
      for (; place >= 0 && (found[place] as number) > value; place--) found[place + 1] = found[place] as number;
      found[place + 1] = value;
    }
  }

  /** Moves a volume from one node's lists to another's. */
  move(rank: number, from: number, to: number): void {
    const keys = this.rankKeys[rank] as readonly number[];
    const source = this.all[from] as number[];
    source.splice(lowerBound(source, rank), 1);
    this.setLightest(from);
    const target = this.all[to] as number[];
    target.splice(lowerBound(target, rank), 0, rank);
    this.setLightest(to);
    this.received[to] = (this.received[to] as number) + 1;
    const sources = this.byKey[from] as Map<number, number[]>;
    const targets = this.byKey[to] as Map<number, number[]>;
    for (const key of keys) {
      const out = sources.get(key) as number[];
      out.splice(lowerBound(out, rank), 1);
      const into = targets.get(key);
      if (into === undefined) targets.set(key, [rank]);
      else into.splice(lowerBound(into, rank), 0, rank);
    }
  }

  private setLightest(n: number): void {
    const first = (this.all[n] as number[])[0];
    this.lightest[n] = first === undefined ? Number.POSITIVE_INFINITY : (this.rankWeight[first] as Amount);
  }
}

/** Keys by domain list and lock; equal domain lists are the same object (problem.ts). */
function keysOf(
  known: Map<unknown, Map<number, readonly number[]>>,
  problem: Problem,
  v: number,
  make: () => readonly number[],
): readonly number[] {
  const place = problem.domains[v];
  let byLock = known.get(place);
  if (byLock === undefined) {
    byLock = new Map();
    known.set(place, byLock);
  }
  const lock = problem.isLocked[v] ? (problem.group[v] as number) : NO_GROUP;
  let keys = byLock.get(lock);
  if (keys === undefined) {
    keys = make();
    byLock.set(lock, keys);
  }
  return keys;
}
