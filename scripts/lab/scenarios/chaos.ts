/**
 * Many faults, several at a time, at moments that nobody chose; CFS_SEED repeats a run. Everything but a frozen machine, which needs
 * fencing: no volume may have two owners at any time, and afterwards everything runs.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { LabAgent } from '../agent.js';
import type { LabCluster } from '../cluster.js';
import { LabHost } from '../hosts.js';
import { monotonicMs } from '../proc.js';
import { pause, waitFor } from '../wait.js';
import type { Lab, Scenario } from './scenario.js';

const FAULTS_PER_ROUND = 12;

/** mulberry32, numbers in [0, 1). */
function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

type Fault = (cluster: LabCluster, agent: LabAgent, random: () => number, lab: Lab) => Promise<void>;

async function killed(agent: LabAgent, who: 'worker' | 'supervisor' | 'both', downMs: number): Promise<void> {
  await agent.signal(who, 'SIGKILL');
  if (who === 'worker') return;
  await agent.wait();
  await pause(downMs);
  if (!agent.isRunning) agent.start();
}

let isHanging = false;

const FAULTS: Record<string, Fault> = {
  'kill worker': (_cluster, agent) => killed(agent, 'worker', 0),
  'kill supervisor': (_cluster, agent, random) => killed(agent, 'supervisor', random() * 5000),
  'kill both': (_cluster, agent, random) => killed(agent, 'both', random() * 5000),
  'stop worker': (_cluster, agent) => agent.signal('worker', 'SIGSTOP'),
  async 'stop worker for a moment'(_cluster, agent, random) {
    await agent.signal('worker', 'SIGSTOP');
    await pause(random() * 2500);
    // It may have been killed and replaced meanwhile: then the new one gets a signal that does nothing.
    await agent.signal('worker', 'SIGCONT');
  },
  async 'power off'(cluster, agent, random, { repair }) {
    await cluster.powerOff(agent.node);
    await pause(random() * 5000);
    if (agent.host instanceof LabHost) await agent.host.boot();
    await repair();
    agent.start();
  },
  async 'lose the directory'(cluster, agent, random) {
    if (!(agent.host instanceof LabHost)) return;
    const empty = join(cluster.options.base, 'empty');
    mkdirSync(empty, { recursive: true });
    await agent.host.must('mount', '--bind', empty, cluster.dir);
    await pause(random() * 6000);
    await agent.host.must('umount', cluster.dir);
  },
  async 'hang for all'(_cluster, _agent, random, { disk }) {
    if (disk === null || isHanging) return;
    isHanging = true;
    await disk.freeze();
    await pause(random() * 5000);
    await disk.thaw();
    isHanging = false;
  },
  async restart(_cluster, agent, random) {
    await agent.stop();
    await pause(random() < 0.5 ? 0 : random() * 5000);
    agent.start();
  },
  async rebalance(cluster) {
    await cluster.cfs(['rebalance']);
  },
  async standby(cluster, agent, random) {
    await cluster.cfs(['node', 'standby', agent.node, '--yes']);
    await pause(random() * 3000);
    await cluster.cfs(['node', 'online', agent.node]);
  },
  async weight(cluster, agent, random) {
    await cluster.cfs(['node', 'set', agent.node, '--weight', String(1 + Math.floor(random() * 4))]);
    await cluster.cfs(['rebalance']);
  },
};

let rounds = 0;

/** Starts whose agent found no directory and ended (Restart=always), puts online who was left in standby, and asks whether all are. */
async function allOnline(cluster: LabCluster): Promise<boolean> {
  cluster.startAll();
  const { nodes } = (await cluster.cfsJson(['node', 'list'])) as { nodes: { name: string; state: string }[] };
  for (const { name, state } of nodes) if (state === 'standby') await cluster.cfs(['node', 'online', name]);
  return nodes.every(({ state }) => state === 'online');
}

export const chaos: Scenario = {
  name: 'chaos',
  title: `${FAULTS_PER_ROUND} faults at random, several at a time`,
  async round(lab) {
    const { cluster } = lab;
    const seed = Number(process.env.CFS_SEED ?? Date.now() % 1_000_000) + rounds++;
    const random = randomOf(seed);
    const busy = new Map<string, Promise<void>>();
    const failed: string[] = [];
    const names = Object.keys(FAULTS);
    for (let number = 0; number < FAULTS_PER_ROUND; number++) {
      const free = [...cluster.agents.values()].filter(({ node }) => !busy.has(node));
      const agent = free[Math.floor(random() * free.length)];
      const name = names[Math.floor(random() * names.length)]!;
      if (agent !== undefined) {
        // A command may be refused for the state in which another fault has left its node; that is no failure here.
        const done = FAULTS[name]!(cluster, agent, random, lab)
          .catch((error: unknown) => void failed.push(`${name} ${agent.node}: ${String(error).slice(0, 120)}`))
          .finally(() => busy.delete(agent.node));
        busy.set(agent.node, done);
      }
      await pause(random() * 2500);
    }
    await Promise.all(busy.values());
    for (const agent of cluster.agents.values()) {
      // One that was stopped before its first renewal holds nothing, and waits.
      if (agent.isRunning) await agent.signal('worker', 'SIGCONT');
      else agent.start();
    }
    const endedMs = monotonicMs();
    await waitFor('every node to be online', 40_000, () => allOnline(cluster), {
      everyMs: 500,
      explain: () => cluster.describe(),
    });
    await cluster.cfs(['rebalance']);
    await cluster.settled(undefined, 40_000).catch((error: unknown) => {
      throw new Error(`seed ${seed}: ${(error as Error).message}`);
    });
    const ms = Math.round(monotonicMs() - endedMs);
    if (failed.length > 0) console.error(`seed ${seed}: ${failed.join('\n  ')}`);
    return { takeover: null, notes: [`seed ${seed}`, `all run ${ms} ms after the last`] };
  },
};
