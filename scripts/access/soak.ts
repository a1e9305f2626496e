/**
 * The soak of access control: real agents of clients with real mounts on this machine, applications that write, random kills; then the
 * proof that no volume ever had two writers and that nothing written was lost.
 *
 *     npm run build && node --import tsx scripts/access/soak.ts [--minutes 10 | --seconds N] [--clients 20] [--volumes 5] [--seed N]
 *         [--driver mount|command|lying] [--source directory|image] [--every 1500ms between faults] [--timeout MS --interval MS of the leases] [--pace MS] [--keep DIR]
 *
 * Needs root. CFS_LAB_BIN runs another build. Exit status: 0 proved; 1 not (everything is kept then); 2 it cannot be run here.
 */
import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { spread } from '../../test/kit/ownership-check.js';
import { whyNoMounts } from './real-mounts.js';
import { type SoakResult, soak } from './soak-run.js';

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    seconds: { type: 'string' },
    clients: { type: 'string', default: '20' },
    volumes: { type: 'string', default: '5' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    driver: { type: 'string', default: 'mount' },
    source: { type: 'string', default: 'directory' },
    every: { type: 'string', default: '1500' },
    pace: { type: 'string' },
    timeout: { type: 'string' },
    interval: { type: 'string' },
    keep: { type: 'string' },
  },
});

const counted = (counts: ReadonlyMap<string, number>): string =>
  [...counts]
    .sort((a, b) => b[1] - a[1])
    .map(([name, count]) => `${name} ${count}`)
    .join(', ');

function print(result: SoakResult): void {
  const { waits, faults, answers } = result;
  const asked = spread(waits.toMount);
  const idle = waits.longestIdle;
  console.log(result.summary);
  console.log(`handovers       ${result.handovers}; requests: ${counted(answers)}`);
  console.log(
    `written         ${result.bytes} bytes in ${result.records} records; found again at the start of each of ${result.verified} sessions`,
  );
  console.log(`faults          ${counted(faults)}; ${result.restarts} agents started again by the unit`);
  console.log(`ask to mount    median ${asked?.median.toFixed(0)} ms, longest ${asked?.max.toFixed(0)} ms`);
  console.log(
    `without writer  ${idle === null ? 'never while somebody waited' : `longest ${idle.ms} ms while somebody waited (${idle.volume}, ${idle.at})`}`,
  );
  console.log(`machine         ${result.load}`);
  for (const failure of result.failures) console.log(`FAILED: ${failure}`);
  console.log(
    result.failures.length === 0 ? 'proved: never two writers, nothing lost' : `${result.failures.length} failures`,
  );
}

async function main(): Promise<number> {
  const why = whyNoMounts();
  const driver = (['mount', 'command', 'lying'] as const).find((name) => name === values.driver) ?? null;
  if (why !== null || driver === null) {
    console.error(why ?? `--driver is mount, command or lying, not ${values.driver}`);
    return 2;
  }
  const source = (['directory', 'image'] as const).find((name) => name === values.source) ?? 'directory';
  const base = values.keep ?? realpathSync(mkdtempSync(join(tmpdir(), 'cfs-soak-')));
  const seconds = Number(values.seconds ?? Number(values.minutes) * 60);
  const [clients, volumes, seed] = [Number(values.clients), Number(values.volumes), Number(values.seed)];
  console.log(
    `${clients} clients, ${volumes} volumes (${source}), ${seconds} s, driver ${driver}, seed ${seed}, ${base}`,
  );
  const say = (sentence: string): void => console.error(sentence);
  const times = {
    ...(values.pace === undefined ? {} : { paceMs: Number(values.pace) }),
    ...(values.timeout === undefined ? {} : { leaseTimeoutMs: Number(values.timeout) }),
    ...(values.interval === undefined ? {} : { leaseIntervalMs: Number(values.interval) }),
  };
  const run = soak({
    base: join(base, 'run'),
    seconds,
    clients,
    volumes,
    seed,
    driver,
    source,
    faultEveryMs: Number(values.every),
    say,
    ...times,
  });
  const result = await run.catch((error: Error) => error);
  if (result instanceof Error) {
    console.error(`FAILED: ${result.message}\nkept: ${base}`);
    return 1;
  }
  print(result);
  if (result.failures.length > 0) console.error(`kept: ${base}`);
  else if (values.keep === undefined) rmSync(base, { recursive: true, force: true });
  return result.failures.length === 0 ? 0 : 1;
}

// Exit handlers unmount everything.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => process.exit(130));
process.exitCode = await main();
