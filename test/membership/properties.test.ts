/** What holds whatever agents and administrators do, in whatever order. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { nodeAdd } from '../../src/core/config/nodes.js';
import { clusterSet } from '../../src/core/config/settings.js';
import { CfsError } from '../../src/core/errors.js';
import { attentionOf } from '../../src/core/membership/attention.js';
import { type AttentionMemory, NO_MEMORY } from '../../src/core/membership/attention-memory.js';
import { nodesFailed } from '../../src/core/membership/failed.js';
import { fenceClaim, fenceConfirm, fenceResult } from '../../src/core/membership/fencing.js';
import { nodesJoin } from '../../src/core/membership/join.js';
import { nodeLeave } from '../../src/core/membership/leave.js';
import { nodeRecovered, nodesReturn } from '../../src/core/membership/return.js';
import { nodeOnline } from '../../src/core/membership/states.js';
import type { Operation } from '../../src/core/operation.js';
import { drainTo, failback, failover, rebalance } from '../../src/core/placement/operations.js';
import type { MemoryCluster } from '../kit/memory.js';
import { clusterOfNodes, Leases, membershipOf, volumesOn, whereabouts } from './clusters.js';

interface Step {
  operation: Operation<unknown, unknown>;
  request: unknown;
  /** Of an agent: it is never refused, and again it changes nothing. */
  isAgents: boolean;
}

const node = fc.constantFrom('n1', 'n2', 'n3', 'n4', 'n5');
const lease = fc.integer({ min: 0, max: 6 });
const nodes = fc.uniqueArray(node, { minLength: 1, maxLength: 4 });

function step<R>(operation: Operation<R, unknown>, request: fc.Arbitrary<R>, isAgents = true): fc.Arbitrary<Step> {
  return request.map((value) => ({ operation: operation as Operation<unknown, unknown>, request: value, isAgents }));
}

const quiet = fc.record({ node, lease: fc.option(lease), why: fc.constant('quiet'), left: fc.boolean() });
const anyStep: fc.Arbitrary<Step> = fc.oneof(
  step(nodesJoin, fc.record({ nodes })),
  step(
    nodesFailed,
    fc.record({
      nodes: fc.array(
        quiet.map((item) => (item.lease === null ? { ...item, left: false, unreleased: 3 } : item)),
        { minLength: 1, maxLength: 3 },
      ),
    }),
  ),
  step(nodeRecovered, fc.record({ node, lease })),
  step(nodesReturn, fc.record({ nodes })),
  step(nodeLeave, fc.record({ node, drain: fc.boolean() })),
  step(
    fenceClaim,
    fc.record(
      {
        node,
        lease,
        by: node,
        why: fc.constant('quiet'),
        stale: fc.record({ by: node, attempts: fc.integer({ min: 1, max: 2 }) }),
      },
      { requiredKeys: ['node', 'lease', 'by', 'why'] },
    ),
  ),
  step(fenceResult, fc.record({ node, by: node, ok: fc.boolean(), message: fc.constantFrom(null, 'said\nthis') })),
  step(fenceConfirm, fc.record({ node, message: fc.constant(null), lease: fc.option(lease) })),
  step(failover, fc.record({ node }), false),
  step(failback, fc.record({ node }), false),
  step(nodeOnline, fc.record({ name: node }), false),
  step(drainTo('standby'), fc.record({ node }), false),
  step(drainTo('offline'), fc.record({ node }), false),
  step(rebalance, fc.constant({}), false),
  step(
    clusterSet,
    fc.constantFrom(
      { settings: { 'fencing.policy': 'required' } },
      { settings: { 'fencing.policy': 'optional', 'failback.mode': 'manual' } },
      { settings: { 'failback.mode': 'automatic', 'failback.hold': '0s' } },
      { settings: { 'failback.hold': '5m', 'join.placement': 'failback' } },
      { settings: { 'join.placement': 'rebalance' } },
    ),
    false,
  ),
);

/** Takes the step; false where an administrator was refused. */
function take(cluster: MemoryCluster, { operation, request, isAgents }: Step): boolean {
  try {
    cluster.change(operation, request);
    return true;
  } catch (error) {
    if (error instanceof CfsError && !isAgents) return false;
    throw error;
  }
}

/** Volumes are on active nodes only, and all are placed as long as there is one: any node may have any here. */
function assertPlaced(cluster: MemoryCluster): void {
  const snapshot = cluster.snapshot();
  const active = [...snapshot.table('membership').entries()].filter(
    ([, { state }]) => state === 'online' || state === 'suspect',
  );
  const names = new Set(active.map(([name]) => name));
  for (const [volume, on] of whereabouts(snapshot)) {
    if (on === null) assert.equal(names.size, 0, `${volume} has no node though ${[...names]} could have it`);
    else assert.ok(names.has(on), `${volume} is on ${on}, which is ${membershipOf(cluster, on)?.state}`);
  }
}

