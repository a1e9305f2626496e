/** Sample clusters of any size, the same for the same seed: for trying cfs out, for tests and for measurements. */

export interface SampleRequest {
  nodes: number;
  volumes: number;
  /** Any integer; the same seed gives the same cluster. */
  seed: number;
}

/** A cluster document (see config/file.ts) as plain data. */
export interface SampleDocument {
  cluster: { name: string };
  groups: string[];
  domains: string[];
  nodes: { name: string; weight: number; domains: string[]; groups: string[]; state: 'online' }[];
  volumes: {
    name: string;
    weight: number;
    group: string;
    domains: string[];
    preferredNode: string | null;
    canGroupMigrate: boolean;
  }[];
}

const GROUPS = ['engineering', 'accounting', 'sales', 'operations', 'marketing', 'research', 'archive', 'web'];
const DOMAINS = ['east', 'west', 'north', 'south', 'core', 'edge'];

/** mulberry32: a small generator with a state of 32 bits, good enough for samples. Gives numbers in [0, 1). */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/**
 * A cluster in which every node reaches two or three of six domains and takes one to three of eight groups, a third of
 * the volumes prefer a node, and 2 % may not leave their group.
 */
export function sampleDocument(request: SampleRequest): SampleDocument {
  const random = seededRandom(request.seed);
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)]!;
  const some = <T>(list: readonly T[], n: number): T[] => {
    const chosen = new Set<T>();
    while (chosen.size < Math.min(n, list.length)) chosen.add(pick(list));
    return [...chosen];
  };
  const width = (n: number): number => String(Math.max(n, 1)).length;
  const label = (prefix: string, i: number, n: number): string => `${prefix}${String(i + 1).padStart(width(n), '0')}`;

  const nodes: SampleDocument['nodes'] = [];
  for (let i = 0; i < request.nodes; i++) {
    nodes.push({
      name: label('node', i, request.nodes),
      weight: 1 + Math.floor(random() * 4),
      // Domains go round so that each is reached by some node even in a small sample.
      domains: [...new Set([DOMAINS[i % DOMAINS.length]!, ...some(DOMAINS, 1 + Math.floor(random() * 2))])],
      groups: [...new Set([GROUPS[i % GROUPS.length]!, ...some(GROUPS, Math.floor(random() * 3))])],
      state: 'online',
    });
  }
  const volumes: SampleDocument['volumes'] = [];
  for (let i = 0; i < request.volumes; i++) {
    const domains = some(DOMAINS, random() < 0.2 ? 2 : 1);
    const group = pick(GROUPS);
    const wished = random() < 0.33 && nodes.length > 0 ? pick(nodes) : null;
    volumes.push({
      name: label('vol', i, request.volumes),
      weight: 1 + Math.floor(random() ** 3 * 20),
      group,
      domains,
      preferredNode: wished?.domains.some((d) => domains.includes(d)) ? wished.name : null,
      canGroupMigrate: random() >= 0.02,
    });
  }
  return { cluster: { name: 'sample' }, groups: [...GROUPS], domains: [...DOMAINS], nodes, volumes };
}
