/**
 * A cluster of clients on this machine: real agents, real mounts, below one temporary directory. Every volume is a directory that each
 * client mounts (bind) at a place of its own; or an image that each client sees as a device of its own.
 */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { clientAdd } from '../../src/core/access/clients.js';
import { desiredMode } from '../../src/core/access/desired.js';
import { isLoggedOn } from '../../src/core/access/look.js';
import { volumeAllow } from '../../src/core/access/rights.js';
import { leaseInfo, listClientLeases } from '../../src/core/membership/leases.js';
import { nodePlatform } from '../../src/node/platform.js';
import { createCluster, type DirectoryCluster } from '../../src/open.js';
import { waitFor } from '../lab/wait.js';
import { ClientAgent, type ClientAgentOptions, type VolumeSource } from './client-agent.js';
import { MountSpace } from './mount-space.js';

export interface ClientLabOptions {
  /** A directory of this run alone; made anew. */
  base: string;
  clients: readonly string[];
  volumes: readonly string[];
  settings?: Record<string, string | number>;
  /** Requests are answered by the agents, yes. Default true. */
  autoRespond?: boolean;
  agent?: (client: string, base: string) => Partial<Omit<ClientAgentOptions, 'dir' | 'base' | 'client' | 'space'>>;
}

/** Quick, and yet slow enough for a busy machine. ms */
export const QUICK = { 'lease.timeout': 2000, 'lease.interval': 300 } as const;

export class ClientLab {
  readonly dir: string;
  readonly space = new MountSpace();
  readonly agents = new Map<string, ClientAgent>();
  cluster!: DirectoryCluster;

  constructor(readonly options: ClientLabOptions) {
    const { base, clients, volumes } = options;
    rmSync(base, { recursive: true, force: true });
    mkdirSync(base, { recursive: true, mode: 0o755 });
    this.dir = join(base, 'cfs');
    for (const volume of volumes) mkdirSync(this.source(volume), { recursive: true });
    for (const client of clients) {
      const own = join(base, client);
      mkdirSync(own);
      const sources: Record<string, VolumeSource> = Object.fromEntries(
        volumes.map((volume) => [volume, { directory: this.source(volume) }]),
      );
      const more = options.agent?.(client, own);
      this.agents.set(
        client,
        new ClientAgent({ dir: this.dir, base: own, client, space: this.space, volumes: sources, ...more }),
      );
    }
  }

  /** The directory that is the volume, as the storage sees it. */
  source(volume: string): string {
    return join(this.options.base, 'volumes', volume);
  }

  agent(client: string): ClientAgent {
    const agent = this.agents.get(client);
    if (agent === undefined) throw new Error(`there is no client ${client}`);
    return agent;
  }

  /** Makes the database: every client may mount every volume. Nothing is started. */
  async create(): Promise<void> {
    const { clients, volumes, settings, autoRespond = true } = this.options;
    const document = {
      settings: { name: 'clients', ...QUICK, ...settings },
      volumes: volumes.map((name) => ({ name })),
    };
    await this.space.ready();
    this.cluster = await createCluster({ dir: this.dir, document });
    await this.cluster.change(clientAdd, { clients: clients.map((name) => ({ name, autoRespond })) });
    await this.cluster.change(volumeAllow, { volume: volumes, client: clients });
  }

  /** What the client's host should have mounted by the newest generation, and what it has. */
  modes(client: string): { volume: string; wished: string; real: string }[] {
    const snapshot = this.cluster.snapshot();
    const mounts = new Map(this.space.mounts().map(({ at, mode }) => [at, mode]));
    return this.options.volumes.map((volume) => ({
      volume,
      wished: desiredMode(snapshot, volume, client),
      real: mounts.get(this.agent(client).mountPoint(volume)) ?? 'none',
    }));
  }

  /** Waits until every agent says that it has applied the newest generation, and the kernel's mounts are as the tables wish. */
  async converged(clients: readonly string[] = this.options.clients, limitMs = 60_000): Promise<void> {
    await waitFor(
      `the agents of ${clients.length} clients to have applied the newest generation`,
      limitMs,
      () => this.isConverged(clients),
      {
        everyMs: 50,
        explain: () => this.describe(clients),
      },
    );
  }

  /** Whether every client is logged on and its agent says that it has applied the newest generation. */
  haveApplied(clients: readonly string[] = this.options.clients): boolean {
    const snapshot = this.cluster.snapshot();
    const leases = listClientLeases(nodePlatform(), this.cluster.store.place.paths.leases);
    const hasApplied = (client: string) => (leases.get(client)?.applied ?? -1) >= snapshot.generation;
    return clients.every((client) => isLoggedOn(snapshot, client) && hasApplied(client));
  }

  private isConverged(clients: readonly string[]): boolean {
    if (!this.haveApplied(clients)) return false;
    return clients.every((client) => this.modes(client).every(({ wished, real }) => wished === real));
  }

  describe(clients: readonly string[] = this.options.clients): string {
    const { generation } = this.cluster.snapshot();
    const { leases: dir } = this.cluster.store.place.paths;
    const leases = listClientLeases(nodePlatform(), dir);
    const lines = clients.map((client) => {
      const lease = leases.get(client);
      const problems = lease === undefined ? [] : (leaseInfo(nodePlatform(), dir, lease)?.problems ?? []);
      const off = this.modes(client).filter(({ wished, real }) => wished !== real);
      const says = off.map(({ volume, wished, real }) => `${volume} is ${real}, not ${wished}`).join(', ');
      return `\n  ${client}: ${this.agent(client).isRunning ? 'runs' : 'down'}, released ${lease?.released}, applied ${lease?.applied}; ${says} ${problems.join('; ')}`;
    });
    return `generation ${generation}${lines.join('')}`;
  }

  async stopAll(): Promise<void> {
    await Promise.all([...this.agents.values()].map((agent) => agent.stop()));
  }

  /** Ends everything at once, and the mounts with it; safe to call twice, and while the process ends. */
  close(): void {
    for (const agent of this.agents.values()) agent.killNow();
    this.space.close();
  }

  /** Puts a file into a volume without any mount: what was there before anybody wrote. */
  seed(volume: string, name: string, content: string): void {
    writeFileSync(join(this.source(volume), name), content);
  }
}
