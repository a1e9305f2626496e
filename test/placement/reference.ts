/**
 * The strategy `staged` as section 3 of spec/rebalance.md reads, word for word: lists are filtered, sorted and copied at
 * every step, all numbers are exact fractions. Slow on purpose; shares no code with src/core/placement.
 */
import { naturalCompare } from '../../src/core/model/names.js';
import type { PlacementInput, PlacementNode, PlacementVolume } from '../../src/core/placement/input.js';

export interface ReferenceResult {
  assignment: Map<string, string | null>;
  unassigned: Map<string, string>;
  warnings: string[];
  /** Node names in list order. */
  order: string[];
  cycles: number;
  /** Row order and remaining capacities after each stage, scaled by `scale`. */
  tables: { stage: string; rows: [string, bigint][]; assignment: Map<string, string> }[];
  /** Remaining capacities are in units of 1 / scale. */
  scale: bigint;
  sumAbs: bigint;
}

const fold = (name: string): string => name.normalize('NFC').toLowerCase();

function codePoints(a: string, b: string): number {
  const left = Array.from(a, (c) => c.codePointAt(0) as number);
  const right = Array.from(b, (c) => c.codePointAt(0) as number);
  for (let i = 0; i < Math.min(left.length, right.length); i++) {
    if (left[i] !== right[i]) return (left[i] as number) - (right[i] as number);
  }
  return left.length - right.length;
}

/** The decimal as an integer number of 10^-400. */
const PLACES = 400;
export function scaled(weight: number): bigint {
  const [mantissa = '', exponent = '0'] = String(weight).split('e');
  const [whole = '', fraction = ''] = mantissa.split('.');
  return BigInt(whole + fraction) * 10n ** BigInt(PLACES - fraction.length + Number(exponent));
}

const abs = (x: bigint): bigint => (x < 0n ? -x : x);

export function shareDomain(n: PlacementNode, v: PlacementVolume): boolean {
  const a = n.domains.map(fold);
  const b = v.domains.map(fold);
  return a.includes('all') || b.includes('all') || a.some((domain) => b.includes(domain));
}

export function eligible(n: PlacementNode, v: PlacementVolume): boolean {
  if (!n.active || !shareDomain(n, v)) return false;
  if (v.canGroupMigrate) return true;
  if (v.group === null || v.group === '') return false;
  return fold(v.group) === 'any' || n.groups.map(fold).includes(fold(v.group));
}

function sameGroup(volume: PlacementVolume, group: string): boolean {
  return volume.group !== null && volume.group !== '' && fold(volume.group) === group;
}

