/**
 * One real `cfs agentd --client C` of this machine, kept as systemd would: when it ends, what is left of it is killed, `cfs agentd
 * stop-all` runs (the unit's ExecStopPost), and it starts again where asked. It mounts below a directory of its own.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { chmodSync, closeSync, mkdirSync, openSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CFS, cleanEnv, type RunResult, runHere } from '../lab/hosts.js';
import { isAlive, isNode, processTree, signalAll } from '../lab/proc.js';
import { waitFor } from '../lab/wait.js';
import type { MountSpace } from './mount-space.js';

/** Where a volume of this client comes from, and the rest of its entry in the configuration. */
export interface VolumeSource {
  directory?: string;
  device?: string;
  fsType?: string;
  [more: string]: string | undefined;
}

export interface ClientAgentOptions {
  /** The cluster directory. */
  dir: string;
  /** Directory of this client alone: state, configuration, log, mount points. */
  base: string;
  client: string;
  /** Where its mounts are made. */
  space: MountSpace;
  volumes: Readonly<Record<string, VolumeSource>>;
  /** `driver` of the client's configuration; default: the `mount` driver. */
  driver?: Record<string, unknown>;
  /** More keys of `client` in the configuration, such as autoRespond. */
  more?: Record<string, unknown>;
  /** More keys of the configuration itself, such as fencing. */
  config?: Record<string, unknown>;
  /** Pause before it starts again after an end that was not asked for, ms; null: it stays down. */
  restartMs?: () => number | null;
}

export type Part = 'worker' | 'supervisor' | 'both';

export class ClientAgent {
  readonly client: string;
  readonly stateDir: string;
  readonly log: string;
  readonly configFile: string;
  private child: ChildProcess | null = null;
  private known: { supervisor: number; worker: number | null } | null = null;
  private ended: Promise<void> = Promise.resolve();
  private isStopping = false;
  private isAbandoned = false;
  private timer: NodeJS.Timeout | undefined;
  /** What stop-all said when it failed. */
  readonly complaints: string[] = [];
  unexpectedEnds = 0;
  /** Whether somebody cleans up after its end, as systemd does. */
  hasUnit = true;

  constructor(readonly options: ClientAgentOptions) {
    const { base, client } = options;
    this.client = client;
    this.stateDir = join(base, 'state');
    this.log = join(base, 'agent.log');
    this.configFile = join(base, 'agent.json');
    mkdirSync(this.stateDir, { recursive: true, mode: 0o700 });
    for (const volume of Object.keys(options.volumes)) mkdirSync(this.mountPoint(volume), { recursive: true });
    this.configure();
  }

  mountPoint(volume: string): string {
    return join(this.options.base, 'mnt', volume);
  }

  configure(more: Record<string, unknown> = {}): void {
    const { dir, client, volumes, driver, more: ofClient, config } = this.options;
    const entries = Object.entries(volumes).map(([name, source]) => [name, { ...source, at: this.mountPoint(name) }]);
    const own = {
      name: client,
      driver: driver ?? { type: 'mount' },
      volumes: Object.fromEntries(entries),
      ...ofClient,
    };
    // A directory of its own for hooks: those of this machine are none of ours.
    const hooksDir = join(this.options.base, 'hooks');
    const whole = { dir, stateDir: this.stateDir, hooksDir, client: { ...own, ...more }, ...config };
    writeFileSync(this.configFile, JSON.stringify(whole, null, 1));
    chmodSync(this.configFile, 0o600);
  }

  /** Runs cfs on the client's host. */
  cfs(words: readonly string[], env: Record<string, string> = {}): Promise<RunResult> {
    const own = { CFS_DIR: this.options.dir, CFS_CLIENT: this.client, ...env };
    return runHere(this.options.space.argv([process.execPath, CFS, ...words]), own);
  }

  get isRunning(): boolean {
    return this.child !== null;
  }

  start(): void {
    if (this.child !== null) throw new Error(`the agent of ${this.client} runs already`);
    clearTimeout(this.timer);
    this.isStopping = false;
    this.known = null;
    const words = ['agentd', '--client', this.client, '--config', this.configFile];
    const [program, ...argv] = this.options.space.argv([process.execPath, CFS, ...words]);
    const fd = openSync(this.log, 'a');
    const env = cleanEnv({ CFS_DIR: this.options.dir });
    const child = spawn(program!, argv, { env, stdio: ['ignore', fd, fd] });
    closeSync(fd);
    this.child = child;
    this.ended = new Promise((resolve) => {
      child.once('exit', () => {
        this.child = null;
        if (!this.isStopping) this.unexpectedEnds++;
        this.afterEnd().then(resolve);
      });
    });
  }

  /** As the unit does: KillMode=mixed, ExecStopPost, Restart. */
  private async afterEnd(): Promise<void> {
    if (this.isAbandoned || !this.hasUnit) return;
    if (this.known?.worker != null) signalAll([this.known.worker], 'SIGKILL');
    const { status, stdout, stderr } = await this.stopAll();
    if (status !== 0) this.complaints.push(`${this.client}: stop-all ended with ${status}: ${stdout}${stderr}`);
    const pauseMs = this.isStopping || this.isAbandoned ? null : (this.options.restartMs?.() ?? null);
    if (pauseMs !== null) this.timer = setTimeout(() => this.start(), pauseMs);
  }

  stopAll(): Promise<RunResult> {
    const words = ['agentd', 'stop-all', '--client', this.client, '--config', this.configFile];
    return runHere(this.options.space.argv([process.execPath, CFS, ...words]), { CFS_DIR: this.options.dir });
  }

  wait(): Promise<void> {
    return this.ended;
  }

  /** Supervisor and worker; null where there is none. */
  pids(): { supervisor: number; worker: number | null } | null {
    const root = this.child?.pid;
    if (root === undefined) return this.known;
    const [supervisor] = processTree(root).filter(isNode);
    if (supervisor === undefined) return this.known;
    const worker = processTree(supervisor).slice(1).find(isNode) ?? null;
    this.known = { supervisor, worker: worker ?? this.known?.worker ?? null };
    return { supervisor, worker };
  }

  bothPids(limitMs = 20_000): Promise<{ supervisor: number; worker: number }> {
    return waitFor(`both processes of the agent of ${this.client}`, limitMs, () => {
      const pids = this.pids();
      return pids?.worker == null ? null : { supervisor: pids.supervisor, worker: pids.worker };
    });
  }

  /** Signals one or both, the worker first. @returns false where it does not run now */
  signal(part: Part, signal: NodeJS.Signals): boolean {
    const pids = this.pids();
    if (this.child === null || pids?.worker == null) return false;
    const { supervisor, worker } = pids;
    signalAll(part === 'both' ? [worker, supervisor] : [part === 'worker' ? worker : supervisor], signal);
    return true;
  }

  /** Ends it in order, and waits until the unit has cleaned up. */
  async stop(): Promise<void> {
    this.isStopping = true;
    clearTimeout(this.timer);
    const supervisor = this.pids()?.supervisor;
    if (this.child !== null && supervisor !== undefined) signalAll([supervisor], 'SIGTERM');
    await this.ended;
    clearTimeout(this.timer);
  }

  /** Kills everything at once; safe to call while the process ends. */
  killNow(): void {
    this.isAbandoned = true;
    clearTimeout(this.timer);
    const pids = this.pids();
    signalAll(
      [pids?.worker, pids?.supervisor, this.child?.pid].filter((pid) => pid != null && isAlive(pid)) as number[],
      'SIGKILL',
    );
  }
}
