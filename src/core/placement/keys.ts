/**
 * Keys: who may take a volume, as numbers.
 *
 * A key is a place (a domain; or WIDE, for volumes of domain `ALL`; or EVERYWHERE, for nodes with `ALL`) together with the
 * group that locks the volume, or none. A node may take a volume if and only if the two have a key in common.
 */
import { NO_GROUP, type Problem } from './problem.js';

const WIDE = -1;
const EVERYWHERE = -2;

export class Keys {
  private readonly numbers = new Map<number, number>();
  private readonly groups: number;
  private readonly someWide: boolean;

  constructor(private readonly problem: Problem) {
    this.groups = problem.groupNames.length;
    this.someWide = problem.nodeIsWide.includes(true);
  }

  /** How many keys volumes have. */
  get count(): number {
    return this.numbers.size;
  }

  private code(place: number, lock: number): number {
    return (place - EVERYWHERE) * (this.groups + 1) + lock - NO_GROUP;
  }

  /** Appends the keys of a volume to a list. */
  addOfVolume(v: number, list: number[]): void {
    const { problem } = this;
    const lock = problem.isLocked[v] ? (problem.group[v] as number) : NO_GROUP;
    if (this.someWide) list.push(this.number(this.code(EVERYWHERE, lock)));
    if (problem.isWide[v]) list.push(this.number(this.code(WIDE, lock)));
    else for (const domain of problem.domains[v] as readonly number[]) list.push(this.number(this.code(domain, lock)));
  }

  private number(code: number): number {
    let number = this.numbers.get(code);
    if (number === undefined) {
      number = this.numbers.size;
      this.numbers.set(code, number);
    }
    return number;
  }

  /** The keys of a node, ascending: only those that some volume asked about before has. */
  ofNode(n: number): number[] {
    const { problem } = this;
    const places = problem.nodeIsWide[n] ? [EVERYWHERE] : [WIDE, ...(problem.nodeDomains[n] as ReadonlySet<number>)];
    const locks = [NO_GROUP, ...(problem.nodeGroupLevel[n] as ReadonlyMap<number, number>).keys()];
    const found = new Set<number>();
    for (const place of places) {
      for (const lock of locks) {
        const key = this.numbers.get(this.code(place, lock));
        if (key !== undefined) found.add(key);
      }
    }
    return [...found].sort((a, b) => a - b);
  }
}
