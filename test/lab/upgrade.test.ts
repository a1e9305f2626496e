/** A rolling upgrade: real agents, of which some know an older format only (CFS_FORMAT_LIMIT, documented for rehearsals). */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { holdingsOf, type LabCluster, localCluster, takeoverOf, verdictOf, waitFor } from '../kit/agents.js';

const OLD = { CFS_FORMAT_LIMIT: '1' };
const NODES = ['n1', 'n2', 'n3'];

describe('a rolling upgrade with agents', () => {
  let cluster: LabCluster;
  const env = new Map<string, Record<string, string>>(NODES.map((node) => [node, { ...OLD }]));

  before(async () => {
    cluster = await localCluster({ nodes: 3, agent: (node) => ({ env: env.get(node)! }), createEnv: OLD });
    // Format 1 has no word for nodes that their agents may bring in.
    await cluster.cfs(['node', 'online', ...NODES]);
    await cluster.cfs(['rebalance']);
    cluster.startAll();
    await cluster.settled();
  });

  after(() => cluster?.killAll());

  const format = async (): Promise<number> => Number((await cluster.cfsJson(['db', 'stat'])).format);

  it('agents of the former format run, and take over from each other', async () => {
    assert.equal(await format(), 1);
    const before = holdingsOf(cluster, 'n3');
    const faultMs = await cluster.powerOff('n3');
    await takeoverOf(cluster, before, faultMs);
    await cluster.powerOn('n3');
    await cluster.settled();
    assert.equal(await format(), 1);
  });

  it('old and new agents work together, one node after the other is upgraded, and nothing moves for it', async () => {
    const owners = JSON.stringify([...cluster.owners()]);
    for (const node of NODES) {
      await assert.rejects(cluster.cfs(['cluster', 'upgrade', '--yes']), /AGENT_TOO_OLD|cannot read|format 1/i);
      delete env.get(node)!.CFS_FORMAT_LIMIT;
      await cluster.agent(node).stop();
      cluster.agent(node).start();
      await cluster.settled();
    }
    assert.equal(JSON.stringify([...cluster.owners()]), owners);
    assert.equal(await format(), 1);
  });

  it('the format is raised when all are upgraded; the agents go on, and an old one does not come in any more', async () => {
    await cluster.cfs(['cluster', 'upgrade', '--yes', '--wait', '10s']);
    assert.equal(await format(), 3);
    await cluster.settled();
    const before = holdingsOf(cluster, 'n2');
    const faultMs = await cluster.powerOff('n2');
    await takeoverOf(cluster, before, faultMs);
    env.get('n2')!.CFS_FORMAT_LIMIT = '2';
    const old = cluster.agent('n2');
    old.start();
    await waitFor('the old agent to say why it does nothing', 10_000, () =>
      readFileSync(old.log, 'utf8').includes('written in format 3, which this cfs cannot read'),
    );
    assert.equal(old.volumes().size, 0);
    assert.deepEqual(verdictOf(cluster).overlaps, []);
  });
});
