import assert from 'node:assert/strict';
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readJournal } from '../../src/agentd/journal.js';
import { askStatus } from '../../src/agentd/socket.js';
import { writeIdentity } from '../../src/agentd/state-dir.js';
import type { ClientSupervisorStatus, SupervisorStatus } from '../../src/agentd/supervisor-status.js';
import { clientAdd, clientSet } from '../../src/core/access/clients.js';
import { isLoggedOn, pendingRequest, writerOf } from '../../src/core/access/look.js';
import { volumeMount } from '../../src/core/access/mounts.js';
import { requestWrite } from '../../src/core/access/requests.js';
import { volumeAllow } from '../../src/core/access/rights.js';
import { newestLeases } from '../../src/core/membership/leases.js';
import type { Operation } from '../../src/core/operation.js';
import { NodeProcesses } from '../../src/node/processes.js';
import { type DirectoryCluster, openCluster } from '../../src/open.js';
import { cfs, runCfs, tempDir } from '../kit/cli.js';
import { ClientAgent, callsOf, endAll, soon, twoWriters } from './client-kit.js';
import { script } from './kit.js';

/** Nothing here waits for a lease to lapse, and none must on a busy machine. */
const TIMEOUT_MS = 10_000;

/** A cluster of n1 and the clients c1, c2 and c3, who may mount v1 and v2. */
async function cluster(): Promise<DirectoryCluster> {
  const dir = join(tempDir('client-agentd'), 'cfs');
  const document = {
    cluster: { name: 't', 'lease.interval': '300ms', 'lease.timeout': `${TIMEOUT_MS}ms` },
    domains: ['d'],
    nodes: [{ name: 'n1', weight: 1, domains: ['d'], state: 'online' }],
    volumes: ['v1', 'v2'].map((name) => ({ name, weight: 1, domains: ['d'] })),
  };
  cfs(['init', '--from', '-', '--yes'], { dir, input: JSON.stringify(document) });
  // Before it is opened here: a process keeps the lock until its event loop turns.
  cfs(['rebalance'], { dir });
  const opened = await openCluster({ dir });
  const clients = ['c1', 'c2', 'c3'];
  await opened.change(clientAdd, { clients: clients.map((name) => ({ name, autoRespond: name !== 'c3' })) });
  await opened.change(volumeAllow, { volume: ['v1', 'v2'], client: clients });
  return opened;
}

