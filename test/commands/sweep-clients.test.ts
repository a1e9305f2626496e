/** cfs failover --sweep: clients that are gone are logged off, and whoever waits may write; fenced first where that is required. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { requestWrite } from '../../src/core/access/requests.js';
import { clientHolder, leaseName } from '../../src/core/membership/leases.js';
import { clientLogoff, clientLogon } from '../../src/index.js';
import { NodeClock } from '../../src/node/clock.js';
import { readObservations, writeObservations } from '../../src/node/observations.js';
import { NodeProcesses } from '../../src/node/processes.js';
import { accessCluster, layLease, opened, ScriptedHost } from '../kit/access-cluster.js';
import { cfs, runCfs, tempDir } from '../kit/cli.js';
import { changesNothing, errorOf, generationOf } from '../kit/commands.js';
import { fencing, putLease, type Swept, sweep } from './sweep-kit.js';

const QUIET = { seq: 7, applied: 3, timeoutMs: 300 };

/** c3 writes v1, for which c2 waits; the shortest times that leases can have. No lease is there. */
async function written(...settings: string[]): Promise<string> {
  const dir = await accessCluster();
  cfs(['cluster', 'set', 'lease.interval=100ms', 'lease.timeout=300ms'], { dir });
  if (settings.length > 0) cfs(['cluster', 'set', ...settings], { dir });
  const cluster = await opened(dir);
  for (const client of ['c3', 'c2']) await cluster.change(requestWrite, { volume: 'v1', client });
  return dir;
}

async function tablesOf(dir: string) {
  const snapshot = (await opened(dir)).snapshot();
  return {
    writer: snapshot.table('writers').get('v1')?.writer ?? null,
    isOn: (client: string) => snapshot.table('logons').get(client)?.loggedOn ?? false,
    reason: snapshot.table('logons').get('c3')?.reason ?? null,
  };
}

const clientsOf = ({ json }: Swept) => json.clients as Record<string, unknown>;

/** Makes the lease of a client anew, as its agent does, at once and until the end of the step. */
async function renewing<T>(dir: string, client: string, step: () => Promise<T>): Promise<T> {
  let seq = 1000;
  const renew = () => {
    seq++;
    layLease(dir, client, { ...QUIET, seq });
    const former = leaseName({ node: clientHolder(client), released: QUIET.applied, ...QUIET, seq: seq - 2 });
    rmSync(join(dir, 'leases', former), { force: true });
  };
  renew();
  const timer = setInterval(renew, 50);
  try {
    return await step();
  } finally {
    clearInterval(timer);
  }
}

