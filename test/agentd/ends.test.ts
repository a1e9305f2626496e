import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { openIntervals, readJournal } from '../../src/agentd/journal.js';
import type { ProcessId } from '../../src/agentd/state-dir.js';
import { isAlive, processId } from '../../src/agentd/state-lock.js';
import { newestLeases } from '../../src/core/membership/leases.js';
import { NodeProcesses } from '../../src/node/processes.js';
import { cfs, cfsJson, cleanEnv, runCfs, startCfs, tempDir } from '../kit/cli.js';
import type { Fixture } from './fixtures/worker.js';
import { eventually } from './kit.js';

const FIXTURE = fileURLToPath(new URL('./fixtures/agentd.ts', import.meta.url));
const running: ChildProcess[] = [];

/** What a process says, and its status in the end. */
function watched(child: ChildProcess) {
  running.push(child);
  const seen = { log: '', pid: child.pid!, over: Promise.resolve(0) };
  child.stderr!.on('data', (text) => {
    seen.log += text;
  });
  seen.over = new Promise((resolve) => child.on('close', (status) => resolve(status ?? -1)));
  return seen;
}

/** The supervisor with the fixture's worker. */
function withFixture(fixture: Fixture, stateDir = join(tempDir('ends'), 'state')) {
  const env = { ...cleanEnv(), FIXTURE: JSON.stringify(fixture) };
  const argv = [
    '--import',
    pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href,
    FIXTURE,
    '/nowhere/cfs',
    'n1',
    stateDir,
  ];
  return {
    ...{ stateDir },
    agent: watched(spawn(process.execPath, argv, { env, stdio: ['ignore', 'ignore', 'pipe'] })),
  };
}

function runs(stateDir: string): string[] {
  return openIntervals(readJournal(stateDir), new NodeProcesses().bootId()).map(({ volume }) => volume);
}

describe('the end of an agent', function () {
  this.timeout(60_000);

  after(() => {
    for (const child of running) child.kill('SIGKILL');
  });

  it('comes in the end also with a worker that does not hear: asked thrice, the supervisor stops everything itself', async () => {
    const { stateDir, agent } = withFixture({ volumes: ['v1'], deaf: true, timeoutMs: 60_000 });
    await eventually(() => runs(stateDir).length === 1, agent.log);
    process.kill(agent.pid, 'SIGTERM');
    await eventually(() => agent.log.includes('leaving'), 'asked');
    process.kill(agent.pid, 'SIGINT');
    assert.equal(await agent.over, 0, agent.log);
    assert.deepEqual(runs(stateDir), []);
    assert.match(agent.log, /asked again to leave: hurrying/);
  });

  it('is told with the reason and its status when the first worker cannot start', async () => {
    const { agent } = withFixture({ fatal: { code: 'CLUSTER_NOT_FOUND', message: 'There is none' } });
    assert.equal(await agent.over, 3);
    assert.match(agent.log, /"code": ?"CLUSTER_NOT_FOUND"/);
  });

  it('stops first what a former agent left running', async () => {
    const { stateDir, agent } = withFixture({ volumes: ['v1'], timeoutMs: 60_000 });
    await eventually(() => runs(stateDir).length === 1, agent.log);
    const worker = Number(/"pid":(\d+),"message":"worker started"/.exec(agent.log)?.[1]);
    process.kill(agent.pid, 'SIGSTOP');
    process.kill(worker, 'SIGKILL');
    process.kill(agent.pid, 'SIGKILL');
    await agent.over;
    assert.deepEqual(runs(stateDir), ['v1']);
    const next = withFixture({ volumes: [] }, stateDir).agent;
    await eventually(() => /a former agent left 1 volume running/.test(next.log), next.log);
    await eventually(() => runs(stateDir).length === 0, 'stopped');
    process.kill(next.pid, 'SIGTERM');
    assert.equal(await next.over, 0);
  });

  it('does not come because the supervisor alone was stopped for a while', async () => {
    const { stateDir, agent } = withFixture({ volumes: ['v1'], timeoutMs: 3000, intervalMs: 100 });
    await eventually(() => runs(stateDir).length === 1, agent.log);
    process.kill(agent.pid, 'SIGSTOP');
    await new Promise((resolve) => setTimeout(resolve, 4000));
    process.kill(agent.pid, 'SIGCONT');
    await new Promise((resolve) => setTimeout(resolve, 500));
    assert.doesNotMatch(agent.log, /stopping/, 'the worker had renewed the lease all the time');
    process.kill(agent.pid, 'SIGTERM');
    assert.equal(await agent.over, 0);
  });

  it('comes also while nobody reads the log', async () => {
    const stateDir = join(tempDir('ends'), 'state');
    const tsx = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href;
    const env = { ...cleanEnv(), FIXTURE: JSON.stringify({ volumes: ['v1'] } satisfies Fixture) };
    // Standard error is a pipe that is full from the beginning, with a reader that never reads.
    const full = '(head -c 65536 /dev/zero >&2; exec "$@") 2> >(exec sleep 12 <&0)';
    const argv = [process.execPath, '--import', tsx, FIXTURE, '/nowhere/cfs', 'n1', stateDir];
    running.push(spawn('bash', ['-c', full, 'bash', ...argv], { env, stdio: 'ignore' }));
    await eventually(() => runs(stateDir).length === 1, 'it runs');
    const { pid } = JSON.parse(readFileSync(join(stateDir, 'agentd.lock'), 'utf8')) as ProcessId;
    process.kill(pid, 'SIGTERM');
    await eventually(() => !isAlive(new NodeProcesses(), processId(new NodeProcesses(), pid)), 'it ends');
    assert.deepEqual(runs(stateDir), []);
  });

  it('comes to a second agent of the same node name, and to one told to drain after its volumes have gone', async () => {
    const dir = join(tempDir('ends'), 'cfs');
    const nodes = ['n1', 'n2'].map((name) => ({ name, weight: 1, domains: ['d'], state: 'online' }));
    const volumes = [{ name: 'v1', weight: 1, domains: ['d'], preferredNode: 'n1' }];
    cfs(['init', '--from', '-', '--yes'], {
      dir,
      input: JSON.stringify({ cluster: { name: 't' }, domains: ['d'], nodes, volumes }),
    });
    cfs(['cluster', 'set', 'lease.interval=300ms', 'lease.timeout=2s'], { dir });
    cfs(['rebalance'], { dir });
    const start = (node: string, stateDir: string) =>
      watched(startCfs(['agentd', '--node', node, '--state-dir', stateDir, '--drain'], { dir }));
    const [one, two] = [join(tempDir('one'), 's'), join(tempDir('two'), 's')];
    const first = start('n1', one);
    await eventually(() => runs(one).length === 1, first.log);
    const second = runCfs(['agentd', '--node', 'n1', '--state-dir', two], { dir });
    assert.equal(second.status, 4, second.stderr);
    assert.match(second.stderr, /another|live agent|n1/i);
    assert.deepEqual(runs(one), ['v1'], 'the first one goes on');
    const other = start('n2', two);
    await eventually(() => newestLeases(readdirSync(join(dir, 'leases'))).has('n2'), other.log);
    process.kill(first.pid, 'SIGTERM');
    assert.equal(await first.over, 0, first.log);
    await eventually(() => runs(two).length === 1, `taken over: ${other.log}`);
    const shown = cfsJson(['node', 'show', 'n1'], { dir }).node as { state: string };
    assert.equal(shown.state, 'offline');
    process.kill(other.pid, 'SIGTERM');
    assert.equal(await other.over, 0, other.log);
  });
});
