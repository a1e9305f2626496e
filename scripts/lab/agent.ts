/**
 * One real `cfs agentd` on one host, kept as systemd would keep it: started, signalled, stopped, cleaned up after with
 * `cfs agentd stop-all` (the unit's ExecStopPost), and started again where asked.
 *
 * What it runs is real too: a volume is a process (`sleep`) that the driver starts and stops, and a file VOLUMES/NAME with its pid
 * and epoch. So "who has it" is seen from outside of cfs as well, not in the journals alone.
 */
import { type ChildProcess, spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { join } from 'node:path';
import type { SupervisorStatus } from '../../src/agentd/supervisor-status.js';
import { CFS, type Host } from './hosts.js';
import { isAlive, isNode, processTree, signalAll } from './proc.js';
import { waitFor } from './wait.js';

export interface AgentOptions {
  /** The cluster directory, as this host sees it. */
  dir: string;
  /** Directory of this node alone: state, configuration, log, volumes. */
  base: string;
  /** Added to the configuration file, e.g. `fencing`. */
  config?: Record<string, unknown>;
  /** Added to the agent's environment, e.g. libfaketime. */
  env?: Record<string, string>;
  /** The driver: processes that can be seen (default), or nothing at all (cheap). */
  driver?: 'processes' | 'record';
  /** As long as this file exists, the driver cannot stop anything. */
  stuckFile?: string;
  /** Clean up after its end as the unit does. Default true. */
  hasUnit?: boolean;
}

/** A driver in a few lines of shell. Everything it needs is written into it: agents give drivers a clean environment. */
function driverScript(volumes: string, stuckFile = ''): string {
  return `#!/bin/sh
# start|stop|running: a volume is a process, and a file with its pid and epoch
V='${volumes}'
alive() {
  [ -f "$V/$1" ] && read -r pid epoch <"$V/$1" || return 1
  case $(cat "/proc/$pid/stat" 2>/dev/null) in *'(sleep) Z'*) return 1 ;; *'(sleep)'*) return 0 ;; *) return 1 ;; esac
}
case $1 in
  start)
    alive "$CFS_VOLUME" || { setsid sleep 1000000 </dev/null >/dev/null 2>&1 & pid=$!; }
    echo "$pid $CFS_EPOCH" >"$V/.$CFS_VOLUME" && mv "$V/.$CFS_VOLUME" "$V/$CFS_VOLUME" ;;
  stop)
    [ -e '${stuckFile}' ] && { echo "$CFS_VOLUME is busy"; exit 1; }
    alive "$CFS_VOLUME" && kill -9 "$pid"
    while alive "$CFS_VOLUME"; do sleep 0.01; done
    rm -f "$V/$CFS_VOLUME" ;;
  running)
    for f in "$V"/*; do v=\${f##*/}; if alive "$v"; then echo "$v $epoch"; fi; done ;;
esac
`;
}

export class LabAgent {
  readonly node: string;
  readonly stateDir: string;
  readonly log: string;
  readonly volumesDir: string;
  readonly configFile: string;
  private child: ChildProcess | null = null;
  /** Pids of supervisor and worker as last seen: the worker of a killed supervisor has another parent. */
  private known: { supervisor: number; worker: number | null } | null = null;
  /** Resolves when the present incarnation has ended and was cleaned up after. */
  private ended: Promise<void> = Promise.resolve();
  /** The host was powered off: nothing is cleaned up. */
  private isOff = false;
  /** Every end that was not asked for. */
  unexpectedEnds = 0;
  private isStopping = false;
  /** Whether somebody cleans up after its end. */
  hasUnit: boolean;

  constructor(
    readonly host: Host,
    readonly options: AgentOptions,
  ) {
    this.node = host.name;
    this.hasUnit = options.hasUnit ?? true;
    this.stateDir = join(options.base, 'state');
    this.volumesDir = join(options.base, 'volumes');
    this.log = join(options.base, 'agent.log');
    this.configFile = join(options.base, 'agent.json');
    mkdirSync(this.stateDir, { recursive: true, mode: 0o700 });
    mkdirSync(this.volumesDir, { recursive: true });
    this.configure(options.config ?? {});
  }

  /** Writes the node's configuration; the agent reads it when it starts (or on SIGHUP). */
  configure(more: Record<string, unknown>): void {
    const driverFile = join(this.options.base, 'driver');
    writeFileSync(driverFile, driverScript(this.volumesDir, this.options.stuckFile), { mode: 0o755 });
    const driver = this.options.driver === 'record' ? { type: 'record' } : { type: 'exec', command: driverFile };
    const config = { node: this.node, dir: this.options.dir, stateDir: this.stateDir, driver, ...more };
    writeFileSync(this.configFile, JSON.stringify(config, null, 1));
    chmodSync(this.configFile, 0o600);
  }

  argv(...words: string[]): string[] {
    return [process.execPath, CFS, ...words, '--config', this.configFile];
  }

  get isRunning(): boolean {
    return this.child !== null;
  }

  /** Starts it; does not wait for anything. */
  start(): void {
    if (this.child !== null) throw new Error(`${this.node} runs already`);
    this.isOff = false;
    this.isStopping = false;
    this.known = null;
    const child = this.host.spawn(this.argv('agentd', '--node', this.node), {
      env: { CFS_DIR: this.options.dir, ...this.options.env },
      log: this.log,
    });
    this.child = child;
    this.ended = new Promise((resolve) => {
      child.once('exit', () => {
        this.child = null;
        if (!this.isStopping) this.unexpectedEnds++;
        this.afterEnd().then(resolve);
      });
    });
  }

  /** What the unit does when the service has ended: what is left of it is killed (KillMode=mixed), then ExecStopPost. */
  private async afterEnd(): Promise<void> {
    if (this.isOff || !this.hasUnit) return;
    if (this.known?.worker != null) signalAll([this.known.worker], 'SIGKILL');
    const { status, stderr } = await this.host.run(this.argv('agentd', 'stop-all'), { CFS_DIR: this.options.dir });
    if (status !== 0 && !this.isOff) console.error(`${this.node}: cfs agentd stop-all ended with ${status}: ${stderr}`);
  }

  /** Waits until it has ended and was cleaned up after. */
  wait(): Promise<void> {
    return this.ended;
  }

  /** Supervisor and worker, by their pids on this machine; null where there is none. */
  pids(): { supervisor: number; worker: number | null } | null {
    const root = this.child?.pid;
    if (root === undefined) return this.known;
    const [supervisor] = processTree(root).filter(isNode);
    if (supervisor === undefined) return this.known;
    const worker = processTree(supervisor).slice(1).find(isNode) ?? null;
    this.known = { supervisor, worker: worker ?? this.known?.worker ?? null };
    return { supervisor, worker };
  }

  /** Supervisor and worker once both run. */
  bothPids(limitMs = 5000): Promise<{ supervisor: number; worker: number }> {
    return waitFor(`both processes of ${this.node}`, limitMs, () => {
      const pids = this.pids();
      return pids?.worker == null ? null : { supervisor: pids.supervisor, worker: pids.worker };
    });
  }

  /** Signals one of them, both, or also what the driver started (a frozen machine). */
  async signal(who: 'worker' | 'supervisor' | 'both' | 'everything', signal: NodeJS.Signals): Promise<void> {
    const { supervisor, worker } = await this.bothPids();
    // The worker first: killed the other way round it would have a moment to notice.
    const pids = {
      worker: [worker],
      supervisor: [supervisor],
      both: [worker, supervisor],
      everything: [worker, supervisor],
    };
    const volumes = who === 'everything' ? this.volumePids() : [];
    signalAll([...pids[who], ...volumes], signal);
    // nsenter stops itself together with what it started, and has to be woken up together with it.
    if (signal === 'SIGCONT' && this.child?.pid !== undefined) signalAll([this.child.pid], signal);
  }

  /** Ends it in order. */
  async stop(): Promise<void> {
    this.isStopping = true;
    const supervisor = this.pids()?.supervisor;
    if (this.child !== null && supervisor !== undefined) signalAll([supervisor], 'SIGTERM');
    await this.ended;
  }

  /** Kills everything at once, as a power-off would; for hosts that cannot be powered off, and at the end of a run. */
  killNow(): void {
    this.isOff = true;
    const pids = this.pids();
    const list = [this.child?.pid, pids?.worker, pids?.supervisor].filter((pid) => pid != null);
    signalAll(list, 'SIGKILL');
    signalAll(this.volumePids(), 'SIGKILL');
    if (existsSync(this.volumesDir)) this.forgetVolumes();
  }

  /** Called before the host is powered off: from now on nobody cleans up. */
  powerGoes(): void {
    this.isOff = true;
    const [outside, supervisor] = [this.child?.pid, this.pids()?.supervisor];
    if (outside === undefined || supervisor === undefined || outside === supervisor) return;
    // nsenter, outside of the host, may be stopped together with the agent. It has to reap it, or the host cannot end; woken
    // up earlier it would wake the agent.
    const timer = setInterval(() => {
      if (isAlive(supervisor)) return;
      clearInterval(timer);
      signalAll([outside], 'SIGCONT');
    }, 5);
    timer.unref();
  }

  /** Called when the host was powered off. */
  powerIsOff(): void {
    this.forgetVolumes();
  }

  /** What ran is gone with the machine; so are its files, which a real machine would have in /run. */
  private forgetVolumes(): void {
    rmSync(this.volumesDir, { recursive: true, force: true });
    mkdirSync(this.volumesDir, { recursive: true });
  }

  /** Pids of the volumes' processes on this machine. */
  private volumePids(): number[] {
    const inside = new Set(this.volumes().values());
    if (inside.size === 0) return [];
    const found = spawnSync('pgrep', ['-x', 'sleep'], { encoding: 'utf8' }).stdout.split('\n').filter(Boolean);
    return found.map(Number).filter((pid) => this.isOurs(pid) && inside.has(innermostPid(pid)));
  }

  /** Whether a process was started for this node of this cluster: the agent gives drivers both names. */
  private isOurs(pid: number): boolean {
    try {
      const env = readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0');
      return env.includes(`CFS_NODE=${this.node}`) && env.includes(`CFS_DIR=${this.options.dir}`);
    } catch {
      return false;
    }
  }

  /** The volumes that run here as the driver sees it, with the pids of their processes as the host counts them. */
  volumes(): Map<string, number> {
    const volumes = new Map<string, number>();
    for (const name of existsSync(this.volumesDir) ? readdirSync(this.volumesDir) : []) {
      if (name.startsWith('.')) continue;
      try {
        volumes.set(name, Number(readFileSync(join(this.volumesDir, name), 'utf8').split(' ')[0]));
      } catch {
        // It was stopped meanwhile.
      }
    }
    return volumes;
  }

  /** Asks its status socket; null when nobody answers in time. */
  status(limitMs = 1000): Promise<SupervisorStatus | null> {
    return new Promise((resolve) => {
      let text = '';
      const socket = net.connect(join(this.stateDir, 'agentd.sock'));
      const end = (answer: SupervisorStatus | null): void => {
        socket.destroy();
        resolve(answer);
      };
      socket.setTimeout(limitMs, () => end(null));
      socket.on('error', () => end(null));
      socket.on('connect', () => socket.write('{"get":"status"}\n'));
      socket.on('close', () => resolve(null));
      socket.on('data', (chunk) => {
        text += chunk;
        if (text.includes('\n')) end(JSON.parse(text.slice(0, text.indexOf('\n'))) as SupervisorStatus);
      });
    });
  }
}

/** A process's number in the innermost PID namespace it is in. */
function innermostPid(pid: number): number {
  try {
    const line = /^NSpid:\s+(.*)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
    return Number(line?.[1]?.split(/\s+/).at(-1) ?? pid);
  } catch {
    return -1;
  }
}
