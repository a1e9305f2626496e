/** What must hold of every placement decision (spec/rebalance.md section 7). */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { planFailback, planFailover } from '../../src/core/placement/failover.js';
import type { PlacementInput, PlacementNode } from '../../src/core/placement/input.js';
import type { PlacementResult } from '../../src/core/placement/result.js';
import { staged } from '../../src/core/placement/staged.js';
import { cluster, shuffled } from './arbitraries.js';
import { eligible, scaled, shareDomain } from './reference.js';

interface Strategy {
  name: string;
  plan: (input: PlacementInput) => PlacementResult;
  /** The nodes as the strategy sees them. */
  seen: (input: PlacementInput) => readonly PlacementNode[];
}

const withState = (input: PlacementInput, index: number, active: boolean): PlacementNode[] =>
  input.nodes.map((node, n) => (n === index ? { ...node, active } : node));

const STRATEGIES: Strategy[] = [
  { name: 'staged', plan: staged, seen: (input) => input.nodes },
  {
    name: 'failover of the first node',
    plan: (input) => planFailover(input, { leaving: input.nodes.slice(0, 1).map(({ name }) => name) }),
    seen: (input) => withState(input, 0, false),
  },
  {
    name: 'failback to the first node',
    plan: (input) => planFailback({ ...input, nodes: withState(input, 0, true) }, input.nodes[0]?.name ?? ''),
    seen: (input) => withState(input, 0, true),
  },
];

const onTop = (input: PlacementInput, result: PlacementResult): PlacementInput => ({
  ...input,
  volumes: input.volumes.map((volume) => ({ ...volume, currentNode: result.assignment.get(volume.name) ?? null })),
});

function holds(check: (input: PlacementInput) => void): void {
  fc.assert(fc.property(cluster, check), { numRuns: 250 });
}

const absolute = (x: bigint): bigint => (x < 0n ? -x : x);

/** The double nearest to num / den, by way of its decimal form. */
function ratio(num: bigint, den: bigint): number {
  const digits = 10n ** 360n;
  const whole = num / den;
  const fraction = ((num % den) * digits) / den;
  return Number(`${whole}.${fraction.toString().padStart(360, '0')}`);
}

function equals(found: number, num: bigint, den: bigint): void {
  const expected = num < 0n ? -ratio(-num, den) : ratio(num, den);
  assert.equal(found, expected);
}

