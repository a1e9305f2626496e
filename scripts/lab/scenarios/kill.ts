/** Somebody or something kills the agent. */
import { monotonicMs } from '../proc.js';
import { holdingsOf, takeoverOf } from '../takeover.js';
import type { Lab, Round, Scenario } from './scenario.js';

async function kill(lab: Lab, victim: string, who: 'worker' | 'supervisor' | 'both'): Promise<Round> {
  const before = holdingsOf(lab.cluster, victim);
  const faultMs = monotonicMs();
  await lab.cluster.agent(victim).signal(who, 'SIGKILL');
  return { takeover: await takeoverOf(lab.cluster, before, faultMs), notes: [] };
}

export const killWorker: Scenario = {
  name: 'kill-worker',
  title: 'kill -9 of the worker',
  round: (lab, victim) => kill(lab, victim, 'worker'),
};

/** Nobody cleans up: the worker has to see to it by itself. */
export const killSupervisor: Scenario = {
  name: 'kill-supervisor',
  title: 'kill -9 of the supervisor',
  async round(lab, victim) {
    const agent = lab.cluster.agent(victim);
    agent.hasUnit = false;
    try {
      return await kill(lab, victim, 'supervisor');
    } finally {
      agent.hasUnit = true;
    }
  },
};

export const killBoth: Scenario = {
  name: 'kill-both',
  title: 'kill -9 of both',
  round: (lab, victim) => kill(lab, victim, 'both'),
};

export const powerOff: Scenario = {
  name: 'power-off',
  title: 'power-off of the host',
  async round({ cluster }, victim) {
    const before = holdingsOf(cluster, victim);
    const faultMs = await cluster.powerOff(victim);
    return { takeover: await takeoverOf(cluster, before, faultMs), notes: [] };
  },
};
