import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { type JournalEvent, openIntervals, readJournal } from '../../src/agentd/journal.js';
import { monotonicMs } from '../../src/agentd/supervisor-clock.js';
import type { SupervisorStatus } from '../../src/agentd/supervisor-status.js';
import { newestLeases } from '../../src/core/membership/leases.js';
import { NodeProcesses } from '../../src/node/processes.js';
import { CFS, cfs, cfsJson, cleanEnv, runCfs, tempDir } from '../kit/cli.js';
import { eventually, script } from './kit.js';

const TIMEOUT_MS = 2000;

/** A cluster of n1 and n2 in which n1 has two volumes. */
function cluster(): string {
  const dir = join(tempDir('agentd'), 'cfs');
  const nodes = ['n1', 'n2'].map((name) => ({ name, weight: 1, domains: ['d'], state: 'online' }));
  const volumes = ['v1', 'v2'].map((name) => ({ name, weight: 1, domains: ['d'], preferredNode: 'n1' }));
  cfs(['init', '--from', '-', '--yes'], {
    dir,
    input: JSON.stringify({ cluster: { name: 't' }, domains: ['d'], nodes, volumes }),
  });
  cfs(['cluster', 'set', 'lease.interval=300ms', `lease.timeout=${TIMEOUT_MS}ms`], { dir });
  cfs(['rebalance'], { dir });
  return dir;
}

/** `cfs agentd` in a process of its own. */
class Agent {
  readonly stateDir: string;
  readonly config: string;
  readonly said: string;
  log = '';
  private child!: ChildProcess;
  private ended!: Promise<number>;

  constructor(
    readonly dir: string,
    readonly node = 'n1',
  ) {
    const home = tempDir('agent');
    this.stateDir = join(home, 'state');
    this.config = join(home, 'agent.json');
    this.said = join(home, 'notified');
    writeFileSync(this.said, '');
    writeFileSync(this.config, '{}');
  }

  get pid(): number {
    return this.child.pid!;
  }

