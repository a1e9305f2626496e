import assert from 'node:assert/strict';
import { clusterFreeze, clusterSet } from '../../src/core/config/settings.js';
import { type Attention, attentionOf } from '../../src/core/membership/attention.js';
import { type AttentionMemory, NO_MEMORY } from '../../src/core/membership/attention-memory.js';
import { nodesFailed } from '../../src/core/membership/failed.js';
import { fenceClaim, fenceResult } from '../../src/core/membership/fencing.js';
import { nodesJoin } from '../../src/core/membership/join.js';
import { nodeRecovered } from '../../src/core/membership/return.js';
import { drainTo, failover } from '../../src/core/placement/operations.js';
import type { MemoryCluster } from '../kit/memory.js';
import { clusterOfNodes, giveMembership, Leases } from './clusters.js';

const TIMEOUT_MS = 10_000;

/** The agent of one node: looks, and says what it would ask for. */
class Agent {
  memory: AttentionMemory = NO_MEMORY;
  tickets = new Map<string, number>();
  fencingTimeoutMs: number | null = null;
  readonly leases: Leases;

  constructor(
    readonly cluster: MemoryCluster,
    readonly self = 'n1',
    stepMs = 1000,
  ) {
    this.leases = new Leases(stepMs, 3 * stepMs, cluster.generation);
  }

  look(): Attention {
    const attention = attentionOf({
      self: this.self,
      snapshot: this.cluster.snapshot(),
      observer: this.leases.observer,
      timeoutOf: () => TIMEOUT_MS,
      tickets: this.tickets,
      fencingTimeoutMs: this.fencingTimeoutMs,
      nowMs: this.leases.nowMs,
      wallMs: this.cluster.nowMs,
      memory: this.memory,
    });
    this.memory = attention.memory;
    return attention;
  }

  /** Steps of time with a look in each; gives the last. */
  after(steps: number, renewing: readonly string[]): Attention {
    let last = this.look();
    this.leases.run(steps, renewing, () => {
      last = this.look();
    });
    return last;
  }
}

function asked({ join, failed, claims, recovered, returns }: Attention) {
  return { join, failed: failed.map(({ node }) => node), claims: claims.map(({ node }) => node), recovered, returns };
}

const NOTHING = { join: [], failed: [], claims: [], recovered: [], returns: [] };

/** Three nodes with agents that have all renewed a few times; their leases acknowledge the newest generation. */
function settled(settings: Record<string, string> = {}, self = 'n1'): Agent {
  const agent = new Agent(clusterOfNodes({ nodes: 3, volumes: 6, settings }), self);
  acknowledge(agent);
  agent.after(3, ['n1', 'n2', 'n3']);
  return agent;
}

function acknowledge({ leases, cluster }: Agent, nodes: readonly string[] = ['n1', 'n2', 'n3']): void {
  for (const node of nodes) leases.renew(node, { released: cluster.generation, applied: cluster.generation });
}

