/**
 * The input in the form the stages work on: active nodes and volumes as indices, names as numbers.
 *
 * Nodes are numbered in natural order, volumes in the order of section 3 (group, weight descending, name), so that
 * "first" is the lowest number. Whatever order the tables come in, the problem is the same.
 */
import { foldCase } from '../model/names.js';
import { Capacity } from './capacity.js';
import { ALL, ANY } from './eligibility.js';
import type { PlacementInput, PlacementNode, PlacementVolume } from './input.js';
import { numberGroups, orderByName, orderVolumes } from './volume-order.js';

/** No group, or one that matches nothing. */
export const NO_GROUP = -1;

export interface Problem {
  readonly input: PlacementInput;
  /** Active nodes. */
  readonly nodes: readonly PlacementNode[];
  readonly nodeIndex: ReadonlyMap<string, number>;
  /** Domain numbers of each node; a node that is `nodeIsWide` holds `ALL`. */
  readonly nodeDomains: readonly ReadonlySet<number>[];
  readonly nodeIsWide: readonly boolean[];
  /** Group number at each level (NO_GROUP: an empty name) and the best level of each group, from 0. */
  readonly nodeGroups: readonly (readonly number[])[];
  readonly nodeGroupLevel: readonly ReadonlyMap<number, number>[];
  /** Active volumes. */
  readonly volumes: readonly PlacementVolume[];
  /** Volumes that share a domain with no active node, in natural order. */
  readonly unreachable: readonly PlacementVolume[];
  /** All volumes in natural order: the index of an active one, -1 - index of an unreachable one. */
  readonly listing: Int32Array;
  /** Domain numbers, only of domains that an active node has; equal lists are the same object. */
  readonly domains: readonly (readonly number[])[];
  /** One more than the highest domain number. */
  readonly domainCount: number;
  readonly isWide: Uint8Array;
  readonly group: Int32Array;
  /** May only be on nodes that carry its group. */
  readonly isLocked: Uint8Array;
  /** Index of the preferred node; -1 when there is none or it is not active. */
  readonly preferred: Int32Array;
  /** Number of the group `Any`; groups are numbered by code point order, from 0. */
  readonly anyGroup: number;
  /** Names of the groups, folded, by number. */
  readonly groupNames: readonly string[];
  readonly capacity: Capacity;
}

/** Folds names once each and numbers them. */
class Numbering {
  private readonly byName = new Map<string, number>();
  private readonly byFolded = new Map<string, number>();

  add(name: string): number {
    const folded = foldCase(name);
    const number = this.byFolded.get(folded) ?? this.byFolded.size;
    this.byFolded.set(folded, number);
    this.byName.set(name, number);
    return number;
  }

  get size(): number {
    return this.byFolded.size;
  }

  /** The number of the name; -1 when its folded form was never added. */
  find(name: string): number {
    let number = this.byName.get(name);
    if (number === undefined) {
      number = this.byFolded.get(foldCase(name)) ?? -1;
      this.byName.set(name, number);
    }
    return number;
  }
}

interface Reach {
  readonly domains: readonly number[];
  readonly wide: boolean;
}

/** Reads domain lists into numbers; equal lists give the same object. */
function domainReader(numbering: Numbering): (names: readonly string[]) => Reach {
  const known = new Map<string, Reach>();
  const wideNumber = numbering.add(ALL);
  const nowhere: Reach = { domains: [], wide: false };
  return (names) => {
    if (names.length === 0) return nowhere;
    const key = names.length === 1 ? (names[0] as string) : names.join('\0');
    let reach = known.get(key);
    if (reach === undefined) {
      const domains: number[] = [];
      let wide = false;
      for (const name of names) {
        const number = numbering.find(name);
        if (number === wideNumber) wide = true;
        else if (number >= 0 && !domains.includes(number)) domains.push(number);
      }
      reach = { domains: wide ? [] : domains.sort((a, b) => a - b), wide };
      known.set(key, reach);
    }
    return reach;
  };
}