describe('cfs agentd --client', function () {
  this.timeout(120_000);
  const base = tempDir('clients');
  let opened: DirectoryCluster;
  let c1: ClientAgent;
  let c2: ClientAgent;

  const change = <Q, R>(operation: Operation<Q, R>, request: Q) => opened.change(operation, request);
  const writer = (volume = 'v1') => writerOf(opened.snapshot(), volume).writer;
  const loggedOn = (client: string) => isLoggedOn(opened.snapshot(), client);
  /** Of one agent: what status says, once it says so. */
  const says = (agent: ClientAgent, what: (status: ClientSupervisorStatus) => boolean) =>
    soon(
      async () => {
        const status = await agent.ask();
        return status !== undefined && what(status) && status;
      },
      () => `status of ${agent.client}: ${agent.log}`,
    );

  before(async () => {
    opened = await cluster();
    c1 = new ClientAgent(base, opened.dir, 'c1');
    c2 = new ClientAgent(base, opened.dir, 'c2');
    c1.start();
    c2.start();
    for (const agent of [c1, c2]) await agent.has(['v1 ro', 'v2 ro']);
  });

  after(endAll);

  it('logs the client on and mounts what it may, renews its lease, says so to systemd and in the log', async () => {
    assert.ok(loggedOn('c1'));
    await soon(
      () => readdirSync(join(opened.dir, 'leases')).some((name) => /^client~c1\.\d+\.\d+\.[1-9]\d*\.10000$/.test(name)),
      () => 'a lease',
    );
    await soon(
      () =>
        c1.notified().includes('READY=1') &&
        c1.notified().some((line) => /^STATUS=logged on, 2 volumes mounted, 0 for writing/.test(line)),
      () => c1.notified().join('\n'),
    );
    assert.match(c1.log, /INFO {2}client c1 supervisor: agent of client c1 begins/);
    assert.equal(statSync(c1.stateDir).mode & 0o777, 0o700);
    assert.equal(JSON.parse(readFileSync(join(c1.stateDir, 'agentd.json'), 'utf8')).client, 'c1');
  });

  it('mounts for writing when the tables say so, with the epoch of the right, and tells it', async () => {
    await change(volumeMount, { volume: 'v1', client: 'c1', rw: true });
    await c1.has(['v1 rw', 'v2 ro']);
    const { since } = writerOf(opened.snapshot(), 'v1');
    const status = await says(c1, ({ agent }) => agent?.volumes.find(({ volume }) => volume === 'v1')?.mode === 'rw');
    assert.deepEqual([status.phase, status.client, status.problems], ['running', 'c1', []]);
    assert.deepEqual(status.holdings, [{ volume: 'v1', epoch: since }]);
    assert.deepEqual(c1.open(), ['v1']);
    const text = c1.run(['status']).stdout;
    assert.match(text, /^Client: +c1\nState: +logged on\n/);
    assert.match(text, /^VOLUME +MOUNTED +DESIRED +EPOCH +WHY\nv1 +rw +rw +\d+ +-\nv2 +ro +ro +- +-$/m);
    assert.equal(JSON.parse(c1.run(['status', '--json']).stdout).agent.isLoggedOn, true);
  });

  it('answers a request by the configured program and hands over: read-only here before it is for writing there', async () => {
    const asked = join(base, 'asked');
    const autoRespond = script(
      `echo "$CFS_CLIENT $CFS_VOLUME $CFS_FROM $CFS_MESSAGE" >> ${asked}; echo take it`,
      join(c1.home, 'answer'),
    );
    c1.configure({ autoRespond });
    c1.signal('SIGHUP');
    await soon(
      () => /configuration read again: client changed/.test(c1.log),
      () => c1.log,
    );
    await change(requestWrite, { volume: 'v1', client: 'c2', message: 'my turn' });
    await c2.has(['v1 rw', 'v2 ro']);
    assert.deepEqual(c1.mounted(), ['v1 ro', 'v2 ro']);
    assert.equal(writer(), 'c2');
    assert.equal(readFileSync(asked, 'utf8'), 'c1 v1 c2 my turn\n');
    const request = opened.snapshot().table('requests').get('v1/c2');
    assert.deepEqual([request?.response, request?.responseMessage], ['granted', 'take it']);
    assert.deepEqual(twoWriters(callsOf(base)), []);
  });

  it('denies what keeps the mount busy, with the reason, and leaves the mount alone', async () => {
    c2.keepBusy('v1');
    await change(requestWrite, { volume: 'v1', client: 'c1' });
    const answered = await soon(
      () => {
        const request = opened.snapshot().table('requests').get('v1/c1');
        return request?.response === 'denied' && request;
      },
      () => c2.log,
    );
    assert.match(answered.responseMessage ?? '', /editor \(process 4711\)/);
    assert.deepEqual([c2.mounted(), c2.isBusy('v1'), writer()], [['v1 rw', 'v2 ro'], true, 'c2']);
    const release = runCfs(['volume', 'release-write', 'v1', '--client', 'c2', '--wait', '40s'], { dir: opened.dir });
    assert.equal(release.status, 4, release.stderr);
    assert.match(release.stderr, /c2 keeps v1: programs have files open there/);
    assert.deepEqual([c2.mounted(), c2.isBusy('v1'), writer()], [['v1 rw', 'v2 ro'], true, 'c2']);
  });

  it('[F40] has one process per client: a second one is refused and touches nothing', async () => {
    const second = new ClientAgent(base, opened.dir, 'c2', 'c2-again');
    second.start();
    assert.equal(await second.over(), 4, second.log);
    assert.match(second.log, /c2.*agent|agent.*c2/);
    assert.deepEqual(second.mounted(), []);
    assert.deepEqual(c2.mounted(), ['v1 rw', 'v2 ro'], 'the first one goes on');
    const inSameState = c2.run(['--client', 'c2', '--dir', opened.dir]);
    assert.equal(inSameState.status, 4, inSameState.stderr);
    assert.match(inSameState.stderr, /An agent runs already with this state directory/);
  });

  it('[F37] makes everything read-only at once when the worker is killed, by force; the next one mounts it for writing again', async () => {
    const right = writerOf(opened.snapshot(), 'v1');
    const before = callsOf(base).length;
    assert.ok(c2.isBusy('v1'));
    c2.signal('SIGKILL', await c2.workerPid());
    const ask = ['volume', 'request-write', 'v1', '--config', c2.config, '--wait', '40s'];
    const asked = runCfs(ask, { dir: opened.dir, env: { CFS_STATE_DIR: c2.stateDir } });
    assert.deepEqual([asked.status, c2.mounted()], [0, ['v1 rw', 'v2 ro']], asked.stderr);
    assert.match(asked.stdout, /c2 may write v1/);
    await soon(
      () => callsOf(base).slice(before).includes('c2 ro v1 force'),
      () => c2.log,
    );
    await c2.has(['v1 rw', 'v2 ro'], 'again');
    assert.equal(c2.isBusy('v1'), false, 'the program was ended');
    await soon(
      () => /made read-only 1 volume/.test(c2.log),
      () => c2.log,
    );
    assert.match(c2.log, /making read-only 1 volume: the worker was killed by SIGKILL/);
    assert.match(c2.log, /made read-only 1 volume in \d+ ms, before another client may write/);
    const { writer: name, since } = writerOf(opened.snapshot(), 'v1');
    assert.deepEqual([name, since, loggedOn('c2')], ['c2', right.since, true]);
    assert.equal((await c2.ask())?.worker?.restarts, 1);
  });

  it('[F38] of which the supervisor was killed unmounts everything by its worker, which logs the client off and ends', async () => {
    const worker = await c2.workerPid();
    c2.signal('SIGKILL');
    await c2.over();
    await soon(
      () => !new NodeProcesses().exists(worker),
      () => 'the worker is gone',
    );
    assert.deepEqual([c2.mounted(), c2.open(), writer()], [[], [], null]);
    assert.equal(loggedOn('c2'), false);
    assert.match(c2.log, /client c2 worker: the supervisor is gone/);
    assert.deepEqual(twoWriters(callsOf(base)), []);
  });

  it('[F39] of which both processes were killed leaves what is mounted for writing to cfs agentd stop-all', async () => {
    c2.start();
    await c2.has(['v1 ro', 'v2 ro']);
    await change(requestWrite, { volume: 'v1', client: 'c2' });
    await c2.has(['v1 rw', 'v2 ro']);
    c2.keepBusy('v1');
    const worker = await c2.workerPid();
    c2.signal('SIGSTOP');
    c2.signal('SIGKILL', worker);
    c2.signal('SIGKILL');
    await c2.over();
    assert.deepEqual(c2.mounted(), ['v1 rw', 'v2 ro']);
    const { status, stdout, stderr } = c2.run(['stop-all', '--client', 'c2']);
    assert.deepEqual([status, stdout], [0, 'Made 1 volume of client c2 read-only.\n'], stderr);
    assert.deepEqual([c2.mounted(), c2.open()], [['v1 ro', 'v2 ro'], []]);
    assert.equal(c2.run(['stop-all']).stdout, 'Nothing ran.\n');
  });

  it('ends in order on SIGTERM: logs off, and whoever waits gets the right to write', async () => {
    c2.start();
    await c2.has(['v1 rw', 'v2 ro']);
    await change(clientSet, { name: 'c2', autoRespond: false });
    await change(requestWrite, { volume: 'v1', client: 'c1' });
    assert.ok(pendingRequest(opened.snapshot(), 'v1', 'c1'), 'nobody answers');
    c2.signal('SIGTERM');
    assert.equal(await c2.over(), 0, c2.log);
    await c1.has(['v1 rw', 'v2 ro']);
    assert.deepEqual([loggedOn('c2'), writer()], [false, 'c1']);
    assert.ok(c2.mounted().every((line) => !line.endsWith('rw')));
    assert.equal(newestLeases(readdirSync(join(opened.dir, 'leases'))).get('client~c2')?.applied, null);
    assert.deepEqual(twoWriters(callsOf(base)), []);
  });

  it('[F41] waits for a busy mount when it is to end, and ends the programs when it is asked again', async () => {
    c1.keepBusy('v1');
    c1.signal('SIGTERM');
    await soon(
      () => /editor \(process 4711\)/.test(c1.log),
      () => c1.log,
    );
    assert.deepEqual([c1.mounted().includes('v1 rw'), writer()], [true, 'c1']);
    c1.signal('SIGTERM');
    assert.equal(await c1.over(), 0, c1.log);
    assert.deepEqual([c1.isBusy('v1'), loggedOn('c1'), writer()], [false, false, null]);
  });

  it('touches nothing without a configuration of its client, and does what the tables say all the same', async () => {
    const agent = new ClientAgent(base, opened.dir, 'c3');
    writeFileSync(agent.config, '{"client":{"name":"c1"}}');
    agent.start(['--client', 'c3']);
    await soon(
      () => loggedOn('c3') && agent.notified().some((line) => /2 volumes mounted/.test(line)),
      () => agent.log,
    );
    assert.match(agent.log, /the configuration is of client c1, not of c3: this agent touches no mounts/);
    agent.signal('SIGTERM');
    assert.equal(await agent.over(), 0, agent.log);
  });

  it('is refused for a client that the cluster does not have, with --drain, and in the state directory of a node', () => {
    const { dir } = opened;
    const state = join(tempDir('x'), 's');
    const agentd = (...args: string[]) => runCfs(['agentd', '--client', ...args, '--state-dir', state], { dir });
    const unknown = agentd('c9');
    assert.equal(unknown.status, 3, unknown.stderr);
    assert.match(unknown.stderr, /client "c9"/);
    const drain = agentd('c1', '--drain');
    assert.equal(drain.status, 2, drain.stderr);
    assert.match(drain.stderr, /--drain is for the agent of a node/);
    writeIdentity(state, { role: 'node', name: 'n1', dir, supervisor: null, worker: null });
    const mixed = agentd('c1');
    assert.equal(mixed.status, 2, mixed.stderr);
    assert.match(mixed.stderr, /is that of node n1, not of client c1/);
  });
});

