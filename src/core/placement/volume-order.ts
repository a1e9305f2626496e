/** The orders of section 3 of spec/rebalance.md: of names, of groups, and of the volumes. */
import { foldCase } from '../model/names.js';
import { ANY } from './eligibility.js';
import type { PlacementNode, PlacementVolume } from './input.js';
import { codePointKey, compareStrings, naturalKey } from './name-order.js';

/** Numbers of groups by name as written: their place in code point order of the folded names. */
export function numberGroups(
  nodes: readonly PlacementNode[],
  volumes: readonly PlacementVolume[],
): Map<string, number> {
  const folded = new Map<string, string>([[ANY, ANY]]);
  const fold = (name: string): void => {
    if (!folded.has(name)) folded.set(name, foldCase(name));
  };
  for (const node of nodes) for (const group of node.groups) fold(group);
  for (const volume of volumes) if (volume.group !== null) fold(volume.group);
  const keys = new Map([...new Set(folded.values())].map((name) => [name, codePointKey(name)]));
  const ordered = [...keys].sort((a, b) => compareStrings(a[1], b[1]));
  const rank = new Map(ordered.map(([name], index) => [name, index]));
  return new Map([...folded].map(([name, form]) => [name, rank.get(form) as number]));
}

/** Indices of the items in natural order of names; names that differ only in Unicode form go by their units. */
export function orderByName(items: readonly { readonly name: string }[]): Int32Array {
  const keys = items.map((item) => naturalKey(item.name));
  const order = Int32Array.from(items, (_, index) => index);
  return order.sort((a, b) => {
    const left = keys[a] as string;
    const right = keys[b] as string;
    if (left !== right) return left < right ? -1 : 1;
    return compareStrings(items[a]?.name as string, items[b]?.name as string);
  });
}

/** The volumes, split and sorted; each list holds places in the input. */
export interface VolumeOrder {
  /** In volume order: group, weight descending, name. */
  readonly active: Int32Array;
  /** In natural order. */
  readonly unreachable: number[];
  /** All in natural order: the place in `active`, or -1 - the place in `unreachable`. */
  readonly listing: Int32Array;
}

/** Sorts the volumes by name once; volume order then needs no more than a stable sort by group and weight. */
export function orderVolumes(
  volumes: readonly PlacementVolume[],
  isReached: (place: number) => boolean,
  groups: ReadonlyMap<string, number>,
): VolumeOrder {
  const reached: number[] = [];
  const unreachable: number[] = [];
  const listing = orderByName(volumes);
  for (let at = 0; at < listing.length; at++) {
    const place = listing[at] as number;
    listing[at] = isReached(place) ? reached.push(place) - 1 : -unreachable.push(place);
  }
  const count = reached.length;
  const rank = new Float64Array(count);
  const weight = new Float64Array(count);
  const order = new Int32Array(count);
  for (let r = 0; r < count; r++) {
    const volume = volumes[reached[r] as number] as PlacementVolume;
    rank[r] = volume.group === null ? -1 : (groups.get(volume.group) as number);
    weight[r] = volume.weight;
    order[r] = r;
  }
  order.sort((a, b) => {
    return (rank[a] as number) - (rank[b] as number) || (weight[b] as number) - (weight[a] as number) || a - b;
  });
  const index = new Int32Array(count);
  order.forEach((r, v) => {
    index[r] = v;
  });
  for (let at = 0; at < listing.length; at++) {
    const r = listing[at] as number;
    if (r >= 0) listing[at] = index[r] as number;
  }
  return { active: order.map((r) => reached[r] as number), unreachable, listing };
}