/** Whether the domains of node `n` and volume `v` meet. */
export function reaches(problem: Problem, n: number, v: number): boolean {
  if (problem.nodeIsWide[n] || problem.isWide[v]) return true;
  const own = problem.nodeDomains[n] as ReadonlySet<number>;
  for (const domain of problem.domains[v] as readonly number[]) if (own.has(domain)) return true;
  return false;
}

/** Whether node `n` may have volume `v`. */
export function fits(problem: Problem, n: number, v: number): boolean {
  if (!reaches(problem, n, v)) return false;
  return (
    problem.isLocked[v] === 0 ||
    (problem.nodeGroupLevel[n] as ReadonlyMap<number, number>).has(problem.group[v] as number)
  );
}

/**
 * Numbers nodes, volumes, groups and domains and works out the capacities.
 * @throws CfsError BAD_VALUE for a weight that is no weight
 */
export function compile(input: PlacementInput): Problem {
  const activeNodes = input.nodes.filter((node) => node.active);
  const nodes = Array.from(orderByName(activeNodes), (index) => activeNodes[index] as PlacementNode);
  const nodeIndex = new Map(nodes.map((node, index) => [node.name, index]));
  const numbering = new Numbering();
  for (const node of nodes) for (const domain of node.domains) numbering.add(domain);
  const readDomains = domainReader(numbering);
  const nodeReach = nodes.map((node) => readDomains(node.domains));
  const someWide = nodeReach.some((reach) => reach.wide);

  const reachOf = input.volumes.map((volume) => readDomains(volume.domains));
  const isReached = (place: number): boolean => {
    const reach = reachOf[place] as Reach;
    return nodes.length > 0 && (someWide || reach.wide || reach.domains.length > 0);
  };
  const groups = numberGroups(nodes, input.volumes);
  const { active, unreachable, listing } = orderVolumes(input.volumes, isReached, groups);
  const volumes = Array.from(active, (place) => input.volumes[place] as PlacementVolume);
  const groupNumber = (name: string | null): number =>
    name === null || name === '' ? NO_GROUP : (groups.get(name) as number);
  const anyGroup = groups.get(ANY) as number;
  const groupNames: string[] = [];
  for (const [name, number] of groups) groupNames[number] ??= foldCase(name);

  const count = volumes.length;
  const isWide = new Uint8Array(count);
  const isLocked = new Uint8Array(count);
  const group = new Int32Array(count);
  const preferred = new Int32Array(count);
  const domains: (readonly number[])[] = [];
  for (let v = 0; v < count; v++) {
    const volume = volumes[v] as PlacementVolume;
    const reach = reachOf[active[v] as number] as Reach;
    domains.push(reach.domains);
    isWide[v] = reach.wide ? 1 : 0;
    group[v] = groupNumber(volume.group);
    isLocked[v] = !volume.canGroupMigrate && group[v] !== anyGroup ? 1 : 0;
    preferred[v] = volume.preferredNode === null ? -1 : (nodeIndex.get(volume.preferredNode) ?? -1);
  }
  const nodeGroups = nodes.map((node) => node.groups.map(groupNumber));
  return {
    input,
    nodes,
    nodeIndex,
    nodeDomains: nodeReach.map((reach) => new Set(reach.domains)),
    nodeIsWide: nodeReach.map((reach) => reach.wide),
    nodeGroups,
    nodeGroupLevel: nodeGroups.map(bestLevels),
    volumes,
    unreachable: unreachable.map((place) => input.volumes[place] as PlacementVolume),
    listing,
    domains,
    domainCount: numbering.size,
    isWide,
    group,
    isLocked,
    preferred,
    anyGroup,
    groupNames,
    capacity: new Capacity(
      nodes.map((node) => node.weight),
      volumes.map((volume) => volume.weight),
    ),
  };
}

function bestLevels(groups: readonly number[]): Map<number, number> {
  const levels = new Map<number, number>();
  groups.forEach((group, level) => {
    if (group !== NO_GROUP && !levels.has(group)) levels.set(group, level);
  });
  return levels;
}
