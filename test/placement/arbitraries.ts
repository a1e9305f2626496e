/** Small clusters for property tests, made of what has gone wrong somewhere: ties, zeros, decimals, odd names. */
import fc from 'fast-check';
import type { PlacementInput, PlacementNode, PlacementVolume } from '../../src/core/placement/input.js';

const MAX = Number.MAX_SAFE_INTEGER;

/** Weights of one cluster are of one kind, so that ties and near-ties happen. */
const weightKinds: fc.Arbitrary<number>[] = [
  fc.constantFrom(1, 1, 1, 2),
  fc.integer({ min: 0, max: 6 }),
  fc.constantFrom(0, 0, 1),
  fc.integer({ min: 1, max: 40 }),
  fc.constantFrom(0.1, 0.2, 0.3, 0.1 + 0.2, 0.7, 1.1, 1e-7),
  fc.constantFrom(MAX, MAX - 1, MAX - 2, 1, 2 ** 52, 2 ** 52 + 1),
  fc.integer({ min: 0, max: 5000 }).map((n) => n / 1000),
  fc.constantFrom(5e-324, 1e-300, 0.5, MAX),
];

const oddNames = [
  '__proto__',
  'constructor',
  'toString',
  'hasOwnProperty',
  'é',
  'e\u0301x',
  '\u{1f600}',
  '\uff5e',
  '0',
  '00',
  'a01',
];
const nodeName = (n: number): string => oddNames[n - 4] ?? `n${n}`;
const volumeName = (v: number): string => (v % 5 === 3 ? (oddNames[(v / 5) | 0] ?? `v${v}`) : `v${v}`);

const domainName = fc.constantFrom<string[]>('ca', 'CA', 'ny', 'tx', 'ga', '__proto__', 'É', 'e\u0301');
const domainList = fc.oneof(
  { weight: 8, arbitrary: fc.array(domainName, { minLength: 1, maxLength: 4 }) },
  { weight: 1, arbitrary: fc.constantFrom<string[]>(['ALL'], ['all', 'ca'], []) },
);
const groupName = fc.constantFrom('eng', 'ENG', 'ops', 'act', 'constructor', '\uff5e', '\u{1f600}');
const volumeGroup = fc.oneof(
  { weight: 8, arbitrary: groupName },
  { weight: 1, arbitrary: fc.constantFrom('Any', 'any', '', null) },
);

interface Kind {
  nodeWeight: fc.Arbitrary<number>;
  volumeWeight: fc.Arbitrary<number>;
  domains: fc.Arbitrary<string[]>;
  nodes: { minLength?: number; maxLength: number };
  volumes: { minLength?: number; maxLength: number };
}

/** True in `of - 1` of `of` cases. */
const mostly = (of: number): fc.Arbitrary<boolean> => fc.integer({ min: 0, max: of - 1 }).map((x) => x > 0);

function clusterOf(kind: Kind): fc.Arbitrary<PlacementInput> {
  const node = fc.record({
    weight: kind.nodeWeight,
    domains: kind.domains,
    groups: fc.array(groupName, { maxLength: 4 }),
    active: mostly(6),
  });
  const volume = fc.record({
    weight: kind.volumeWeight,
    group: volumeGroup,
    domains: kind.domains,
    preferred: fc.option(fc.integer({ min: 0, max: 11 }), { freq: 2, nil: null }),
    current: fc.option(fc.integer({ min: 0, max: 11 }), { freq: 5, nil: null }),
    canGroupMigrate: mostly(4),
  });
  return fc.tuple(fc.array(node, kind.nodes), fc.array(volume, kind.volumes), fc.nat(1000)).map(
    ([nodes, volumes, generation]): PlacementInput => ({
      generation,
      nodes: nodes.map((n, index): PlacementNode => ({ ...n, name: nodeName(index) })),
      volumes: volumes.map(
        ({ preferred, current, ...v }, index): PlacementVolume => ({
          ...v,
          name: volumeName(index),
          preferredNode: preferred === null ? null : nodeName(preferred),
          currentNode: current === null ? null : nodeName(current),
        }),
      ),
    }),
  );
}

const odd = fc
  .tuple(fc.constantFrom(...weightKinds), fc.constantFrom(...weightKinds))
  .chain(([nodeWeight, volumeWeight]) =>
    clusterOf({ nodeWeight, volumeWeight, domains: domainList, nodes: { maxLength: 9 }, volumes: { maxLength: 40 } }),
  );

/** Few domains and many volumes: balancing has much to do, over several cycles. */
const busy = clusterOf({
  nodeWeight: fc.integer({ min: 1, max: 4 }),
  volumeWeight: fc.integer({ min: 1, max: 60 }).map((x) => x / 2),
  domains: fc.subarray(['ca', 'ny', 'tx'], { minLength: 1 }),
  nodes: { minLength: 4, maxLength: 9 },
  volumes: { minLength: 20, maxLength: 40 },
});

/** A cluster of at most 9 nodes and 40 volumes. */
export const cluster: fc.Arbitrary<PlacementInput> = fc.oneof(
  { weight: 3, arbitrary: odd },
  { weight: 2, arbitrary: busy },
);

/** The same tables in another order. */
export function shuffled(input: PlacementInput, seed: number): PlacementInput {
  let state = seed + 1;
  const next = (): number => {
    state = (Math.imul(state, 48271) >>> 0) % 0x7fffffff || 1;
    return state;
  };
  const shuffle = <T>(items: readonly T[]): T[] =>
    items
      .map((item) => ({ item, at: next() }))
      .sort((a, b) => a.at - b.at)
      .map(({ item }) => item);
  return { ...input, nodes: shuffle(input.nodes), volumes: shuffle(input.volumes) };
}
