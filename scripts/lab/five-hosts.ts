/**
 * The proof on several hosts: real agents, real hosts (namespaces), real faults; a table of who took over after how long, and the
 * checker's verdict that no volume ever had two owners.
 *
 *     npm run build && node --import tsx scripts/lab/five-hosts.ts [--rounds 5] [--fs ext4|moosefs|glusterfs] [--hosts 5]
 *         [--volumes 25] [--name five] [--only kill-both,power-off] [--list] [--keep DIR]
 *
 * Root, and netlab.sh (CFS_NETLAB, default ../shared/lab/netlab.sh beside the checkout). lease.timeout 3 s, lease.interval 500 ms.
 * Exit status: 0 all as it must be, 1 not, 2 the lab cannot be built.
 */
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { whyNoNetlab } from './hosts.js';
import { runScenario, type ScenarioResult, whyNot } from './runner.js';
import { SCENARIOS } from './scenarios/index.js';
import { FILE_SYSTEMS, type FileSystem, netlabSurroundings } from './surroundings.js';
import { GOAL_MS, HEADER, isGood, median, rowOf } from './table.js';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    fs: { type: 'string', default: 'ext4' },
    hosts: { type: 'string', default: '5' },
    volumes: { type: 'string', default: '25' },
    name: { type: 'string', default: process.env.NETLAB_NAME ?? 'five' },
    only: { type: 'string' },
    keep: { type: 'string' },
    list: { type: 'boolean' },
  },
});

async function main(): Promise<number> {
  const only = values.only?.split(',');
  const chosen = SCENARIOS.filter(({ name }) => only === undefined || only.includes(name));
  if (values.list) {
    for (const { name, title } of chosen) console.log(`${name.padEnd(18)} ${title}`);
    return 0;
  }
  const fs = FILE_SYSTEMS.find((name) => name === values.fs) as FileSystem | undefined;
  const unknown = only?.filter((name) => !SCENARIOS.some((scenario) => scenario.name === name)) ?? [];
  if (fs === undefined || unknown.length > 0 || chosen.length === 0) {
    console.error(fs === undefined ? `no such file system: ${values.fs}` : `no such scenario: ${unknown.join(', ')}`);
    return 2;
  }
  const why = whyNoNetlab();
  if (why !== null) {
    console.error(`the lab cannot be built: ${why}`);
    return 2;
  }
  const keep = values.keep ?? mkdtempSync(join(tmpdir(), 'cfs-lab-'));
  const surroundings = await netlabSurroundings(values.name, Number(values.hosts), fs);
  const stop = (): never => {
    surroundings.remove();
    process.exit(130);
  };
  process.once('SIGINT', stop);
  process.once('SIGTERM', stop);
  const results: ScenarioResult[] = [];
  try {
    for (const scenario of chosen) {
      const refusal = whyNot(scenario, surroundings);
      if (refusal !== null) {
        console.error(`${scenario.name}: not on ${fs}, it ${refusal}`);
        continue;
      }
      const say = (sentence: string): void => console.error(sentence);
      results.push(
        await runScenario(scenario, surroundings, {
          rounds: Number(values.rounds),
          volumes: Number(values.volumes),
          keep,
          say,
        }),
      );
    }
  } finally {
    surroundings.remove();
  }
  console.log(
    `\n${values.hosts} hosts, ${values.volumes} volumes, ${fs}, lease.timeout 3 s, lease.interval 500 ms\n\n${HEADER}`,
  );
  for (const result of results) console.log(rowOf(result));
  const kills = results.filter(({ scenario }) => ['kill-both', 'power-off'].includes(scenario.name));
  const lasts = kills.flatMap(({ rounds }) => rounds.flatMap(({ takeover }) => takeover?.lastMs ?? []));
  const isFast = lasts.length === 0 || median(lasts) <= GOAL_MS;
  if (lasts.length > 0) {
    console.log(
      `\nmedian takeover after a kill ${(median(lasts) / 1000).toFixed(2)} s (goal 4.50 s: ${isFast ? 'met' : 'MISSED'})`,
    );
  }
  for (const { scenario, failures } of results) {
    for (const failure of failures) console.log(`\n${scenario.name}: ${failure}\n(logs: ${keep})`);
  }
  return results.every(isGood) && isFast ? 0 : 1;
}

process.exitCode = await main();