describe('cfs failover --sweep sees to clients', function () {
  this.timeout(60_000);

  it('whose lease was not renewed while it watched: logged off, and whoever waits may write', async () => {
    const dir = await written();
    layLease(dir, 'c3', QUIET);
    const { status, stdout, stderr } = runCfs(
      ['failover', '--sweep', '--node', 'n1', '--state-dir', tempDir('state')],
      {
        dir,
      },
    );
    assert.equal(status, 0, stderr);
    assert.match(
      stdout,
      /^c3 logged off: lease quiet for 0\.[3-9] s; v1 may be written by c2 now\nGeneration \d+\.\n$/,
    );
    const { writer, isOn, reason } = await tablesOf(dir);
    assert.deepEqual([writer, isOn('c3'), isOn('c1'), isOn('c2')], ['c2', false, true, true]);
    assert.match(reason!, /^lease quiet for 0\.[3-9] s$/);
    const generation = generationOf(dir);
    const again = await sweep(dir);
    assert.equal(again.status, 0);
    assert.deepEqual([again.json.committed, clientsOf(again).quiet, generationOf(dir)], [false, [], generation]);
  });

  it('but not to one that renews, never had a lease, or has logged on by hand since', async () => {
    const dir = await written();
    const cluster = await opened(dir);
    layLease(dir, 'c1', QUIET);
    await cluster.change(clientLogon, { client: 'c1', lease: QUIET.seq });
    const generation = generationOf(dir);
    // Nothing but c3 is watched, and that renews at once.
    const swept = await renewing(dir, 'c3', () => sweep(dir));
    assert.equal(swept.status, 0, swept.stderr);
    assert.deepEqual(clientsOf(swept), {
      ...{ agents: 2, quiet: [], fenced: [], wouldFence: [], waits: [], lapsed: [], leftAlone: [] },
    });
    assert.equal(generationOf(dir), generation);
    assert.equal((await tablesOf(dir)).writer, 'c3');
  });

  it('at once from what the run before saw, kept in the same file as for nodes', async () => {
    const dir = await written('lease.timeout=10m');
    const stateDir = tempDir('state');
    layLease(dir, 'c3', { ...QUIET, timeoutMs: 600_000 });
    layLease(dir, 'c1', { ...QUIET, seq: 9 });
    const bootId = new NodeProcesses().bootId();
    const nodes = { 'client~c3': { seq: 7, quietMs: 600_000 }, 'client~c1': { seq: 2, quietMs: 0 } };
    writeObservations(stateDir, { version: 1, bootId, lookedMs: new NodeClock().monotonicMs(), nodes });
    const swept = await sweep(dir, [], stateDir);
    assert.equal(swept.status, 0, swept.stderr);
    assert.match(
      JSON.stringify(clientsOf(swept).quiet),
      /^\[\{"client":"c3","lease":7,"why":"lease quiet for 600\.\d s"\}\]$/,
    );
    assert.deepEqual(clientsOf(swept).lapsed, [{ client: 'c3', writers: [{ volume: 'v1', writer: 'c2' }] }]);
    const kept = readObservations(stateDir, bootId)!.nodes;
    assert.deepEqual(kept['client~c1'], { seq: 9, quietMs: 0 });
    assert.equal(kept['client~c3']?.seq, 7);
  });

  it('whose lease says that the agent left: it is not fenced, also where that is required', async () => {
    const dir = await written('fencing.policy=required', 'lease.timeout=30s');
    layLease(dir, 'c3', { ...QUIET, applied: null });
    const swept = await sweep(dir, fencing('exit 1'));
    assert.equal(swept.status, 0, swept.stderr);
    assert.deepEqual(clientsOf(swept).fenced, []);
    const { writer, reason } = await tablesOf(dir);
    assert.equal(writer, 'c2');
    assert.match(reason!, /^its agent left and did not come back for \d\.\d s$/, 'sooner than the lease timeout');
  });

  it('that are logged off and still recorded as writers', async () => {
    const dir = await written();
    await (await opened(dir)).change(clientLogoff, { client: 'c3', readOnly: false });
    assert.equal((await tablesOf(dir)).writer, 'c3');
    layLease(dir, 'c3', QUIET);
    const swept = await sweep(dir);
    assert.equal(swept.status, 0, swept.stderr);
    assert.equal((await tablesOf(dir)).writer, 'c2');
  });

  it('after their fencing, with the options of clients, where it is required', async () => {
    const dir = await written('fencing.policy=required');
    layLease(dir, 'c3', QUIET);
    const out = join(tempDir('out'), 'given');
    const options = { nodes: { c3: { plug: '1' } }, clients: { c3: { plug: '7' } } };
    const command = `cat > ${out}; echo "$CFS_FENCE_CLIENT$CFS_FENCE_NODE by $CFS_NODE" >> ${out}; echo "Success: off"`;
    const swept = await sweep(dir, fencing(command, '5s', options));
    assert.equal(swept.status, 0, swept.stderr);
    assert.equal(readFileSync(out, 'utf8'), 'nodename=c3\nplug=7\naction=off\nc3 by n1\n');
    assert.deepEqual(clientsOf(swept).fenced, [{ client: 'c3', ok: true, message: 'Success: off' }]);
    const { writer, reason } = await tablesOf(dir);
    assert.equal(writer, 'c2');
    assert.match(reason!, /^lease quiet for .* s; fenced by node n1: Success: off$/);
  });

  it('that wait to be fenced (6) while the command fails, is not configured, or would turn off this host', async () => {
    const dir = await written('fencing.policy=required');
    layLease(dir, 'c3', QUIET);
    const generation = generationOf(dir);
    const failing = fencing('echo "No route to host" >&2; exit 1');
    for (const args of [[], failing, fencing('exit 0', '5s', {}, { client: { name: 'c3' } })]) {
      const swept = await sweep(dir, args);
      assert.equal(swept.status, 6, swept.stderr);
      assert.deepEqual(
        [swept.json.committed, clientsOf(swept).quiet, clientsOf(swept).lapsed, swept.json.waits],
        [false, [], [], []],
      );
      assert.match(
        JSON.stringify(clientsOf(swept).waits),
        /^\[\{"client":"c3","why":"lease quiet for .* s; waits to be fenced \(fencing\.policy=required\)"\}\]$/,
      );
    }
    const args = ['failover', '--sweep', '--node', 'n1', '--state-dir', tempDir('state'), ...failing];
    const { stdout, status } = runCfs(args, { dir });
    assert.equal(status, 6);
    assert.match(
      stdout,
      /^client c3 could not be fenced: .*No route to host\nclient c3: lease quiet .*; waits to be fenced .*; cfs client logoff c3 --fenced says that it is off\nNothing to change /,
    );
    assert.equal(generationOf(dir), generation);
    assert.equal((await tablesOf(dir)).writer, 'c3');
  });

  it('wait (6) where fencing is optional and fails, as nodes do', async () => {
    const dir = await written();
    layLease(dir, 'c3', QUIET);
    const swept = await sweep(dir, fencing('exit 1'));
    assert.equal(swept.status, 6, swept.stderr);
    assert.match(JSON.stringify(clientsOf(swept).fenced), /"ok":false/);
    assert.match(JSON.stringify(clientsOf(swept).waits), /waits to be fenced: the command failed/);
    assert.equal((await tablesOf(dir)).writer, 'c3');
  });

  it('asked again under the lock: one that renews meanwhile is left alone', async () => {
    const dir = await written();
    layLease(dir, 'c3', { ...QUIET, applied: null });
    layLease(dir, 'c1', QUIET);
    // While c1 is fenced, the agent of c3 comes back.
    const back = leaseName({ node: clientHolder('c3'), seq: 8, released: 3, applied: 3, timeoutMs: 300 });
    const swept = await sweep(dir, fencing(`touch ${join(dir, 'leases', back)}`));
    assert.equal(swept.status, 0, swept.stderr);
    assert.deepEqual(clientsOf(swept).leftAlone, [{ client: 'c3', why: 'its lease was renewed meanwhile' }]);
    const { writer, isOn } = await tablesOf(dir);
    assert.deepEqual([writer, isOn('c3'), isOn('c1')], ['c3', true, false]);
  });

  it('but not to one for which a command of its host has mounted since its agent left', async () => {
    const dir = await accessCluster();
    cfs(['cluster', 'set', 'lease.interval=100ms', 'lease.timeout=300ms'], { dir });
    layLease(dir, 'c3', { ...QUIET, applied: null });
    const host = new ScriptedHost('c3');
    cfs(['volume', 'request-write', 'v1', '--client', 'c3', '--config', host.config], { dir });
    assert.deepEqual(host.mounted, { v1: 'rw' });
    const swept = await sweep(dir);
    assert.deepEqual([swept.status, clientsOf(swept).lapsed], [0, []]);
    const { writer, isOn } = await tablesOf(dir);
    assert.deepEqual([writer, isOn('c3')], ['c3', true]);
  });

  it('and to nodes in the same run, each by its own change', async () => {
    const dir = await written();
    cfs(['node', 'add', 'c3'], { dir });
    cfs(['node', 'online', 'c3'], { dir });
    putLease(dir, { node: 'c3', seq: 5 });
    layLease(dir, 'c3', QUIET);
    const swept = await sweep(dir);
    assert.equal(swept.status, 0, swept.stderr);
    const { failed, agents, committed, generation, base, quiet } = swept.json;
    assert.deepEqual([failed, agents, committed, (quiet as unknown[]).length], [['c3'], 1, true, 1]);
    assert.deepEqual([clientsOf(swept).agents, Number(generation) - Number(base)], [1, 2]);
    assert.equal((await tablesOf(dir)).writer, 'c2');
  });

  it('rehearses: nothing is fenced, kept or changed', async () => {
    const dir = await written('fencing.policy=required');
    layLease(dir, 'c3', QUIET);
    const out = join(tempDir('out'), 'ran');
    const stateDir = join(tempDir('state'), 'none');
    const { stdout } = changesNothing(dir, [
      ...['failover', '--sweep', '--dry-run', '--node', 'n1', '--state-dir', stateDir, ...fencing(`touch ${out}`)],
    ]);
    assert.match(stdout, /^client c3 would be fenced first\.\nc3 logged off: .*; v1 may be written by c2 now\n/);
    assert.ok(!existsSync(out) && !existsSync(stateDir));
    assert.equal((await tablesOf(dir)).writer, 'c3');
  });

  it('never while the cluster is frozen (4)', async () => {
    const dir = await written();
    layLease(dir, 'c3', QUIET);
    cfs(['cluster', 'freeze', '--reason', 'new switches'], { dir });
    const result = changesNothing(dir, ['failover', '--sweep', '--json'], { status: 4 });
    assert.equal(errorOf(result).code, 'CLUSTER_FROZEN');
  });
});
