/** Runs one scenario several times: a healthy cluster, the fault, what came of it, healed again; then the checker's verdict. */
import { cpSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { LabCluster } from './cluster.js';
import { FenceDevice } from './fence-device.js';
import { LabHost } from './hosts.js';
import type { Lab, Round, Scenario } from './scenarios/scenario.js';
import type { Surroundings } from './surroundings.js';
import { type Verdict, verdictOf } from './verdict.js';

export interface ScenarioResult {
  scenario: Scenario;
  rounds: Round[];
  /** Sentences of rounds that did not end as they must. */
  failures: string[];
  /** What the checker says of all clusters of this scenario. */
  verdict: Verdict;
}

export interface RunnerOptions {
  rounds: number;
  volumes: number;
  /** Where the logs of a failed round are kept. */
  keep: string;
  say: (sentence: string) => void;
}

let clusters = 0;

/** Null where the surroundings cannot do what the scenario needs; else why not. */
export function whyNot(scenario: Scenario, surroundings: Surroundings): string | null {
  const { needs } = scenario;
  if (needs === 'disk' && surroundings.disk === null) return 'needs a file system that can be filled and frozen';
  if (needs === 'hang' && surroundings.hang === null) return 'needs a file system that can hang in one host';
  if (needs === 'namespaces' && !(surroundings.hosts[0] instanceof LabHost)) return 'needs hosts of their own';
  return null;
}

export async function runScenario(
  scenario: Scenario,
  surroundings: Surroundings,
  options: RunnerOptions,
): Promise<ScenarioResult> {
  const result: ScenarioResult = {
    scenario,
    rounds: [],
    failures: [],
    verdict: { intervals: 0, overlaps: [], problems: [] },
  };
  let lab: Bed | null = null;
  try {
    for (let number = 0; number < options.rounds; number++) {
      try {
        lab ??= await makeBed(scenario, surroundings, options.volumes);
        const names = surroundings.hosts.map(({ name }) => name);
        const victim = names[number % names.length]!;
        const round = await scenario.round(lab, victim);
        result.rounds.push(round);
        result.failures.push(...(round.wrong ?? []).map((sentence) => `round ${number + 1}: ${sentence}`));
        options.say(`${scenario.name} ${number + 1}: ${sentenceOf(round)}`);
        if (scenario.startsCold || number === options.rounds - 1) {
          await scenario.heal?.(lab, victim);
          lab = finish(lab, result, options.keep);
        } else await heal(scenario, lab, surroundings, victim);
      } catch (error) {
        const sentence = `round ${number + 1}: ${(error as Error).message}`;
        result.failures.push(sentence);
        options.say(`${scenario.name} ${sentence}`);
        if (lab !== null) {
          verdictOf(lab.cluster);
          keepLogs(lab, join(options.keep, `${scenario.name}-${number + 1}`));
          await scenario.heal?.(lab, surroundings.hosts[number % surroundings.hosts.length]!.name).catch(() => {});
          lab = finish(lab, result, options.keep);
        }
      }
    }
  } finally {
    if (lab !== null) finish(lab, result, options.keep);
  }
  return result;
}

interface Bed extends Lab {
  device: FenceDevice;
}

async function makeBed(scenario: Scenario, surroundings: Surroundings, volumes: number): Promise<Bed> {
  const { hosts, base, shared, disk, hang, repair } = surroundings;
  for (const host of hosts) if (host instanceof LabHost && !(await host.isOn())) await host.boot();
  await repair();
  let cluster: LabCluster | null = null;
  const device = new FenceDevice(`${base}-switch`, async (node) => {
    const { host } = cluster!.agent(node);
    // A switch that is off already says so, and that is as good.
    if (!(host instanceof LabHost) || (await host.isOn())) await cluster!.powerOff(node);
  });
  const agentOf = scenario.agent;
  cluster = new LabCluster({
    base,
    dir: join(shared, `cfs-${++clusters}`),
    hosts,
    volumes,
    ...(scenario.settings === undefined ? {} : { settings: scenario.settings }),
    ...(scenario.hasPreferences ? { hasPreferences: true } : {}),
    ...(agentOf === undefined
      ? {}
      : { agent: (node: string, of: string) => agentOf(node, of, { fenceCommand: device.command }) }),
  });
  await cluster.create();
  const bed = { cluster, device, disk, hang, repair };
  if (scenario.startsCold) return bed;
  cluster.startAll();
  await cluster.settled(undefined, 30_000);
  return bed;
}

/** States, journals, logs and the events of the harness, for whoever wants to know why. */
function keepLogs({ cluster }: Bed, to: string): void {
  cpSync(cluster.options.base, to, { recursive: true, filter: (path) => !path.endsWith('.sock') });
}

/** Ends the cluster and adds what its journals say. */
function finish(bed: Bed, result: ScenarioResult, keep: string): null {
  bed.cluster.killAll();
  bed.device.close();
  const { intervals, overlaps, problems } = verdictOf(bed.cluster);
  result.verdict.intervals += intervals;
  result.verdict.overlaps.push(...overlaps);
  result.verdict.problems.push(...problems);
  if (overlaps.length > 0 && !result.scenario.mayOverlap) keepLogs(bed, join(keep, `${result.scenario.name}-overlaps`));
  // A full file system would stay full for the next one.
  if (bed.disk !== null) rmSync(bed.cluster.dir, { recursive: true, force: true });
  return null;
}

/** Everything is as it was before the fault: all hosts on, all agents in, volumes with all of them. */
async function heal(scenario: Scenario, lab: Lab, surroundings: Surroundings, victim: string): Promise<void> {
  const { cluster } = lab;
  await scenario.heal?.(lab, victim);
  for (const agent of cluster.agents.values()) {
    if (agent.host instanceof LabHost && !(await agent.host.isOn())) {
      await agent.host.boot();
      await surroundings.repair();
    }
    if (!agent.isRunning) {
      await agent.wait();
      agent.start();
    }
  }
  await cluster.settled(undefined, 30_000);
}

function sentenceOf({ takeover, notes, wrong = [] }: Round): string {
  const parts = [...notes, ...wrong.map((sentence) => `WRONG: ${sentence}`)];
  if (takeover !== null) {
    const takers = [...takeover.takers].map(([node, count]) => `${node} ${count}`).join(', ');
    const gap = Math.round(Math.max(0, ...takeover.gapsMs));
    parts.unshift(
      `${takeover.volumes} volumes to ${takers}; last after ${Math.round(takeover.lastMs)} ms, no owner for ${gap} ms`,
    );
  }
  return parts.join('; ');
}
