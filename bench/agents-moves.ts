/** How long things take that wait for agents: a takeover after kill -9, and `cfs rebalance --wait`. */
import { mkdtempSync } from 'node:fs';
import path from 'node:path';
import { LabCluster } from '../scripts/lab/cluster.js';
import { monotonicMs } from '../scripts/lab/proc.js';
import { runScenario } from '../scripts/lab/runner.js';
import { killBoth } from '../scripts/lab/scenarios/kill.js';
import { localSurroundings } from '../scripts/lab/surroundings.js';
import { median, msText, quantile, type Row, WORK } from './kit.js';

/** Goal of the issue, with a lease timeout of 3 s. */
const TAKEOVER_GOAL = 4.5;

/** Plain processes on this machine: the distribution over many rounds. */
export async function takeoverRows(rounds: number): Promise<Row[]> {
  const surroundings = localSurroundings(mkdtempSync(path.join(WORK, 'takeover-')), 3);
  const say = (): void => {};
  const {
    rounds: done,
    failures,
    verdict,
  } = await runScenario(killBoth, surroundings, { rounds, volumes: 15, keep: WORK, say });
  const seconds = done.flatMap(({ takeover }) => (takeover === null ? [] : takeover.lastMs / 1000));
  const at = (q: number): string => `${quantile(seconds, q).toFixed(2)} s`;
  return [
    {
      what: `takeover after kill -9, 3 agents, ${seconds.length} rounds`,
      measured: `median ${median(seconds).toFixed(2)} s`,
      value: median(seconds),
      goal: TAKEOVER_GOAL,
      unit: 's',
      note: `least ${at(0)}, first quartile ${at(0.25)}, third ${at(0.75)}, ninth decile ${at(0.9)}, longest ${at(1)}`,
    },
    {
      what: 'rounds that failed, and volumes with two owners',
      measured: `${failures.length}, ${verdict.overlaps.length}`,
      value: failures.length + verdict.overlaps.length,
      goal: 0,
      unit: '',
      note: [...failures, ...verdict.overlaps, ...verdict.problems][0] ?? `${verdict.intervals} intervals checked`,
    },
  ];
}

/** Five agents; every rebalance moves volumes, as the weight of a node has changed. */
export async function rebalanceRows(rounds: number): Promise<Row[]> {
  const { hosts, base, shared } = localSurroundings(mkdtempSync(path.join(WORK, 'wait-')), 5);
  const cluster = new LabCluster({ base, dir: path.join(shared, 'cfs'), hosts, volumes: 50 });
  try {
    await cluster.create();
    cluster.startAll();
    await cluster.settled(undefined, 60_000);
    const waited: number[] = [];
    const moved: number[] = [];
    for (let round = 0; round < rounds; round++) {
      const node = hosts[round % hosts.length]!.name;
      await cluster.cfs(['node', 'set', node, '--weight', round % 2 === 0 ? '4' : '1']);
      const before = [...cluster.owners()].map(String);
      const begin = monotonicMs();
      await cluster.cfs(['rebalance', '--wait', '30s']);
      waited.push(monotonicMs() - begin);
      const after = [...cluster.owners()].map(String);
      moved.push(after.filter((owner, i) => owner !== before[i]).length);
    }
    return [
      {
        what: `rebalance --wait, 5 agents, ${rounds} rounds`,
        measured: `median ${msText(median(waited))}`,
        note: `longest ${msText(Math.max(...waited))}; ${median(moved)} of 50 volumes move each time, 500 ms lease interval`,
      },
    ];
  } finally {
    cluster.killAll();
  }
}