  /** Starts it, and waits until its lease was renewed. */
  async start(): Promise<this> {
    const notify = script(`echo "$*" >> ${this.said}`, join(dirname(this.config), 'bin/systemd-notify'));
    const env = cleanEnv({ dir: this.dir, env: { NOTIFY_SOCKET: '/run/x', CFS_STATE_DIR: this.stateDir } });
    const path = `${dirname(notify)}${delimiter}${env.PATH}`;
    this.child = spawn(process.execPath, [CFS, 'agentd', '--node', this.node, '--config', this.config], {
      cwd: tempDir('cwd'),
      env: { ...env, PATH: path },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    this.child.stderr!.on('data', (text) => {
      this.log += text;
    });
    this.ended = new Promise((resolve) =>
      this.child.on('close', (status, signal) => resolve(status ?? (signal ? -1 : 0))),
    );
    await eventually(() => this.notified().includes('READY=1'), `the agent is ready: ${this.log}`);
    return this;
  }

  notified(): string[] {
    return readFileSync(this.said, 'utf8').split('\n');
  }

  run(args: string[]) {
    return runCfs(['agentd', ...args, '--state-dir', this.stateDir]);
  }

  status(): SupervisorStatus {
    return cfsJson(['agentd', 'status', '--state-dir', this.stateDir]) as unknown as SupervisorStatus;
  }

  journal(event?: JournalEvent['event']): JournalEvent[] {
    return readJournal(this.stateDir).filter((line) => event === undefined || line.event === event);
  }

  running(): string[] {
    return openIntervals(this.journal(), new NodeProcesses().bootId()).map(({ volume }) => volume);
  }

  async runsAll(): Promise<void> {
    await eventually(() => this.running().length === 2, `both volumes run: ${this.log}`);
  }

  signal(signal: NodeJS.Signals, pid = this.pid): void {
    process.kill(pid, signal);
  }

  /** The exit status; -1 when it was killed. */
  over(): Promise<number> {
    return this.ended;
  }

  killAll(): void {
    this.child.kill('SIGKILL');
  }
}

describe('cfs agentd', function () {
  this.timeout(60_000);
  const dir = cluster();
  const agent = new Agent(dir);

  before(async () => {
    await agent.start();
    await agent.runsAll();
  });

  after(() => agent.killAll());

  it('guards the node: starts its volumes, renews its lease, says so to systemd', async () => {
    await eventually(
      () => readdirSync(join(dir, 'leases')).some((name) => /^n1\.\d+\.3\.3\.\d+$/.test(name)),
      'applied',
    );
    assert.ok(agent.notified().some((line) => line.startsWith('STATUS=online')));
    assert.equal(statSync(agent.stateDir).mode & 0o777, 0o700);
    assert.equal(statSync(join(agent.stateDir, 'agentd.sock')).mode & 0o777, 0o600);
  });

  it('tells what it does: a table, and JSON', async () => {
    await eventually(() => agent.status().agent?.applied === 3, 'told');
    const { phase, lease, holdings, worker, problems } = agent.status();
    assert.deepEqual([phase, problems, lease?.timeoutMs], ['running', [], TIMEOUT_MS]);
    assert.deepEqual(holdings.map(({ volume }) => volume).sort(), ['v1', 'v2']);
    assert.deepEqual([worker?.state, worker?.restarts], ['running', 0]);
    const text = agent.run(['status']).stdout;
    assert.match(text, /^Node: +n1\nState: +online\n/);
    assert.match(text, /^VOLUME +STATE +EPOCH +WHY\nv1 +running +3 +-$/m);
    assert.match(text, /^n1 +\d+ +3 +3 +/m);
  });

  it('is one per state directory, and what it runs is not stopped by others', () => {
    const second = agent.run(['--node', 'n1', '--dir', dir]);
    assert.equal(second.status, 4, second.stderr);
    assert.match(second.stderr, /An agent runs already with this state directory: process \d+/);
    assert.equal(agent.run(['stop-all']).status, 4);
  });

  it('reads its configuration again on SIGHUP, and keeps the old one when the new is wrong', async () => {
    writeFileSync(agent.config, '{"logLevel":"debug","node":"n2"}');
    agent.signal('SIGHUP');
    await eventually(() => /configuration read again: logLevel changed/.test(agent.log), 'read');
    assert.match(agent.log, /only a restart makes it hold: node/);
    writeFileSync(agent.config, '{"logLevel":');
    agent.signal('SIGHUP');
    await eventually(
      () => /the configuration stays as it was: .*agent\.json is not a valid/.test(agent.log),
      'refused',
    );
    writeFileSync(agent.config, '{}');
    await eventually(
      () => agent.notified().filter((line) => /^RELOADING=1 MONOTONIC_USEC=\d+$/.test(line)).length === 2,
      'told',
    );
  });

  it('stops everything when the worker is killed, and starts it again with another worker', async () => {
    const { worker } = agent.status();
    agent.signal('SIGKILL', worker!.pid);
    await eventually(() => agent.journal('fenced').length === 2, 'stopped');
    await agent.runsAll();
    assert.match(agent.log, /stopping 2 volumes: the worker was killed by SIGKILL/);
    const status = agent.status();
    assert.equal(status.worker?.restarts, 1);
    assert.deepEqual([status.lastFence?.stopped, status.lastFence?.inTime], [2, true]);
  });

  it('stops everything in time when the worker is stopped, and answers meanwhile', async () => {
    const fenced = agent.journal('fenced').length;
    const { worker } = agent.status();
    const stopped = monotonicMs();
    agent.signal('SIGSTOP', worker!.pid);
    assert.ok(agent.status().problems.includes('The worker is stopped.'));
    await eventually(() => agent.journal('fenced').length === fenced + 2, 'stopped');
    // The last renewal began before it was stopped; from then on 0.95 of the timeout.
    for (const { t } of agent.journal('fenced').slice(-2)) {
      assert.ok(t - stopped <= 0.95 * TIMEOUT_MS, `${t - stopped} ms after the worker was stopped`);
      assert.ok(t - stopped >= 0.7 * TIMEOUT_MS - 1000, 'not long before its time');
    }
    await agent.runsAll();
    assert.equal(agent.status().worker?.restarts, 2);
  });

  it('ends in order on SIGTERM: everything is stopped, and the lease says that it left', async () => {
    agent.signal('SIGTERM');
    assert.equal(await agent.over(), 0);
    assert.deepEqual(agent.running(), []);
    assert.equal(newestLeases(readdirSync(join(dir, 'leases'))).get('n1')?.applied, null);
    assert.ok(agent.notified().includes('STOPPING=1'));
    const gone = agent.run(['status']);
    assert.equal(gone.status, 7);
    assert.match(gone.stderr, /No agent runs here\n.*cfs agentd/);
  });

  it('whose supervisor is killed stops everything by its worker, and starts again as if nothing had been', async () => {
    await agent.start();
    await agent.runsAll();
    const { worker } = agent.status();
    agent.signal('SIGKILL');
    await eventually(() => agent.running().length === 0, 'stopped');
    await eventually(() => !new NodeProcesses().exists(worker!.pid), 'the worker is gone');
    assert.equal(agent.run(['stop-all']).stdout, 'Nothing ran.\n');
  });

  it('of which both processes were killed leaves what runs to cfs agentd stop-all', async () => {
    await agent.start();
    await agent.runsAll();
    const { worker } = agent.status();
    agent.signal('SIGSTOP');
    agent.signal('SIGKILL', worker!.pid);
    agent.signal('SIGKILL');
    await agent.over();
    assert.equal(agent.running().length, 2);
    const { status, stdout, stderr } = agent.run(['stop-all']);
    assert.deepEqual([status, stdout], [0, 'Stopped 2 volumes.\n'], stderr);
    assert.deepEqual(agent.running(), []);
  });

  it('says why it cannot start', () => {
    const nowhere = runCfs([
      'agentd',
      '--node',
      'n1',
      '--dir',
      tempDir('none'),
      '--state-dir',
      join(tempDir('s'), 's'),
    ]);
    assert.equal(nowhere.status, 3, nowhere.stderr);
    assert.match(nowhere.stderr, /There is no cluster in|no cluster/i);
  });
});
