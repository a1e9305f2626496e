/** Coming and going: clocks that jump, nodes that flap, upgrades, a rack that powers up. */
import { join } from 'node:path';
import { clockEnv, setClock } from '../clock.js';
import type { LabCluster } from '../cluster.js';
import { monotonicMs } from '../proc.js';
import { holdingsOf, takeoverOf } from '../takeover.js';
import { waitFor } from '../wait.js';
import type { Scenario } from './scenario.js';

const passed = (ms: number): Promise<unknown> => {
  const end = monotonicMs() + ms;
  return waitFor(`${ms} ms to pass`, ms * 2, () => monotonicMs() > end);
};

async function generationOf(cluster: LabCluster): Promise<number> {
  return Number((await cluster.cfsJson(['status'])).generation);
}

/** The victim's clock jumps an hour forth, then two back; another node's jumps as the victim is killed. */
export const clockJumps: Scenario = {
  name: 'clock-jumps',
  title: 'clocks jump by ±1 h, then kill -9 of both',
  agent: (_node, base) => ({ env: clockEnv(base) }),
  async round({ cluster }, victim) {
    const at = (node: string): string => join(cluster.options.base, node);
    const generation = await generationOf(cluster);
    const events = cluster.journal().length;
    for (const offset of [3600, -3600]) {
      setClock(at(victim), offset);
      await passed(4000);
    }
    const moved = (await generationOf(cluster)) - generation + cluster.journal().length - events;
    const before = holdingsOf(cluster, victim);
    const other = [...cluster.agents.keys()].find((node) => node !== victim)!;
    const faultMs = monotonicMs();
    await cluster.agent(victim).signal('both', 'SIGKILL');
    setClock(at(other), 3600);
    const takeover = await takeoverOf(cluster, before, faultMs);
    setClock(at(other), 0);
    setClock(at(victim), 0);
    return { takeover, notes: [], wrong: moved === 0 ? [] : [`the jumps alone made ${moved} events`] };
  },
};

/** Down for longer than the lease, up for less than the hold-down, three times; then up for good. */
export const flapping: Scenario = {
  name: 'flapping',
  title: 'a node flaps three times (hold-down 4 s)',
  settings: { 'failback.hold': '4s' },
  hasPreferences: true,
  async round({ cluster }, victim) {
    const agent = cluster.agent(victim);
    const before = holdingsOf(cluster, victim);
    const since = monotonicMs();
    await agent.signal('both', 'SIGKILL');
    const takeover = await takeoverOf(cluster, before, since);
    for (let flap = 0; flap < 3; flap++) {
      await agent.wait();
      agent.start();
      if (flap === 2) break;
      await passed(2500);
      await agent.signal('both', 'SIGKILL');
      await passed(4000);
    }
    await waitFor(`${victim} to have its volumes back`, 25_000, () => agent.volumes().size >= before.size, {
      explain: () => cluster.describe(),
    });
    const starts = cluster.journal().filter(({ t, event }) => t > since && event === 'start');
    const most = Math.max(...[...before.keys()].map((name) => starts.filter(({ volume }) => volume === name).length));
    return { takeover, notes: [`moves of a volume: ${most}`], wrong: most > 2 ? [`a volume moved ${most} times`] : [] };
  },
};

/** One after the other, as an upgrade does it: nothing may move. */
export const rollingRestart: Scenario = {
  name: 'rolling-restart',
  title: 'rolling restart of all nodes',
  async round({ cluster }) {
    const generation = await generationOf(cluster);
    const owners = JSON.stringify([...cluster.owners()]);
    const since = monotonicMs();
    for (const agent of cluster.agents.values()) {
      const volumes = agent.volumes().size;
      await agent.stop();
      agent.start();
      await waitFor(`${agent.node} to run its ${volumes} volumes`, 15_000, () => agent.volumes().size === volumes, {
        explain: () => cluster.describe(),
      });
    }
    const moved = JSON.stringify([...cluster.owners()]) !== owners;
    const commits = (await generationOf(cluster)) - generation;
    const gap = longestGap(cluster, since);
    const wrong = [...(moved ? ['volumes moved'] : []), ...(commits > 0 ? [`${commits} generations`] : [])];
    return { takeover: null, notes: [`no owner for at most ${gap} ms`], wrong };
  },
};

/** The longest time from a volume's stop to its next start, ms. */
function longestGap(cluster: LabCluster, since: number): number {
  const stopped = new Map<string, number>();
  let longest = 0;
  for (const { t, volume, event } of cluster.journal()) {
    if (t < since) continue;
    if (event === 'start') longest = Math.max(longest, t - (stopped.get(volume) ?? t));
    else stopped.set(volume, t);
  }
  return Math.round(longest);
}

/** Five nodes that were never there: few rebalances, not one each. */
export const joinAtOnce: Scenario = {
  name: 'join-at-once',
  title: 'five nodes join at once',
  startsCold: true,
  async round({ cluster }) {
    const since = monotonicMs();
    cluster.startAll();
    await cluster.settled(undefined, 30_000);
    const ms = Math.round(monotonicMs() - since);
    const generations = await generationOf(cluster);
    const starts = cluster.journal().filter(({ event }) => event === 'start');
    const most = Math.max(...cluster.volumes.map((name) => starts.filter(({ volume }) => volume === name).length));
    const wrong = [
      ...(generations - 1 > 4 ? [`${generations - 1} changes of placement`] : []),
      ...(most > 3 ? [`a volume moved ${most - 1} times`] : []),
    ];
    return { takeover: null, notes: [`all run after ${ms} ms`, `${generations - 1} generations`], wrong };
  },
};
