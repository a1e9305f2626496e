/**
 * How long a client waits from its write request to its mount, with agents on both sides that answer by themselves, against two
 * commits and one wake-up of a watching process, measured in the same run on the same directory.
 *
 *     npm run bench:access [-- --quick] [-- --json] [-- --driver record,mount] [-- --rounds 100]
 *
 * Two agents hand one volume back and forth. The driver `record` touches nothing, `mount` makes bind mounts (root). Settings as by
 * default. Takes about two minutes; --quick half of one.
 */
import { parseArgs } from 'node:util';
import { whyNoMounts } from '../scripts/access/real-mounts.js';
import { type DriverName, type Handover, handoversOf, type PairResult } from './access-pair.js';
import { machine, median, msText, quantile } from './kit.js';

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    driver: { type: 'string', default: 'record,mount' },
    rounds: { type: 'string' },
  },
});
const rounds = Number(values.rounds ?? (values.quick ? 20 : 100));
const coldRounds = values.quick ? 1 : 5;

interface Measured {
  driver: DriverName;
  rounds: number;
  ms: { median: number; p90: number; worst: number };
  /** Medians of the steps, in their order. */
  steps: Record<Exclude<keyof Handover, 'total'>, number>;
  /** After 11 s without a handover: the agents load what decides again. */
  cold: { rounds: number; median: number; worst: number } | null;
  bound: { commit: number; wakeUp: number; ms: number };
  /** Median over bound. */
  ratio: number;
}

function measured(driver: DriverName, { handovers, cold, commitsMs, wakeUpsMs }: PairResult): Measured {
  const totals = handovers.map(({ total }) => total);
  const step = (name: keyof Handover): number => median(handovers.map((handover) => handover[name]));
  const commit = median(commitsMs);
  const wakeUp = Math.max(0, median(wakeUpsMs));
  const bound = 2 * commit + wakeUp;
  return {
    driver,
    rounds: totals.length,
    ms: { median: median(totals), p90: quantile(totals, 0.9), worst: Math.max(...totals) },
    steps: { request: step('request'), readOnly: step('readOnly'), answer: step('answer'), mount: step('mount') },
    cold: cold.length === 0 ? null : { rounds: cold.length, median: median(cold), worst: Math.max(...cold) },
    bound: { commit, wakeUp, ms: bound },
    ratio: median(totals) / bound,
  };
}

function print(all: readonly Measured[]): void {
  const ms = msText;
  console.log('\n### From a write request to the mount for writing, agents on both sides\n');
  console.log('| driver | rounds | median | p90 | worst | after 11 s of rest | bound: 2 commits + 1 wake-up | ratio |');
  console.log('|---|---:|---:|---:|---:|---:|---:|---:|');
  for (const { driver, rounds: n, ms: total, cold, bound, ratio } of all) {
    const rest = cold === null ? '' : `median ${ms(cold.median)}, worst ${ms(cold.worst)} of ${cold.rounds}`;
    const limit = `2 x ${ms(bound.commit)} + ${ms(bound.wakeUp)} = ${ms(bound.ms)}`;
    const cells = [driver, n, ms(total.median), ms(total.p90), ms(total.worst), rest, limit, `${ratio.toFixed(2)} x`];
    console.log(`| ${cells.join(' | ')} |`);
  }
  console.log('\nWhere the time goes (medians):\n');
  console.log(
    '| driver | request committed | writer read-only | answer committed, mount begins | mounted |\n|---|---:|---:|---:|---:|',
  );
  for (const { driver, steps } of all) {
    console.log(
      `| ${driver} | ${ms(steps.request)} | ${ms(steps.readOnly)} | ${ms(steps.answer)} | ${ms(steps.mount)} |`,
    );
  }
}

const results: Measured[] = [];
for (const driver of values.driver.split(',') as DriverName[]) {
  const why = driver === 'mount' ? whyNoMounts() : null;
  if (why !== null) console.error(`driver mount is left out: ${why}`);
  else results.push(measured(driver, await handoversOf({ driver, rounds, coldRounds })));
}
if (values.json) console.log(JSON.stringify({ machine: machine(), results }, null, 2));
else {
  console.log(machine());
  print(results);
}
process.exit(0);
