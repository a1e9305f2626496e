/** Processes that stand still: SIGSTOP, as a debugger, a hypervisor or a cgroup freezer does it. */
import type { LabCluster } from '../cluster.js';
import { monotonicMs } from '../proc.js';
import { holdingsOf, takeoverOf } from '../takeover.js';
import { waitFor } from '../wait.js';
import type { Scenario } from './scenario.js';

export const stopWorker: Scenario = {
  name: 'stop-worker',
  title: 'SIGSTOP of the worker',
  async round({ cluster }, victim) {
    const before = holdingsOf(cluster, victim);
    const faultMs = monotonicMs();
    await cluster.agent(victim).signal('worker', 'SIGSTOP');
    return { takeover: await takeoverOf(cluster, before, faultMs), notes: [] };
  },
};

export const stopAllFenced: Scenario = {
  name: 'stop-all-fenced',
  title: 'SIGSTOP of everything, fencing powers the host off',
  needs: 'namespaces',
  settings: { 'fencing.policy': 'required' },
  agent: (_node, _base, { fenceCommand }) => ({ config: { fencing: { command: fenceCommand, timeout: '10s' } } }),
  async round({ cluster }, victim) {
    const before = holdingsOf(cluster, victim);
    const faultMs = monotonicMs();
    await cluster.agent(victim).signal('everything', 'SIGSTOP');
    const takeover = await takeoverOf(cluster, before, faultMs);
    const offs = cluster.harness.filter(({ node, t }) => node === victim && t > faultMs);
    return { takeover, notes: [offs.length === 1 ? 'fenced once' : `fenced ${offs.length} times`] };
  },
};

export const stopAllUnfenced: Scenario = {
  name: 'stop-all-unfenced',
  title: 'SIGSTOP of everything, no fencing, SIGCONT after 6 s',
  mayOverlap: true,
  async round({ cluster }, victim) {
    const before = holdingsOf(cluster, victim);
    const faultMs = monotonicMs();
    await cluster.agent(victim).signal('everything', 'SIGSTOP');
    const takeover = await takeoverOf(cluster, before, faultMs);
    await waitFor('6 s to pass', 10_000, () => monotonicMs() - faultMs > 6000);
    const wokenMs = monotonicMs();
    await cluster.agent(victim).signal('everything', 'SIGCONT');
    await oneOwnerAgain(cluster, victim, before);
    return { takeover, notes: [`two owners for ${Math.round(monotonicMs() - wokenMs)} ms after SIGCONT`] };
  },
};

/** Waits until the one who slept has stopped what others run by now. */
async function oneOwnerAgain(cluster: LabCluster, victim: string, before: ReadonlyMap<string, string>): Promise<void> {
  await waitFor(`${victim} to stop what it had`, 10_000, () => {
    const now = holdingsOf(cluster, victim);
    return [...before].every(([volume, process]) => now.get(volume) !== process);
  });
}
