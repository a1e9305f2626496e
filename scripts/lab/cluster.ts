/** A cluster of real agents in the lab: made, brought up, watched, broken, healed, judged. */
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type JournalEvent, readJournal } from '../../src/agentd/journal.js';
import { type AgentOptions, LabAgent } from './agent.js';
import { CFS, type Host, LabHost, runHere } from './hosts.js';
import { monotonicMs } from './proc.js';
import { waitFor } from './wait.js';

/** What only the harness knows: when a host lost its power, and with it everything that it ran. */
export interface HarnessEvent {
  t: number;
  node: string;
  event: 'power-off';
}

export interface ClusterOptions {
  /** Directory on this machine for states, logs and configurations; made anew. */
  base: string;
  /** The cluster directory, as every host sees it. */
  dir: string;
  hosts: readonly Host[];
  volumes: number;
  /** Settings; they come on top of LAB_SETTINGS. */
  settings?: Record<string, string>;
  /** Per agent. */
  agent?: (node: string, base: string) => Partial<Omit<AgentOptions, 'dir' | 'base'>>;
  /** Environment of the command that makes the database. */
  createEnv?: Record<string, string>;
  /** Each volume prefers a node, in turn. Default: none prefers any. */
  hasPreferences?: boolean;
}

export const LAB_SETTINGS = {
  'lease.timeout': '3s',
  'lease.interval': '500ms',
  'join.settle': '500ms',
  'apply.timeout': '5s',
  // A node that is back gets volumes at once, so that rounds follow one another quickly.
  'failback.hold': '0s',
} as const;

export class LabCluster {
  readonly agents = new Map<string, LabAgent>();
  readonly volumes: string[];
  readonly harness: HarnessEvent[] = [];

  constructor(readonly options: ClusterOptions) {
    rmSync(options.base, { recursive: true, force: true });
    for (const host of options.hosts) {
      const base = join(options.base, host.name);
      mkdirSync(base, { recursive: true });
      this.agents.set(host.name, new LabAgent(host, { dir: options.dir, base, ...options.agent?.(host.name, base) }));
    }
    this.volumes = Array.from({ length: options.volumes }, (_, i) => `v${String(i + 1).padStart(3, '0')}`);
  }

  get dir(): string {
    return this.options.dir;
  }

  agent(node: string): LabAgent {
    const agent = this.agents.get(node);
    if (agent === undefined) throw new Error(`there is no agent ${node}`);
    return agent;
  }

  /** Runs cfs in a host (or, without one, on this machine where it sees the directory); must succeed. */
  async cfs(args: readonly string[], given: Host | null = null, more: Record<string, string> = {}): Promise<string> {
    const on = given ?? (existsSync(join(this.dir, 'cluster.json')) ? null : this.someHost());
    const argv = [process.execPath, CFS, ...args];
    const env = { CFS_DIR: this.dir, ...more };
    const { status, stdout, stderr } = await (on === null ? runHere(argv, env) : on.run(argv, env));
    if (status !== 0) throw new Error(`cfs ${args.join(' ')} ended with ${status}: ${stdout}${stderr}`);
    return stdout;
  }

  async cfsJson(args: readonly string[], on: Host | null = null): Promise<Record<string, unknown>> {
    return JSON.parse(await this.cfs([...args, '--json'], on)) as Record<string, unknown>;
  }

  /** A host whose agent runs, and holds something: its directory works. */
  private someHost(): Host {
    const agents = [...this.agents.values()].filter(({ isRunning }) => isRunning);
    return (agents.find((agent) => agent.volumes().size > 0) ?? agents[0])?.host ?? this.first;
  }

  /** The host in which the database is made. */
  get first(): Host {
    return this.options.hosts[0]!;
  }

  /** Makes the database: nodes that may join, volumes that anyone may have. */
  async create(on: Host = this.first): Promise<void> {
    const names = this.options.hosts.map((host) => host.name);
    const document = {
      cluster: { name: 'lab', ...LAB_SETTINGS, ...this.options.settings },
      nodes: names.map((name) => ({ name, weight: 1, domains: ['ALL'], groups: [] })),
      volumes: this.volumes.map((name, i) => ({
        name,
        weight: 1 + (i % 4),
        domains: ['ALL'],
        preferredNode: this.options.hasPreferences ? names[i % names.length]! : null,
      })),
    };
    const file = join(this.options.base, 'cluster.json');
    writeFileSync(file, JSON.stringify(document));
    await this.cfs(['init', '--from', file], on, this.options.createEnv);
  }

