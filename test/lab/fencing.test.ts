/** What needs fencing, and what fencing does: real agents as plain processes, and a power switch. Numbers: docs/FAILURES.md. */
import assert from 'node:assert/strict';
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { FenceDevice } from '../../scripts/lab/fence-device.js';
import {
  holdingsOf,
  type LabCluster,
  localCluster,
  monotonicMs,
  takeoverOf,
  verdictOf,
  waitFor,
} from '../kit/agents.js';
import { tempDir } from '../kit/cli.js';

/** What `cfs status` says to people. */
const status = (cluster: LabCluster): Promise<string> => cluster.cfs(['status']);

describe('fencing between agents of one machine', () => {
  let cluster: LabCluster;
  let device: FenceDevice;
  let isBroken = false;

  before(async () => {
    device = new FenceDevice(join(tempDir('switch'), 'device'), async (node) => {
      if (isBroken) throw new Error('the switch does not answer');
      await cluster.powerOff(node);
    });
    cluster = await localCluster({
      nodes: 3,
      volumes: 6,
      settings: { 'fencing.policy': 'required' },
      agent: () => ({ config: { fencing: { command: device.command, timeout: '5s' } } }),
    });
    cluster.startAll();
    await cluster.settled();
  });

  after(() => {
    cluster?.killAll();
    device?.close();
  });

  it('[F25] a frozen node is switched off before anybody starts what it had', async () => {
    const before = holdingsOf(cluster, 'n1');
    const faultMs = monotonicMs();
    await cluster.agent('n1').signal('everything', 'SIGSTOP');
    await takeoverOf(cluster, before, faultMs);
    assert.deepEqual(device.fenced, ['n1'], 'one fencing for all who noticed');
    const { overlaps, problems } = verdictOf(cluster);
    assert.deepEqual([overlaps, problems], [[], []]);
    await cluster.powerOn('n1');
    await cluster.settled();
  });

  it('[F28] a node that left in order needs no fencing', async () => {
    const before = holdingsOf(cluster, 'n2');
    const faultMs = monotonicMs();
    await cluster.agent('n2').stop();
    await takeoverOf(cluster, before, faultMs);
    assert.deepEqual(device.fenced, ['n1'], 'nobody was switched off for that');
    cluster.agent('n2').start();
    await cluster.settled();
  });

  it('[F26] [F27] a fencing command that fails holds the takeover back and status says so, until a person confirms', async () => {
    isBroken = true;
    const before = holdingsOf(cluster, 'n3');
    await cluster.powerOff('n3');
    const said = await waitFor(
      'status to tell of the failed fencing',
      8000,
      async () => {
        const text = await status(cluster);
        return /fenc/i.test(text) && /n3/.test(text) && /does not answer|failed/.test(text) ? text : null;
      },
      { everyMs: 200, explain: () => status(cluster) },
    );
    assert.ok(said);
    for (const volume of before.keys()) assert.deepEqual(cluster.owners().get(volume), [], `${volume} has to wait`);
    const confirmedMs = monotonicMs();
    await cluster.cfs(['fence', 'confirm', 'n3', '--yes', '--message', 'I pulled the plug']);
    await takeoverOf(cluster, before, confirmedMs);
    const { overlaps, problems } = verdictOf(cluster);
    assert.deepEqual([overlaps, problems], [[], []]);
  });
});

describe('a node without fencing', () => {
  let cluster: LabCluster;

  afterEach(() => cluster?.killAll());

  it('[F7] leaves two owners where both processes are killed and no unit cleans up', async () => {
    cluster = await localCluster({ nodes: 2, volumes: 4, agent: () => ({ hasUnit: false }) });
    cluster.startAll();
    await cluster.settled();
    const before = holdingsOf(cluster, 'n1');
    const faultMs = monotonicMs();
    await cluster.agent('n1').signal('both', 'SIGKILL');
    await takeoverOf(cluster, before, faultMs);
    assert.deepEqual(
      cluster
        .owners()
        .get([...before.keys()][0]!)
        ?.sort(),
      ['n1', 'n2'],
    );
  });

  it('[F6] runs nothing more after cfs agentd stop-all, which the unit runs whenever the service ends', async () => {
    cluster = await localCluster({ nodes: 1, volumes: 3, agent: () => ({ hasUnit: false }) });
    cluster.startAll();
    await cluster.settled();
    const agent = cluster.agent('n1');
    await agent.signal('both', 'SIGKILL');
    await agent.wait();
    assert.equal(agent.volumes().size, 3, 'nobody was left to stop them');
    const { status, stderr } = await agent.host.run(agent.argv('agentd', 'stop-all'), { CFS_DIR: cluster.dir });
    assert.equal(status, 0, stderr);
    assert.equal(agent.volumes().size, 0);
  });

  it('[F14] [F15] runs its selfFence command when a volume cannot be stopped, shows what it is, and tries again', async () => {
    const dir = tempDir('self-fence');
    const [called, stuck] = [join(dir, 'called'), join(dir, 'stuck')];
    const selfFence = join(dir, 'self-fence');
    writeFileSync(selfFence, `#!/bin/sh\necho "$CFS_NODE" >>'${called}'\nexit 1\n`, { mode: 0o755 });
    cluster = await localCluster({ nodes: 1, volumes: 2, agent: () => ({ config: { selfFence }, stuckFile: stuck }) });
    cluster.startAll();
    await cluster.settled();
    writeFileSync(stuck, '');
    const agent = cluster.agent('n1');
    await agent.signal('worker', 'SIGSTOP');
    const notStopped = await waitFor('status to show what cannot be stopped', 10_000, async () => {
      const answer = await agent.status();
      return answer?.notStopped.some(({ attempts }) => attempts > 1) ? answer.notStopped : null;
    });
    assert.match(notStopped[0]!.volume, /^v00[12]$/);
    await waitFor('the selfFence command to be called', 5000, () => existsSync(called));
    // It can be stopped again: no reboot is needed then.
    rmSync(stuck);
    await waitFor('everything to be stopped', 10_000, async () => (await agent.status())?.notStopped.length === 0);
  });

  it('ends when it is told to, although its worker was stopped before the first renewal', async () => {
    cluster = await localCluster({ nodes: 1, volumes: 1 });
    const agent = cluster.agent('n1');
    agent.start();
    await agent.signal('worker', 'SIGSTOP');
    const status = await waitFor('an answer', 5000, () => agent.status());
    assert.equal(status.lease, null, 'it was stopped too late for this test');
    const toldMs = monotonicMs();
    await agent.stop();
    assert.ok(monotonicMs() - toldMs < 20_000);
  });
});
