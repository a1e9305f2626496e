/** Measuring a takeover: from the fault until the last volume that the victim ran runs again, wherever that is. */
import type { LabCluster } from './cluster.js';
import { monotonicMs } from './proc.js';
import { waitFor } from './wait.js';

export interface Takeover {
  /** How many volumes the victim ran. */
  volumes: number;
  /** Nodes that run them now, each with how many. */
  takers: Map<string, number>;
  /** How many of them run on the node that had them before. */
  stayed: number;
  /** From the fault until the last of them runs again, ms. */
  lastMs: number;
  /** For each volume, the time in which nobody ran it, ms; negative: two nodes ran it for so long. */
  gapsMs: number[];
}

/** Who runs each volume of `node` and as which process, before anything happens to it. */
export function holdingsOf(cluster: LabCluster, node: string): Map<string, string> {
  return new Map([...cluster.agent(node).volumes()].map(([volume, pid]) => [volume, `${node}:${pid}`]));
}

/** Processes that run each volume now. */
function running(cluster: LabCluster): Map<string, string[]> {
  const processes = new Map<string, string[]>();
  for (const agent of cluster.agents.values()) {
    for (const [volume, pid] of agent.volumes()) {
      processes.set(volume, [...(processes.get(volume) ?? []), `${agent.node}:${pid}`]);
    }
  }
  return processes;
}

/**
 * Waits until each volume of `before` (holdingsOf) runs as another process than before.
 * @param faultMs monotonic time of the fault
 * @throws Error after `limitMs`
 */
export async function takeoverOf(
  cluster: LabCluster,
  before: ReadonlyMap<string, string>,
  faultMs: number,
  limitMs = 20_000,
): Promise<Takeover> {
  const seen = new Map<string, { node: string; atMs: number }>();
  await waitFor(
    `${before.size} volumes to run again`,
    limitMs,
    () => {
      const now = running(cluster);
      const atMs = monotonicMs();
      for (const [volume, old] of before) {
        const fresh = now.get(volume)?.find((process) => process !== old);
        if (fresh !== undefined && !seen.has(volume)) seen.set(volume, { node: fresh.split(':')[0]!, atMs });
      }
      return seen.size === before.size;
    },
    { everyMs: 10, explain: () => cluster.describe() },
  );
  const takers = new Map<string, number>();
  for (const { node } of seen.values()) takers.set(node, (takers.get(node) ?? 0) + 1);
  const victim = [...before.values()][0]?.split(':')[0] ?? '';
  const ends = endsOf(cluster, victim, faultMs);
  return {
    volumes: before.size,
    takers,
    stayed: [...seen].filter(([volume, { node }]) => before.get(volume)?.split(':')[0] === node).length,
    lastMs: Math.max(0, ...[...seen.values()].map(({ atMs }) => atMs - faultMs)),
    gapsMs: [...seen].map(([volume, { atMs }]) => atMs - (ends.get(volume) ?? faultMs)),
  };
}

/** When the victim's volumes ended after the fault, by its journal; a power-off ends all (and is not in there). */
function endsOf(cluster: LabCluster, victim: string, faultMs: number): Map<string, number> {
  const ends = new Map<string, number>();
  for (const { t, node, volume, event } of cluster.journal()) {
    if (node !== victim || t < faultMs || (event !== 'stop' && event !== 'fenced') || ends.has(volume)) continue;
    ends.set(volume, t);
  }
  return ends;
}
