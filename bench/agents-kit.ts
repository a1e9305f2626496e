/** What the benchmarks of agents share: a cluster of many nodes in which one agent is real and the others renew their leases. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { LabAgent } from '../scripts/lab/agent.js';
import { LocalHost } from '../scripts/lab/hosts.js';
import { pause, waitFor } from '../scripts/lab/wait.js';
import { leaseName, listLeases } from '../src/core/membership/leases.js';
import { nodePlatform } from '../src/node/platform.js';
import { openCluster } from '../src/open.js';
import { sampleCluster, WORK } from './kit.js';

export { pause, waitFor };

/** Renews the leases of nodes that have no agent, each at its own moment of the interval, as agents would. */
export class Renewer {
  private readonly timers: NodeJS.Timeout[] = [];
  private readonly seq = new Map<string, number>();
  generation: number;

  constructor(
    private readonly dir: string,
    nodes: readonly string[],
    intervalMs: number,
    generation: number,
  ) {
    this.generation = generation;
    mkdirSync(path.join(dir, 'leases'), { recursive: true });
    nodes.forEach((node, i) => {
      this.renew(node);
      const first = setTimeout(
        () => {
          this.renew(node);
          this.timers.push(setInterval(() => this.renew(node), intervalMs));
        },
        (intervalMs * i) / nodes.length,
      );
      this.timers.push(first);
    });
  }

  private renew(node: string): void {
    const seq = (this.seq.get(node) ?? 0) + 1;
    const file = (number: number): string =>
      path.join(
        this.dir,
        'leases',
        leaseName({ node, seq: number, released: this.generation, applied: this.generation, timeoutMs: 10_000 }),
      );
    const info = { version: '0', format: 2, host: 'bench', bootId: 'bench', pid: 1, incarnation: node, problems: [] };
    writeFileSync(file(seq), `${JSON.stringify(info)}\n`, { flag: 'wx' });
    if (seq > 1) rmSync(file(seq - 1), { force: true });
    this.seq.set(node, seq);
  }

  close(): void {
    for (const timer of this.timers) clearTimeout(timer);
  }
}

/** One real agent in a sample cluster of NODESxVOLUMES, and a renewer for the other nodes. */
export interface Company {
  dir: string;
  agent: LabAgent;
  pids: { supervisor: number; worker: number };
  /** Volumes of the real agent's node. */
  volumes: number;
  close(): Promise<void>;
}

const LEASE_INTERVAL_MS = 2000;

export async function companyOf(size: string): Promise<Company> {
  const dir = sampleCluster(size);
  const cluster = await openCluster({ dir });
  const snapshot = cluster.snapshot();
  const nodes = [...snapshot.table('nodes').entries()].map(([name]) => name);
  const node = nodes[0]!;
  const volumes = [...snapshot.table('placements').entries()].filter(([, placement]) => placement.node === node).length;
  rmSync(path.join(dir, 'leases'), { recursive: true, force: true });
  const renewer = new Renewer(dir, nodes.slice(1), LEASE_INTERVAL_MS, snapshot.generation);
  const base = path.join(WORK, `agent-${size}`);
  const agent = new LabAgent(new LocalHost(node), { dir, base, driver: 'record', hasUnit: false });
  agent.start();
  await waitFor(`the agent of ${size} to have applied generation ${snapshot.generation}`, 60_000, () => {
    const lease = listLeases(nodePlatform(), path.join(dir, 'leases')).get(node);
    return lease !== undefined && lease.applied === snapshot.generation;
  });
  const pids = await agent.bothPids();
  const close = async (): Promise<void> => {
    await agent.stop();
    renewer.close();
  };
  return { dir, agent, pids, volumes, close };
}