  startAll(): void {
    for (const agent of this.agents.values()) if (!agent.isRunning) agent.start();
  }

  /** Which node runs each volume, as the drivers see it: more than one only when something is wrong. */
  owners(): Map<string, string[]> {
    const owners = new Map<string, string[]>(this.volumes.map((volume) => [volume, []]));
    for (const agent of this.agents.values()) {
      for (const volume of agent.volumes().keys()) owners.get(volume)?.push(agent.node);
    }
    return owners;
  }

  volumesOf(node: string): string[] {
    return [...this.agent(node).volumes().keys()].sort();
  }

  /** Waits until every volume runs on exactly one of `nodes`, and all of them hold something (unless there are too few). */
  async settled(nodes: readonly string[] = [...this.agents.keys()], limitMs = 20_000): Promise<void> {
    const allowed = new Set(nodes);
    await waitFor(
      `every volume to run on one of ${nodes.join(', ')}, and each of these to have some`,
      limitMs,
      () => {
        const owners = [...this.owners().values()];
        const one = owners.every((list) => list.length === 1 && allowed.has(list[0]!));
        const all = nodes.every((node) => this.volumes.length < nodes.length * 2 || this.volumesOf(node).length > 0);
        return one && all && this.haveApplied(nodes);
      },
      { explain: () => this.describe() },
    );
  }

  /** Whether the agents say that they have applied one and the same generation: no change is under way. */
  private async haveApplied(nodes: readonly string[]): Promise<boolean> {
    const answers = await Promise.all(nodes.map((node) => this.agent(node).status(300)));
    const applied = answers.map((answer) => answer?.agent?.applied ?? -1);
    return applied.every((generation) => generation === applied[0] && generation > 0);
  }

  /** How things stand, for the message of a failure: agents, their own words, ends of their logs. */
  async describe(): Promise<string> {
    const lines = [...this.agents.values()].map(async (agent) => {
      const volumes = this.volumesOf(agent.node).length;
      const status = await agent.status(300);
      const log = existsSync(agent.log) ? readFileSync(agent.log, 'utf8').trimEnd().split('\n').slice(-3) : [];
      const { phase, agent: own, problems } = status ?? {};
      const worker =
        status === null
          ? 'no answer'
          : `${phase}, ${own?.state}, generation ${own?.generation}, released ${own?.released}, applied ${own?.applied} ${problems}`;
      return `\n  ${agent.node}: ${agent.isRunning ? 'runs' : 'down'}, ${volumes} volumes; ${worker}\n    ${log.join('\n    ')}`;
    });
    return (await Promise.all(lines)).join('');
  }

  /** All events of all journals, by time. */
  journal(): JournalEvent[] {
    const events = [...this.agents.values()].flatMap((agent) => readJournal(agent.stateDir));
    return events.sort((a, b) => a.t - b.t);
  }

  /** Cuts the power of a host, or what comes closest where there are no hosts: everything is killed at once. */
  async powerOff(node: string): Promise<number> {
    const agent = this.agent(node);
    const at = monotonicMs();
    agent.powerGoes();
    if (agent.host instanceof LabHost) await agent.host.crash();
    else agent.killNow();
    agent.powerIsOff();
    this.harness.push({ t: monotonicMs(), node, event: 'power-off' });
    await agent.wait();
    return at;
  }

  async powerOn(node: string): Promise<void> {
    const agent = this.agent(node);
    if (agent.host instanceof LabHost) await agent.host.boot();
    agent.start();
  }

  /** Ends everything in order, at the same time. */
  async stopAll(): Promise<void> {
    await Promise.all([...this.agents.values()].map((agent) => agent.stop()));
  }

  /** Ends everything at once; safe to call when the process ends. */
  killAll(): void {
    for (const agent of this.agents.values()) agent.killNow();
  }
}
