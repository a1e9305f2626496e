/** Forty real agents on one directory of one machine: all online, renewals on time, what it costs. */
import path from 'node:path';
import { LabCluster } from '../scripts/lab/cluster.js';
import { LocalHost } from '../scripts/lab/hosts.js';
import { memoryKib, monotonicMs, processorMs } from '../scripts/lab/proc.js';
import { listLeases } from '../src/core/membership/leases.js';
import { nodePlatform } from '../src/node/platform.js';
import { pause, waitFor } from './agents-kit.js';
import { type Row, WORK } from './kit.js';

const INTERVAL_MS = 2000;
const TIMEOUT_MS = 10_000;

/** Watches for `seconds`; gives the longest time between two renewals that was seen of any node, ms. */
async function longestRenewal(dir: string, seconds: number): Promise<number> {
  const platform = nodePlatform();
  const seen = new Map<string, { seq: number; atMs: number }>();
  const end = monotonicMs() + seconds * 1000;
  let longest = 0;
  while (monotonicMs() < end) {
    const now = monotonicMs();
    for (const { node, seq } of listLeases(platform, path.join(dir, 'leases')).values()) {
      const known = seen.get(node);
      if (known?.seq === seq) continue;
      if (known !== undefined) longest = Math.max(longest, now - known.atMs);
      seen.set(node, { seq, atMs: now });
    }
    await pause(25);
  }
  return longest;
}

export async function manyRows(count: number, seconds: number): Promise<Row[]> {
  const hosts = Array.from({ length: count }, (_, i) => new LocalHost(`n${String(i + 1).padStart(3, '0')}`));
  const cluster = new LabCluster({
    base: path.join(WORK, 'many'),
    dir: path.join(WORK, 'many-shared'),
    hosts,
    volumes: count * 5,
    settings: {
      'lease.interval': `${INTERVAL_MS}ms`,
      'lease.timeout': `${TIMEOUT_MS}ms`,
      'join.settle': '2s',
      'apply.timeout': '60s',
    },
    agent: () => ({ driver: 'record', hasUnit: false }),
  });
  try {
    await cluster.create();
    const startedMs = monotonicMs();
    cluster.startAll();
    await waitFor(
      `${count} nodes to be online and to have applied one generation`,
      180_000,
      () => isSettled(cluster, count),
      {
        everyMs: 200,
        explain: async () => (await cluster.cfs(['node', 'list'])).slice(0, 2000),
      },
    );
    const upMs = monotonicMs() - startedMs;
    const generations = Number((await cluster.cfsJson(['status'])).generation);
    await pause(5000);
    const pids = (await Promise.all([...cluster.agents.values()].map((agent) => agent.bothPids()))).flatMap(
      ({ supervisor, worker }) => [supervisor, worker],
    );
    const before = pids.map(processorMs);
    const longest = await longestRenewal(cluster.dir, seconds);
    const cpu = (pids.reduce((sum, pid, i) => sum + processorMs(pid) - before[i]!, 0) / (seconds * 1000)) * 100;
    const pss = pids.reduce((sum, pid) => sum + memoryKib(pid).pss, 0);
    const after = Number((await cluster.cfsJson(['status'])).generation);
    return [
      {
        what: `${count} agents: all online, all applied`,
        measured: `${(upMs / 1000).toFixed(1)} s`,
        note: `${generations - 1} generations after init`,
      },
      {
        what: `${count} agents, ${seconds} s: longest time between two renewals`,
        measured: `${(longest / 1000).toFixed(2)} s`,
        value: longest / 1000,
        goal: (TIMEOUT_MS * 0.7) / 1000,
        unit: 's',
        note: `interval 2 s; a supervisor would stop everything at 7 s; ${after - generations} generations meanwhile`,
      },
      {
        what: `${count} agents: processor, all ${pids.length} processes`,
        measured: `${cpu.toFixed(1)} % of a core`,
        note: `${(cpu / count).toFixed(2)} % each`,
      },
      {
        what: `${count} agents: memory (PSS)`,
        measured: `${((pss * 1024) / 1e6).toFixed(0)} MB`,
        note: `${((pss * 1024) / 1e6 / count).toFixed(0)} MB each`,
      },
    ];
  } finally {
    cluster.killAll();
  }
}

/** All are online and acknowledge the same generation, as `cfs` counts them. */
async function isSettled(cluster: LabCluster, count: number): Promise<boolean> {
  const leases = [...listLeases(nodePlatform(), path.join(cluster.dir, 'leases')).values()];
  if (leases.length < count || new Set(leases.map(({ applied }) => applied)).size !== 1) return false;
  const { openCluster } = await import('../src/open.js');
  const snapshot = (await openCluster({ dir: cluster.dir })).snapshot();
  const online = [...snapshot.table('membership').entries()].filter(([, { state }]) => state === 'online').length;
  return online === count && leases[0]!.applied === snapshot.generation;
}
