/** Generated clusters of several kinds, for measuring placement. */
import type { PlacementInput, PlacementNode, PlacementVolume } from '../src/core/placement/input.js';

/** A small repeatable generator of uniform numbers in [0, 1). */
function mulberry(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

export interface Shape {
  domains: number;
  nodeDomains: [least: number, most: number];
  volumeDomains: [least: number, most: number];
  groups: number;
  nodeGroups: [least: number, most: number];
  /** Share of volumes that may not leave their group, that prefer a node, and that are of group `Any`. */
  locked: number;
  preferring: number;
  any: number;
  nodeWeight: (random: () => number) => number;
  volumeWeight: (random: () => number) => number;
  /** Share of nodes and volumes with domain `ALL`. */
  all?: number;
}

const whole = (most: number) => (random: () => number) => 1 + Math.floor(random() * most);

const PLAIN: Shape = {
  domains: 20,
  nodeDomains: [1, 4],
  volumeDomains: [1, 1],
  groups: 30,
  nodeGroups: [1, 4],
  locked: 0.05,
  preferring: 0.3,
  any: 0.02,
  nodeWeight: whole(8),
  volumeWeight: whole(20),
};

export const SHAPES: { [name: string]: Shape } = {
  uniform: PLAIN,
  'one domain': { ...PLAIN, domains: 1, nodeDomains: [1, 1] },
  'many domains': { ...PLAIN, domains: 400, nodeDomains: [2, 12], volumeDomains: [1, 5] },
  'tight groups': { ...PLAIN, groups: 120, nodeGroups: [1, 3], locked: 0.9, preferring: 0.1 },
  'skewed weights': {
    ...PLAIN,
    preferring: 0.05,
    nodeWeight: (random) => Math.ceil(1 / (random() + 0.01)),
    volumeWeight: (random) => Math.ceil(1 / (random() + 0.0001)),
  },
  decimals: {
    ...PLAIN,
    nodeWeight: (random) => Math.round(random() * 8000) / 1000,
    volumeWeight: (random) => Math.round(random() * 20000) / 1000,
  },
  'no preference': { ...PLAIN, preferring: 0, locked: 0 },
  'ALL and Any': { ...PLAIN, all: 0.2, any: 0.3 },
  'byte weights': { ...PLAIN, volumeWeight: (random) => Math.floor(random() * 2 ** 44) },
};

function pick(random: () => number, [least, most]: [number, number]): number {
  return least + Math.floor(random() * (most - least + 1));
}

function names(random: () => number, prefix: string, of: number, range: [number, number]): string[] {
  const found = new Set<string>();
  for (let count = pick(random, range); found.size < count; ) found.add(`${prefix}${Math.floor(random() * of)}`);
  return [...found];
}

/** A cluster of the given shape and size; the same for the same seed. */
export function generate(shape: Shape, nodeCount: number, volumeCount: number, seed: number): PlacementInput {
  const random = mulberry(seed);
  const domainList = (range: [number, number]): string[] =>
    random() < (shape.all ?? 0) ? ['ALL'] : names(random, 'd', shape.domains, range);
  const nodes: PlacementNode[] = Array.from({ length: nodeCount }, (_, n) => ({
    name: `node${n + 1}`,
    weight: shape.nodeWeight(random),
    domains: domainList(shape.nodeDomains),
    groups: names(random, 'g', shape.groups, shape.nodeGroups),
    active: random() < 0.98,
  }));
  const volumes: PlacementVolume[] = Array.from({ length: volumeCount }, (_, v) => ({
    name: `volume${v + 1}`,
    weight: shape.volumeWeight(random),
    group: random() < shape.any ? 'Any' : `g${Math.floor(random() * shape.groups)}`,
    domains: domainList(shape.volumeDomains),
    preferredNode: random() < shape.preferring ? `node${1 + Math.floor(random() * nodeCount)}` : null,
    currentNode: null,
    canGroupMigrate: random() >= shape.locked,
  }));
  return { generation: 1, nodes, volumes };
}