export function reference(input: PlacementInput): ReferenceResult {
  let list = input.nodes.filter((n) => n.active).sort((a, b) => naturalCompare(a.name, b.name));
  const volumes = input.volumes
    .filter((v) => list.some((n) => shareDomain(n, v)))
    .sort((a, b) => {
      if (a.group === null || b.group === null) {
        if (a.group !== b.group) return a.group === null ? -1 : 1;
      } else if (fold(a.group) !== fold(b.group)) return codePoints(fold(a.group), fold(b.group));
      return b.weight - a.weight || naturalCompare(a.name, b.name);
    });
  const V = volumes.reduce((sum, v) => sum + scaled(v.weight), 0n);
  const W = list.reduce((sum, n) => sum + scaled(n.weight), 0n);
  const divisor = W === 0n ? 1n : W;
  // RC * divisor * 10^400
  const rc = new Map(list.map((n) => [n.name, scaled(n.weight) * V]));
  const weightOf = (v: PlacementVolume): bigint => scaled(v.weight) * divisor;
  const rcOf = (n: PlacementNode): bigint => rc.get(n.name) as bigint;
  const owner = new Map<string, string>();
  const onPreferred = new Set<string>();
  const tables: ReferenceResult['tables'] = [];
  const sortNodes = (nodes: PlacementNode[]): PlacementNode[] =>
    [...nodes].sort((a, b) => (rcOf(a) > rcOf(b) ? -1 : rcOf(a) < rcOf(b) ? 1 : 0));
  const give = (v: PlacementVolume, n: PlacementNode): void => {
    owner.set(v.name, n.name);
    rc.set(n.name, rcOf(n) - weightOf(v));
  };
  const record = (stage: string): void => {
    tables.push({ stage, rows: list.map((n) => [n.name, rcOf(n)]), assignment: new Map(owner) });
  };
  const remaining = (): PlacementVolume[] => volumes.filter((v) => !owner.has(v.name));
  const levelGroup = (n: PlacementNode, level: number): string | null => {
    const group = n.groups[level];
    return group === undefined || group === '' ? null : fold(group);
  };

  // 1152
  const warnings: string[] = [];
  for (const v of volumes) {
    const preferred = list.find((n) => n.name === v.preferredNode);
    if (preferred === undefined) continue;
    if (eligible(preferred, v)) {
      give(v, preferred);
      onPreferred.add(v.name);
    } else warnings.push(v.name);
  }
  record('1152');

  // 1158
  list = sortNodes(list);
  const levels = Math.max(0, ...list.map((n) => n.groups.length));
  for (let level = 0; level < levels; level++) {
    for (const n of list) {
      const group = levelGroup(n, level);
      if (group === null) continue;
      while (rcOf(n) > 0n) {
        const open = remaining().filter((v) => shareDomain(n, v));
        const v = open.find((x) => sameGroup(x, group)) ?? open.find((x) => sameGroup(x, 'any'));
        if (v === undefined) break;
        give(v, n);
      }
    }
  }
  record('1158');

  // 1160
  list = sortNodes(list);
  for (let level = 0; level < levels; level++) {
    const groups = new Set(list.map((n) => levelGroup(n, level)).filter((g) => g !== null && g !== 'any') as string[]);
    for (const group of [...groups].sort(codePoints)) {
      let ring = sortNodes(list.filter((n) => levelGroup(n, level) === group));
      while (ring.length > 0) {
        const next: PlacementNode[] = [];
        for (const n of ring) {
          const v = remaining().find((x) => sameGroup(x, group) && shareDomain(n, x));
          if (v === undefined) continue;
          give(v, n);
          next.push(n);
        }
        ring = next;
      }
    }
  }
  record('1160');

  // 1162
  list = sortNodes(list);
  const setAside = new Set(remaining().filter((v) => !list.some((n) => eligible(n, v))));
  for (const n of list) {
    while (rcOf(n) > 0n) {
      const v = remaining().find((x) => !setAside.has(x) && eligible(n, x));
      if (v === undefined) break;
      give(v, n);
    }
  }
  record('1162');

  // 1164
  list = sortNodes(list);
  let pointer = 0;
  for (const v of remaining().filter((x) => !setAside.has(x))) {
    while (!eligible(list[pointer % list.length] as PlacementNode, v)) pointer++;
    give(v, list[pointer % list.length] as PlacementNode);
    pointer++;
  }
  record('1164');

  // 1166
  const sumAbs = (): bigint => list.reduce((sum, n) => sum + abs(rcOf(n)), 0n);
  let cycles = 0;
  while (list.length > 0) {
    cycles++;
    const before = { list: [...list], rc: new Map(rc), owner: new Map(owner), sum: sumAbs() };
    list = sortNodes(list);
    for (const o of list) {
      for (const i of list) {
        if (rcOf(i) === rcOf(o)) continue;
        const own = i.groups.map((g) => (g === '' ? null : fold(g)));
        const rank = (v: PlacementVolume): number => {
          const place = v.group === null || v.group === '' ? -1 : own.indexOf(fold(v.group));
          return place < 0 ? -1 : own.length - place;
        };
        const candidates = volumes
          .filter((v) => owner.get(v.name) === i.name && !onPreferred.has(v.name) && eligible(o, v))
          .map((v) => ({ v, at: volumes.indexOf(v) }))
          .sort((a, b) => {
            if (rank(a.v) !== rank(b.v)) return rank(a.v) - rank(b.v);
            const wa = scaled(a.v.weight);
            const wb = scaled(b.v.weight);
            return wa < wb ? -1 : wa > wb ? 1 : a.at - b.at;
          });
        for (const { v } of candidates) {
          const w = weightOf(v);
          // The pair of conditions as printed, not their short form.
          const sumBefore = abs(rcOf(i)) + abs(rcOf(o));
          const sumAfter = abs(rcOf(i) + w) + abs(rcOf(o) - w);
          const [smallBefore, largeBefore] = ordered(abs(rcOf(i)), abs(rcOf(o)));
          const [smallAfter, largeAfter] = ordered(abs(rcOf(i) + w), abs(rcOf(o) - w));
          const moreAlike = smallAfter * largeBefore > smallBefore * largeAfter;
          if (sumAfter < sumBefore || (sumAfter === sumBefore && moreAlike)) {
            owner.set(v.name, o.name);
            rc.set(i.name, rcOf(i) + w);
            rc.set(o.name, rcOf(o) - w);
          }
          if (rcOf(i) === rcOf(o)) break;
        }
      }
    }
    record(`1166.${cycles}`);
    if (sumAbs() < before.sum) continue;
    list = before.list;
    rc.clear();
    for (const [name, value] of before.rc) rc.set(name, value);
    owner.clear();
    for (const [name, value] of before.owner) owner.set(name, value);
    break;
  }

  const unassigned = new Map<string, string>();
  for (const v of input.volumes) {
    if (owner.has(v.name)) continue;
    unassigned.set(v.name, volumes.includes(v) ? 'group-locked' : 'no-common-domain');
  }
  return {
    assignment: new Map(input.volumes.map((v) => [v.name, owner.get(v.name) ?? null])),
    unassigned,
    warnings,
    order: list.map((n) => n.name),
    cycles,
    tables,
    scale: divisor * 10n ** BigInt(PLACES),
    sumAbs: sumAbs(),
  };
}

function ordered(a: bigint, b: bigint): [bigint, bigint] {
  return a < b ? [a, b] : [b, a];
}