describe('what an agent asks for', () => {
  it('is nothing where everybody renews', () => {
    const agent = settled();
    assert.deepEqual(asked(agent.after(30, ['n1', 'n2', 'n3'])), NOTHING);
  });

  it('is the failure of a node that was watched for its whole timeout, with the time', () => {
    const agent = settled();
    assert.deepEqual(asked(agent.after(9, ['n1', 'n3'])), NOTHING);
    const { failed } = agent.after(1, ['n1', 'n3']);
    assert.deepEqual(failed, [
      { node: 'n2', lease: agent.leases.leases.get('n2')!.seq, why: 'lease quiet for 10.0 s, confirmed by n1' },
    ]);
  });

  it('is one request for all that fail together', () => {
    assert.deepEqual(asked(settled().after(11, ['n1'])).failed, ['n2', 'n3']);
  });

  it('is the failure of a node that left, when it did not come back in time', () => {
    const agent = settled();
    agent.leases.renew('n2', { applied: null });
    agent.after(5, ['n1', 'n3']);
    const { failed } = agent.after(7, ['n1', 'n3']);
    assert.deepEqual(
      failed.map(({ node, left }) => [node, left]),
      [['n2', true]],
    );
    assert.match(failed[0]!.why, /^its agent left and did not come back for 1\d\.0 s$/);
  });

  it('is nothing of a node that never had an agent, that is offline, or failed already', () => {
    const agent = settled();
    agent.cluster.change(drainTo('offline'), { node: 'n2' });
    agent.cluster.change(failover, { node: 'n3' });
    assert.deepEqual(asked(agent.after(20, ['n1'])), NOTHING);
  });

  it('is nothing after a gap in which it did not look itself', () => {
    const agent = settled();
    agent.leases.nowMs += 3_600_000;
    agent.leases.look();
    assert.deepEqual(asked(agent.look()), NOTHING);
  });

  it('is the failure of an agent that renews and does not release for apply.timeout of watched time', () => {
    const agent = settled({ 'apply.timeout': '20s' });
    agent.cluster.change(clusterSet, { settings: { name: 'other' } });
    acknowledge(agent, ['n1', 'n3']);
    assert.deepEqual(asked(agent.after(19, ['n1', 'n2', 'n3'])), NOTHING);
    agent.leases.nowMs += 60_000;
    const { failed } = agent.after(2, ['n1', 'n2', 'n3']);
    const { generation } = agent.cluster;
    const why = `did not release what generation ${generation} took from it within 20s`;
    assert.deepEqual(failed, [{ node: 'n2', lease: null, unreleased: generation, why }]);
  });

  it('has patience with an agent that makes progress', () => {
    const agent = settled({ 'apply.timeout': '20s' });
    for (let i = 0; i < 5; i++) {
      agent.cluster.change(clusterSet, { settings: { name: `c${i}` } });
      acknowledge(agent, ['n1', 'n3']);
      agent.leases.renew('n2', { released: agent.cluster.generation - 1 });
      assert.deepEqual(asked(agent.after(15, ['n1', 'n2', 'n3'])), NOTHING);
    }
  });

  it('is recovery of a suspect whose lease rose, also its own', () => {
    const agent = settled();
    const { seq } = agent.leases.leases.get('n2')!;
    const suspect = { state: 'suspect' as const, reason: 'quiet', lease: seq };
    agent.cluster.change(giveMembership, { node: 'n2', record: suspect });
    acknowledge(agent, ['n1', 'n3']);
    agent.leases.look();
    assert.deepEqual(asked(agent.look()), NOTHING);
    const { recovered } = agent.after(1, ['n1', 'n2', 'n3']);
    assert.deepEqual(recovered, [{ node: 'n2', lease: seq + 1 }]);
    const own = settled({}, 'n2');
    own.cluster.change(giveMembership, { node: 'n2', record: suspect });
    assert.equal(own.after(2, ['n1', 'n2', 'n3']).recovered.length, 1);
  });

  it('is not the return of a held node that was not seen renewing a moment ago: it may be dead, and nobody can know yet', () => {
    const agent = settled({ 'failback.hold': '30s' });
    agent.cluster.change(giveMembership, { node: 'n2', record: { state: 'online', reason: null, held: true } });
    acknowledge(agent);
    const all = ['n1', 'n2', 'n3'];
    assert.deepEqual(agent.after(28, all).returns, []);
    assert.deepEqual(agent.after(4, ['n1', 'n3']).returns, [], 'up for 28 s, and quiet since');
    assert.deepEqual(agent.after(3, all).returns, ['n2'], 'it was only late');
  });

  it('is the return of a held node when it has stayed up for failback.hold; being quiet begins it anew', () => {
    const agent = settled({ 'failback.hold': '30s' });
    const all = ['n1', 'n2', 'n3'];
    agent.cluster.change(giveMembership, { node: 'n2', record: { state: 'online', reason: null, held: true } });
    acknowledge(agent);
    assert.deepEqual(agent.after(20, all).returns, []);
    agent.after(11, ['n1', 'n3']);
    assert.deepEqual(agent.after(29, all).returns, []);
    assert.deepEqual(agent.after(2, all).returns, ['n2']);
  });

  it('is nothing while the cluster is frozen, but that a suspect is back', () => {
    const agent = settled();
    agent.cluster.change(clusterFreeze, { until: null, reason: 'switch' });
    acknowledge(agent, ['n1', 'n3']);
    const seen = agent.after(12, ['n1', 'n3']);
    assert.deepEqual(asked(seen), NOTHING);
    assert.deepEqual(seen.waits, [{ node: 'n2', why: 'the cluster is frozen: switch' }]);
    const suspect = { state: 'suspect' as const, reason: 'quiet', lease: 1 };
    agent.cluster.change(giveMembership, { node: 'n2', record: suspect });
    assert.equal(agent.after(1, ['n1', 'n2', 'n3']).recovered.length, 1);
  });

  it('is nothing for an agent whose node has no say', () => {
    for (const state of ['failed', 'offline', 'joining'] as const) {
      const agent = settled();
      agent.cluster.change(giveMembership, { node: 'n1', record: { state, reason: null } });
      assert.deepEqual(asked(agent.after(12, ['n1', 'n3'])), NOTHING);
    }
  });
});

