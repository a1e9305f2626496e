/** Who may come in, who decides, and when nobody may: real agents as plain processes. Numbers: docs/FAILURES.md. */
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { LabAgent } from '../../scripts/lab/agent.js';
import { LocalHost, ROOT, runHere } from '../../scripts/lab/hosts.js';
import {
  holdingsOf,
  type LabCluster,
  localCluster,
  monotonicMs,
  takeoverOf,
  verdictOf,
  waitFor,
} from '../kit/agents.js';

const TIMEOUT_MS = 2000;
const STALE_MS = 2000;
const HOLD_LOCK = join(ROOT, 'scripts/lab/hold-lock.ts');
/** Longer than a short life and the time in which its end is noticed, together. */
const HOLD_MS = 4500;

describe('members of a cluster of agents', () => {
  let cluster: LabCluster;

  before(async () => {
    const settings = { 'failback.hold': `${HOLD_MS}ms`, 'lock.stale': `${STALE_MS}ms` };
    cluster = await localCluster({ nodes: 5, volumes: 10, hasPreferences: true, settings });
    cluster.startAll();
    await cluster.settled();
  });

  after(() => cluster?.killAll());

  const generation = async (): Promise<number> => Number((await cluster.cfsJson(['status'])).generation);
  const passed = (ms: number): Promise<unknown> => {
    const end = monotonicMs() + ms;
    return waitFor('some time to pass', 2 * ms, () => monotonicMs() > end);
  };

  it('[F32] a second agent of a node whose agent is alive refuses to start, and changes nothing', async () => {
    const [before, number] = [JSON.stringify([...cluster.owners()]), await generation()];
    const base = join(cluster.options.base, 'second');
    mkdirSync(base);
    // Its driver sees what the first agent runs, as on one host it would.
    const { volumesDir } = cluster.agent('n1');
    symlinkSync(volumesDir, join(base, 'volumes'));
    const running = [...cluster.agent('n1').volumes()];
    assert.ok(running.length > 0);
    const second = new LabAgent(new LocalHost('n1'), { dir: cluster.dir, base, hasUnit: false });
    const { status, stderr } = await second.host.run(second.argv('agentd', '--node', 'n1'), { CFS_DIR: cluster.dir });
    assert.notEqual(status, 0);
    assert.match(stderr, /n1/);
    assert.match(stderr, /another agent|elsewhere|is running|already/i);
    assert.deepEqual([...cluster.agent('n1').volumes()], running, 'the same processes');
    await passed(TIMEOUT_MS / 2);
    assert.deepEqual([JSON.stringify([...cluster.owners()]), await generation()], [before, number]);
  });

  it('[F9] [F10] many that notice a failure make one failover; a node that is back has to stay up before it gets volumes', async () => {
    const agent = cluster.agent('n2');
    const [before, number] = [holdingsOf(cluster, 'n2'), await generation()];
    const faultMs = await cluster.powerOff('n2');
    await takeoverOf(cluster, before, faultMs);
    assert.equal(await generation(), number + 1, 'four have noticed it');

    const startedMs = monotonicMs();
    await cluster.powerOn('n2');
    await passed(0.3 * HOLD_MS);
    assert.equal(agent.volumes().size, 0);
    await cluster.powerOff('n2');
    await passed(1.5 * TIMEOUT_MS);
    const againMs = monotonicMs();
    await cluster.powerOn('n2');
    await waitFor('its volumes to return', 5 * HOLD_MS, () => agent.volumes().size >= before.size, {
      explain: () => cluster.describe(),
    });
    assert.ok(monotonicMs() - againMs >= HOLD_MS, 'the time before it went away does not count');
    const starts = cluster
      .journal()
      .filter(({ t, event, node }) => event === 'start' && t > startedMs && node !== 'n2');
    assert.deepEqual(starts, [], 'nothing moved in between');
  });

  it('[F35] a lock of a machine without an agent holds a takeover back for up to lock.stale', async () => {
    const died = await runHere([process.execPath, '--import', 'tsx', HOLD_LOCK], { CFS_DIR: cluster.dir });
    assert.equal(died.status, 137, died.stderr);
    const owner = join(cluster.dir, 'lock.owner');
    // Of another host: here nobody can see that the holder is dead.
    writeFileSync(owner, readFileSync(owner, 'utf8').replace(/"host":"[^"]*"/, '"host":"elsewhere"'));
    const before = holdingsOf(cluster, 'n4');
    const faultMs = await cluster.powerOff('n4');
    const { lastMs } = await takeoverOf(cluster, before, faultMs);
    assert.ok(lastMs < 1.5 * TIMEOUT_MS + STALE_MS, `took ${lastMs} ms`);
    await cluster.powerOn('n4');
    await waitFor('its volumes to return', 5 * HOLD_MS, () => cluster.agent('n4').volumes().size >= before.size, {
      explain: () => cluster.describe(),
    });
  });

  it('[F34] while the cluster is frozen, nobody is failed and nothing moves by itself', async () => {
    await cluster.cfs(['cluster', 'freeze', '--reason', 'repair']);
    const [before, number] = [holdingsOf(cluster, 'n3'), await generation()];
    await cluster.powerOff('n3');
    await passed(2 * TIMEOUT_MS);
    for (const volume of before.keys()) assert.deepEqual(cluster.owners().get(volume), []);
    assert.equal(await generation(), number);
    const thawedMs = monotonicMs();
    await cluster.cfs(['cluster', 'unfreeze']);
    await takeoverOf(cluster, before, thawedMs);
    const { overlaps, problems } = verdictOf(cluster);
    assert.deepEqual([overlaps, problems], [[], []]);
  });
});