describe('cfs agentd of a node and a client in one process', function () {
  this.timeout(120_000);
  const base = tempDir('both');
  let opened: DirectoryCluster;
  let agent: ClientAgent;
  const clientState = () => join(agent.stateDir, 'client~c1');
  const nodeRuns = async () => {
    const { agent: of } = ((await askStatus(agent.stateDir)) ?? {}) as Partial<SupervisorStatus>;
    return of?.volumes.filter(({ state }) => state === 'running').length === 2;
  };

  before(async () => {
    opened = await cluster();
    agent = new ClientAgent(base, opened.dir, 'c1');
    agent.configure({}, { node: 'n1' });
  });

  after(endAll);

  it('is what the configuration names; each has a worker, a state directory, a lease and a status of its own', async () => {
    agent.start([]);
    await agent.has(['v1 ro', 'v2 ro']);
    await soon(nodeRuns, () => agent.log);
    await soon(
      () => agent.notified().includes('READY=1'),
      () => agent.log,
    );
    const ofNode = agent.run(['status', '--node', 'n1']).stdout;
    const ofClient = agent.run(['status', '--client', 'c1']).stdout;
    assert.match(ofNode, /^Node: +n1\n/);
    assert.match(ofClient, /^Client: +c1\n/);
    assert.match(
      agent.run(['status']).stdout,
      /^Node: +n1\n(?:.*\n)*Another agent runs here, of client c1: add --client c1\n$/,
    );
    const leases = newestLeases(readdirSync(join(opened.dir, 'leases')));
    assert.deepEqual([...leases.keys()].sort(), ['client~c1', 'n1']);
    assert.ok(statSync(join(clientState(), 'agentd.sock')).isSocket());
    await soon(
      () =>
        agent
          .notified()
          .some((line) => /^STATUS=node n1: online, 2 volumes.* \| client c1: logged on, 2 volumes mounted/.test(line)),
      () => agent.notified().join('\n'),
    );
  });

  it('[F42] fences the one whose worker dies, and not the other', async () => {
    await opened.change(volumeMount, { volume: 'v1', client: 'c1', rw: true });
    await agent.has(['v1 rw', 'v2 ro']);
    const status = (await agent.ask(clientState()))!;
    agent.signal('SIGKILL', status.worker!.pid);
    await soon(
      () => callsOf(base).includes('c1 ro v1 force'),
      () => agent.log,
    );
    await agent.has(['v1 rw', 'v2 ro']);
    assert.ok(await nodeRuns());
    assert.equal(readJournal(agent.stateDir).filter(({ event }) => event === 'fenced').length, 0);
  });

  it('is ended as one by SIGTERM', async () => {
    agent.signal('SIGTERM');
    assert.equal(await agent.over(), 0, agent.log);
    assert.equal(agent.notified().filter((line) => line === 'STOPPING=1').length, 1);
    assert.deepEqual(agent.mounted(), []);
    const leases = newestLeases(readdirSync(join(opened.dir, 'leases')));
    assert.deepEqual([leases.get('n1')?.applied, leases.get('client~c1')?.applied], [null, null]);
  });

  it('leaves both to one stop-all when everything was killed', async () => {
    agent.start(['--node', 'n1', '--client', 'c1']);
    await agent.has(['v1 ro', 'v2 ro']);
    await opened.change(volumeMount, { volume: 'v2', client: 'c1', rw: true });
    await agent.has(['v1 ro', 'v2 rw']);
    await soon(nodeRuns, () => agent.log);
    const workers = await Promise.all(
      [agent.stateDir, clientState()].map(async (dir) => (await agent.ask(dir))!.worker!.pid),
    );
    agent.signal('SIGSTOP');
    for (const pid of workers) agent.signal('SIGKILL', pid);
    agent.signal('SIGKILL');
    await agent.over();
    const { status, stdout, stderr } = agent.run(['stop-all']);
    assert.deepEqual([status, stdout], [0, 'Stopped 2 volumes.\nMade 1 volume of client c1 read-only.\n'], stderr);
    assert.deepEqual(agent.mounted(), ['v1 ro', 'v2 ro']);
  });

  it('[F43] goes on with the node when the client cannot, says so, tries it again on SIGHUP, and ends with its status', async () => {
    agent.configure({ name: 'c9' }, { node: 'n1' });
    agent.start([]);
    await soon(
      () => /The agent of client c9 has ended; that of node n1 goes on.*Why: .*"c9"/.test(agent.log),
      () => agent.log,
    );
    await soon(nodeRuns, () => agent.log);
    await soon(
      () => agent.notified().includes('READY=1'),
      () => agent.log,
    );
    assert.match(agent.run(['status']).stdout, /^Problem: The agent of client c9 has ended; .*"c9"/m);
    await opened.change(clientAdd, { clients: [{ name: 'c9' }] });
    agent.signal('SIGHUP');
    await soon(
      () => isLoggedOn(opened.snapshot(), 'c9'),
      () => agent.log,
    );
    agent.signal('SIGTERM');
    assert.equal(await agent.over(), 0, agent.log);
    agent.configure({ name: 'c8' }, { node: 'n1' });
    agent.start([]);
    await soon(nodeRuns, () => agent.log);
    await soon(
      () => /The agent of client c8 has ended/.test(agent.log),
      () => agent.log,
    );
    agent.signal('SIGTERM');
    assert.equal(await agent.over(), 3, agent.log);
  });
});