describe('tickets', () => {
  it('are taken in together, when no new one came for join.settle', () => {
    const agent = new Agent(clusterOfNodes({ nodes: 4, volumes: 6, state: 'offline' }), 'n1', 500);
    const all = ['n1', 'n2', 'n3', 'n4'];
    agent.tickets.set('n1', 1);
    assert.deepEqual(agent.after(3, all).join, []);
    agent.tickets.set('n2', 1);
    assert.deepEqual(agent.after(3, all).join, []);
    assert.deepEqual(agent.after(1, all).join, ['n1', 'n2']);
  });

  it('wait no longer than ten times join.settle for others', () => {
    const agent = new Agent(clusterOfNodes({ nodes: 30, volumes: 6, state: 'offline' }), 'n1', 1000);
    const up: string[] = [];
    let steps = 0;
    for (let join: string[] = []; join.length === 0; steps++) {
      up.push(`n${steps + 1}`);
      agent.tickets.set(`n${steps + 1}`, 1);
      join = agent.after(1, up).join;
      assert.ok(steps < 30);
    }
    assert.equal(steps, 21);
  });

  it('of agents that do not live, or of nodes that an administrator took out, stay where they are', () => {
    const agent = settled();
    agent.cluster.change(drainTo('offline'), { node: 'n2' });
    agent.cluster.change(giveMembership, { node: 'n3', record: { state: 'offline', reason: null, mayJoin: true } });
    agent.tickets.set('n2', 1);
    agent.tickets.set('n3', 1);
    agent.leases.leases.delete('n3');
    agent.leases.look();
    agent.leases.renew('n3');
    assert.deepEqual(agent.after(5, ['n1', 'n2']).join, []);
    agent.after(5, ['n1', 'n2', 'n3']);
    assert.deepEqual(agent.after(1, ['n1', 'n2', 'n3']).join, ['n3']);
  });

  it('of a node that still runs what was taken from it wait until it has released that', () => {
    const agent = settled();
    agent.cluster.change(failover, { node: 'n2' });
    acknowledge(agent, ['n1', 'n3']);
    agent.tickets.set('n2', 1);
    const all = ['n1', 'n2', 'n3'];
    const stuck = agent.after(30, all);
    assert.deepEqual(stuck.join, []);
    assert.deepEqual(stuck.waits, [{ node: 'n2', why: 'joins when it has released what was taken from it' }]);
    // One generation behind all the time, but following.
    acknowledge(agent, ['n2']);
    agent.cluster.change(clusterSet, { settings: { name: 'other' } });
    assert.deepEqual(agent.after(3, all).join, ['n2']);
  });

  it('are taken in by a joiner where there is nobody else, and then it asks for nothing more', () => {
    const agent = settled();
    for (const node of ['n1', 'n2']) {
      agent.cluster.change(giveMembership, { node, record: { state: 'failed', reason: null } });
      agent.tickets.set(node, 1);
    }
    acknowledge(agent);
    const seen = agent.after(12, ['n1', 'n2']);
    assert.deepEqual(asked(seen), { ...NOTHING, join: ['n1', 'n2'] });
  });
});

