import assert from 'node:assert/strict';
import { type AgentVersion, clusterUpgrade } from '../../src/core/config/upgrade.js';
import { memorySnapshot } from '../../src/core/store/draft.js';
import { MemoryCluster } from '../kit/memory.js';

const NODE = { weight: 1, updateIntervalMs: 10_000, threshold: 0.8, groups: [], domains: [] };

function oldCluster(): MemoryCluster {
  return new MemoryCluster(memorySnapshot({ nodes: new Map([1, 2, 10].map((i) => [`n${i}`, NODE])) }, 0, 1));
}

function agent(node: string, format: number | null, state: AgentVersion['state'] = 'live'): AgentVersion {
  return { node, state, version: format === null ? null : `0.${format}.0`, format };
}

describe('raising the format', () => {
  it('makes one generation without any changed record, says what it brings and who has no agent, and changes nothing again', () => {
    const cluster = oldCluster();
    const request = { format: 2, agents: [agent('n1', 2), agent('n2', 3)] };
    const { from, to, news, withoutAgent } = cluster.change(clusterUpgrade, request);
    assert.deepEqual([from, to, withoutAgent, cluster.generation], [1, 2, ['n10'], 1]);
    assert.equal(cluster.snapshot().format, 2);
    assert.deepEqual(cluster.generations[1]!.changes, []);
    assert.ok(news.length >= 3);
    assert.deepEqual(cluster.change(clusterUpgrade, request).news, []);
    assert.equal(cluster.generation, 1);
  });

  it('is refused as long as an agent could not read it, and names each with its version, in natural order', () => {
    const agents = [agent('n10', 1), agent('n2', null), agent('n1', 1, 'gone')];
    const error = oldCluster().refuses(clusterUpgrade, { format: 2, agents }, 'AGENT_TOO_OLD', /^3 agents cannot read/);
    assert.match(
      error.message,
      /: "n1" \(gone; cfs 0\.1\.0, format 1\), "n2" \(its lease does not say its version\), "n10" \(cfs 0\.1\.0, format 1\)$/,
    );
    assert.equal(error.exitStatus, 4);
    assert.match(error.hint!, /--force/);
  });

  it('leaves agents behind that are gone when it is forced, and never one that runs', () => {
    const cluster = oldCluster();
    const agents = [agent('n1', 1, 'gone'), agent('n2', 1)];
    cluster.refuses(clusterUpgrade, { format: 2, agents, force: true }, 'AGENT_TOO_OLD', /^1 agent .*: "n2"/);
    const { leftBehind } = cluster.change(clusterUpgrade, { format: 2, agents: agents.slice(0, 1), force: true });
    assert.deepEqual(leftBehind, [agents[0]]);
  });

  it('does not mind the lease of a node that was removed', () => {
    const cluster = oldCluster();
    assert.equal(cluster.change(clusterUpgrade, { format: 2, agents: [agent('former', 1)] }).to, 2);
  });

  it('never lowers it: an older program that asks for its own changes nothing', () => {
    const cluster = new MemoryCluster(memorySnapshot({}, 0, 2));
    assert.equal(cluster.change(clusterUpgrade, { format: 1, agents: [] }).to, 2);
    assert.equal(cluster.generation, 0);
  });
});