for (const { name, plan, seen } of STRATEGIES) {
  describe(`every placement by ${name}`, function () {
    this.timeout(60_000);

    it('puts every volume in the assignment, on an active node with a common domain or on none', () => {
      holds((input) => {
        const result = plan(input);
        const nodes = new Map(seen(input).map((node) => [node.name, node]));
        assert.equal(result.assignment.size, input.volumes.length);
        for (const volume of input.volumes) {
          const node = result.assignment.get(volume.name);
          assert.notEqual(node, undefined);
          if (node === null) continue;
          const record = nodes.get(node as string) as PlacementNode;
          assert.ok(record.active && shareDomain(record, volume));
        }
      });
    });

    it('never puts a volume that may not leave its group on a node without it', () => {
      holds((input) => {
        const result = plan(input);
        const nodes = new Map(seen(input).map((node) => [node.name, node]));
        for (const volume of input.volumes.filter((v) => !v.canGroupMigrate)) {
          const node = result.assignment.get(volume.name);
          if (node !== null) assert.ok(eligible(nodes.get(node as string) as PlacementNode, volume));
        }
      });
    });

    it('leaves a volume unassigned if and only if no node is eligible, with the right reason', () => {
      holds((input) => {
        const result = plan(input);
        const nodes = seen(input);
        const expected = input.volumes
          .filter((volume) => !nodes.some((node) => eligible(node, volume)))
          .map((volume) => {
            const shared = nodes.some((node) => node.active && shareDomain(node, volume));
            return `${volume.name} ${shared ? 'group-locked' : 'no-common-domain'}`;
          });
        assert.deepEqual(result.unassigned.map(({ volume, reason }) => `${volume} ${reason}`).sort(), expected.sort());
        for (const { volume } of result.unassigned) assert.equal(result.assignment.get(volume), null);
      });
    });

    it('changes nothing when run again on its own result', () => {
      holds((input) => {
        const again = plan(onTop(input, plan(input)));
        assert.deepEqual(again.changed, []);
        assert.equal(again.moves, 0);
      });
    });

    it('is the same whatever order the tables come in', () => {
      fc.assert(
        fc.property(cluster, fc.nat(), (input, seed) => {
          const other = shuffled(input, seed);
          // The strategies name the first node of the table: keep it there.
          const first = input.nodes[0];
          const nodes = first === undefined ? [] : [first, ...other.nodes.filter((node) => node.name !== first.name)];
          assert.equal(JSON.stringify(plan({ ...other, nodes }).nodes), JSON.stringify(plan(input).nodes));
        }),
        { numRuns: 250 },
      );
    });

    it('flags exactly the volumes whose node differs', () => {
      holds((input) => {
        const result = plan(input);
        const expected = input.volumes.filter((v) => v.currentNode !== result.assignment.get(v.name));
        assert.deepEqual([...result.changed].sort(), expected.map((v) => v.name).sort());
        assert.equal(result.moves, expected.filter((v) => result.assignment.get(v.name) !== null).length);
        const nodes = new Map(seen(input).map((node) => [node.name, node]));
        const forced = expected.filter((v) => {
          const to = result.assignment.get(v.name);
          const from = nodes.get(v.currentNode ?? '');
          return to !== null && (from === undefined || !eligible(from, v) || v.preferredNode === to);
        });
        assert.equal(result.forcedMoves, forced.length);
      });
    });

    it('reports the numbers that its assignment gives', () => {
      holds((input) => {
        const result = plan(input);
        const active = seen(input).filter((node) => node.active);
        const sumOf = (items: readonly { weight: number }[]): bigint =>
          items.reduce((sum, { weight }) => sum + scaled(weight), 0n);
        const V = sumOf(input.volumes.filter((v) => active.some((node) => shareDomain(node, v))));
        const W = sumOf(active);
        const divisor = W === 0n ? 1n : W;
        const one = scaled(1);
        equals(result.totals.activeVolumeWeight, V, one);
        equals(result.totals.activeNodeWeight, W, one);
        assert.equal(result.nodes.length, active.length);
        let imbalance = 0n;
        let relative = 0;
        for (const node of result.nodes) {
          const own = input.volumes.filter((v) => result.assignment.get(v.name) === node.name);
          assert.deepEqual([...node.volumes].sort(), own.map((v) => v.name).sort());
          const ideal = scaled(node.weight) * V;
          const rc = ideal - sumOf(own) * divisor;
          equals(node.load, sumOf(own), one);
          equals(node.idealCapacity, ideal, divisor * one);
          equals(node.remainingCapacity, rc, divisor * one);
          imbalance += absolute(rc);
          if (ideal > 0n) relative = Math.max(relative, ratio(absolute(rc), ideal));
        }
        equals(result.sumAbsRC, imbalance, divisor * one);
        assert.equal(result.maxRelativeRC, Math.min(relative, Number.MAX_VALUE));
        const moved = result.changed.filter((name) => result.assignment.get(name) !== null);
        equals(result.movedWeight, sumOf(input.volumes.filter((v) => moved.includes(v.name))), one);
      });
    });
  });
}

describe('staged', function () {
  this.timeout(60_000);

  it('gives every volume to its preferred node when that is active and eligible', () => {
    holds((input) => {
      const result = staged(input);
      for (const volume of input.volumes) {
        const preferred = input.nodes.find((node) => node.name === volume.preferredNode);
        if (preferred !== undefined && eligible(preferred, volume)) {
          assert.equal(result.assignment.get(volume.name), preferred.name);
        }
      }
    });
  });

  it('does not depend on where the volumes are', () => {
    holds((input) => {
      const nowhere = { ...input, volumes: input.volumes.map((volume) => ({ ...volume, currentNode: null })) };
      assert.equal(JSON.stringify(staged(input).nodes), JSON.stringify(staged(nowhere).nodes));
    });
  });
});