describe('fencing, as an agent sees it', () => {
  function quiet(settings: Record<string, string> = {}): { agent: Agent; lease: number } {
    const agent = settled(settings);
    agent.fencingTimeoutMs = 30_000;
    const lease = agent.leases.leases.get('n2')!.seq;
    agent.after(12, ['n1', 'n3']);
    return { agent, lease };
  }

  it('comes first where it is configured, whatever the policy', () => {
    const { agent, lease } = quiet();
    const { claims, failed } = agent.look();
    assert.deepEqual(failed, []);
    assert.deepEqual(claims, [{ node: 'n2', lease, by: 'n1', why: 'lease quiet for 12.0 s, confirmed by n1' }]);
  });

  it('is waited for where the policy requires it and this node cannot; the node becomes suspect once', () => {
    const { agent } = quiet({ 'fencing.policy': 'required' });
    agent.fencingTimeoutMs = null;
    const seen = agent.look();
    assert.deepEqual([seen.claims, seen.failed.map(({ node }) => node)], [[], ['n2']]);
    agent.cluster.change(nodesFailed, { nodes: seen.failed });
    const later = agent.look();
    assert.deepEqual(asked(later), NOTHING);
    assert.deepEqual(later.waits, [{ node: 'n2', why: 'waits to be fenced (fencing.policy=required)' }]);
  });

  it('is followed by the takeover when it is done', () => {
    const { agent } = quiet({ 'fencing.policy': 'required' });
    agent.cluster.change(fenceClaim, agent.look().claims[0]!);
    agent.cluster.change(fenceResult, { node: 'n2', by: 'n1', ok: true, message: null });
    const { claims, failed } = agent.look();
    assert.deepEqual([claims, failed.map(({ node }) => node)], [[], ['n2']]);
    assert.deepEqual(agent.cluster.change(nodesFailed, { nodes: failed }).failed, ['n2']);
  });

  it('of another agent is left to it, until it is gone or takes longer than it may', () => {
    const { agent, lease } = quiet();
    agent.cluster.change(fenceClaim, { node: 'n2', lease, by: 'n3', why: 'quiet' });
    acknowledge(agent, ['n1', 'n3']);
    const seen = agent.after(39, ['n1', 'n3']);
    assert.deepEqual(seen.claims, []);
    assert.deepEqual(seen.waits, [{ node: 'n2', why: 'is being fenced by n3' }]);
    assert.deepEqual(agent.after(3, ['n1', 'n3']).claims[0]!.stale, { by: 'n3', attempts: 1 });

    const gone = quiet();
    gone.agent.cluster.change(fenceClaim, { node: 'n2', lease: gone.lease, by: 'n3', why: 'quiet' });
    const claims = new Map(gone.agent.after(11, ['n1']).claims.map(({ node, stale }) => [node, stale?.by]));
    assert.equal(claims.get('n2'), 'n3');
    assert.deepEqual([claims.size, claims.get('n3')], [2, undefined]);
  });

  it('of an agent that is gone does not keep a node suspect that renews', () => {
    for (const [by, renewing] of [
      ['n3', ['n1', 'n2']],
      ['n1', ['n1', 'n2', 'n3']],
    ] as const) {
      const { agent, lease } = quiet();
      agent.cluster.change(fenceClaim, { node: 'n2', lease, by, why: 'quiet' });
      acknowledge(agent, ['n1', 'n3']);
      const early = agent.after(9, renewing);
      assert.deepEqual(early.recovered, []);
      assert.deepEqual(early.waits, [{ node: 'n2', why: `renews, but is being fenced by ${by}` }]);
      const { recovered } = agent.after(33, renewing);
      assert.deepEqual(
        recovered.map(({ node, stale }) => [node, stale]),
        [['n2', { by, attempts: 1 }]],
      );
      assert.equal(agent.cluster.change(nodeRecovered, recovered[0]!).recovered, true);
    }
  });

  it('that failed is tried again, after longer and longer pauses', () => {
    const { agent, lease } = quiet();
    for (const pause of [10, 20, 40]) {
      agent.cluster.change(fenceClaim, { node: 'n2', lease, by: 'n1', why: 'quiet' });
      agent.cluster.change(fenceResult, { node: 'n2', by: 'n1', ok: false, message: 'no route' });
      acknowledge(agent, ['n1', 'n3']);
      assert.deepEqual(agent.after(pause - 1, ['n1', 'n3']).claims, []);
      assert.deepEqual(
        agent.after(1, ['n1', 'n3']).claims.map(({ node }) => node),
        ['n2'],
      );
    }
  });

  it('is asked for a node that a person declared failed, where nobody trusts self-fencing', () => {
    for (const [policy, claims] of [
      ['required', ['n2']],
      ['optional', []],
    ] as const) {
      const { agent } = quiet({ 'fencing.policy': policy });
      agent.cluster.change(failover, { node: 'n2' });
      assert.deepEqual(
        agent.look().claims.map(({ node }) => node),
        claims,
      );
    }
  });

  it('is not asked for a node that failed and joined again meanwhile', () => {
    const { agent, lease } = quiet();
    agent.cluster.change(nodesFailed, { nodes: [{ node: 'n2', lease, why: 'quiet' }] });
    agent.cluster.change(nodesJoin, { nodes: ['n2'] });
    acknowledge(agent);
    assert.deepEqual(asked(agent.after(3, ['n1', 'n2', 'n3'])), NOTHING);
  });
});