describe('membership, whatever is done', () => {
  it('fits together, leaves no volume on a node that is out, and changes nothing when asked again', () => {
    fc.assert(
      fc.property(fc.array(anyStep, { maxLength: 25 }), (steps) => {
        const cluster = clusterOfNodes({ nodes: 4, volumes: 6 });
        cluster.change(nodeAdd, { nodes: [{ name: 'n5', domains: ['all'] }] });
        for (const one of steps) {
          if (!take(cluster, one)) continue;
          // By hand a node may come online without any placement.
          if (one.operation.name !== 'node.online') assertPlaced(cluster);
          else cluster.change(failover as Operation<unknown, unknown>, { node: failingOne(cluster) });
          const { generation } = cluster;
          if (one.isAgents) take(cluster, one);
          assert.equal(cluster.generation, generation, `${one.operation.name} again`);
        }
      }),
      { numRuns: 200 },
    );
  });

  it('moves the volumes of a flapping node once, until it has stayed up for the hold-down', () => {
    const others = fc.constantFrom('join', 'rejoin', 'leave') as fc.Arbitrary<'join' | 'rejoin' | 'leave'>;
    fc.assert(
      fc.property(fc.array(others, { minLength: 1, maxLength: 8 }), (happens) => {
        const cluster = clusterOfNodes({ nodes: 4, volumes: 12 });
        const its = volumesOn(cluster.snapshot(), 'n2');
        let seq = 1;
        const flap = () => {
          cluster.change(nodesFailed, { nodes: [{ node: 'n2', lease: seq++, why: 'quiet' }] });
          cluster.change(nodesJoin, { nodes: ['n2'] });
        };
        flap();
        for (const what of happens) {
          // n4 comes and goes in order: a rebalance each time, none of which may use n2.
          if (what === 'leave') cluster.change(nodeLeave, { node: 'n4', drain: true });
          if (what === 'rejoin') cluster.change(nodesJoin, { nodes: ['n4'] });
          const before = whereabouts(cluster.snapshot());
          flap();
          assert.deepEqual(whereabouts(cluster.snapshot()), before, 'the flapping node moves nothing');
          assert.deepEqual(volumesOn(cluster.snapshot(), 'n2'), []);
        }
        cluster.change(nodesReturn, { nodes: ['n2'] });
        assert.deepEqual(
          volumesOn(cluster.snapshot(), 'n2'),
          its.filter((volume) => volume === 'v2'),
        );
      }),
      { numRuns: 40 },
    );
  });
});

/** Some node that may be failed by hand, so that what an `online` by hand left unplaced is placed. */
function failingOne(cluster: MemoryCluster): string {
  for (const [name, { state }] of cluster.snapshot().table('membership').entries()) {
    if (state !== 'offline') return name;
  }
  throw new Error('every node is offline');
}

describe('64 nodes that come up at once', () => {
  const STEP_MS = 500;
  const RENEWS_EVERY = 4;

  /** Nodes come up with these pauses between them; the agent of the first takes tickets in. */
  function powerUp(pauses: readonly number[], volumes: number) {
    const cluster = clusterOfNodes({ nodes: pauses.length, volumes, state: 'offline' });
    const leases = new Leases(STEP_MS, 6000);
    const starts: number[] = [];
    pauses.reduce((at, pause) => {
      starts.push(at);
      return at + pause;
    }, leases.nowMs);
    const tickets = new Map<string, number>();
    const moves = new Map<string, number>();
    let memory: AttentionMemory = NO_MEMORY;
    let changes = 0;
    for (let tick = 0; tick < 400; tick++) {
      starts.forEach((at, i) => {
        if (at > leases.nowMs) return;
        const name = `n${i + 1}`;
        const wants = membershipOf(cluster, name)!.state !== 'online';
        if (wants) tickets.set(name, 1);
        else tickets.delete(name);
        if (!leases.leases.has(name) || (tick + i) % RENEWS_EVERY === 0) {
          leases.renew(name, { released: cluster.generation, applied: cluster.generation });
        }
      });
      leases.look();
      const attention = attentionOf({
        ...{ self: 'n1', snapshot: cluster.snapshot(), observer: leases.observer, timeoutOf: () => 10_000 },
        ...{ tickets, fencingTimeoutMs: null, nowMs: leases.nowMs, wallMs: cluster.nowMs, memory },
      });
      memory = attention.memory;
      assert.deepEqual([attention.failed, attention.claims], [[], []]);
      if (attention.join.length > 0) {
        const before = whereabouts(cluster.snapshot());
        cluster.change(nodesJoin, { nodes: attention.join });
        changes++;
        for (const [volume, on] of whereabouts(cluster.snapshot())) {
          const from = before.get(volume) ?? null;
          if (from !== null && from !== on) moves.set(volume, (moves.get(volume) ?? 0) + 1);
        }
      }
      leases.nowMs += STEP_MS;
    }
    const online = [...cluster.snapshot().table('membership').entries()].filter(([, { state }]) => state === 'online');
    return { changes, online: online.length, mostMoves: Math.max(0, ...moves.values()) };
  }

  it('are all members after at most four changes of placement, and no volume moved more than twice', () => {
    const pauses = fc.array(fc.integer({ min: 0, max: 600 }), { minLength: 64, maxLength: 64 });
    fc.assert(
      fc.property(pauses, (list) => {
        const { changes, online, mostMoves } = powerUp(list, 128);
        assert.equal(online, 64);
        assert.ok(changes <= 4, `${changes} changes`);
        assert.ok(mostMoves <= 2, `a volume moved ${mostMoves} times`);
      }),
      { numRuns: 6 },
    );
  });

  it('are taken in by one change when they come within join.settle', () => {
    const { changes, online, mostMoves } = powerUp(new Array(64).fill(25), 128);
    assert.deepEqual([changes, online, mostMoves], [1, 64, 0]);
  });
});
