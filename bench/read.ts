/**
 * Reading commands on a large cluster, whole processes: time, peak of memory, ratio to `node -e 0`. Then readers while a
 * writer commits without a pause: none may fail, and what they take with and without it.
 *
 *     node --import tsx bench/read.ts [--size 1000x100000] [--runs 9] [--readers 60]
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { parseArgs } from 'node:util';
import {
  cfs,
  cleanEnv,
  copyOf,
  costOf,
  EMPTY_NODE,
  firstVolume,
  inTurns,
  isMain,
  median,
  msText,
  noise,
  printTable,
  quantile,
  type Row,
  sampleCluster,
  timeOf,
} from './kit.js';

const START_GOAL = 1.4;

/** Each with its goal, where spec/performance.md has one. A name goes where VOLUME stands. */
const COMMANDS: [words: string, goal?: number][] = [
  ['--version', START_GOAL],
  ['node list'],
  ['node list --json'],
  ['volume show VOLUME'],
  ['status'],
  ['check'],
  ['history'],
  ['why VOLUME'],
  ['volume list'],
  ['export -o json'],
  ['export'],
  ['diff 1 2'],
  ['db check'],
];

export function readRows(size: string, runs: number): Row[] {
  const dir = sampleCluster(size);
  const volume = firstVolume(Number(size.split('x')[1]));
  const programs = COMMANDS.map(([words]) => cfs(dir, words.replace('VOLUME', volume)));
  const times = inTurns(runs, [() => timeOf(EMPTY_NODE), ...programs.map((program) => () => timeOf(program))]);
  const base = median(times[0]!);
  return COMMANDS.map(([words, goal], i) => {
    const ms = times[i + 1]!;
    const { mib, cpuMs } = costOf(programs[i]!);
    return {
      what: `cfs ${words}`,
      measured: msText(median(ms)),
      value: median(ms) / base,
      ...(goal === undefined ? {} : { goal }),
      note: `${mib === null ? '' : `${mib.toFixed(0)} MiB, ${msText(cpuMs!)} of processor, `}p90 ${noise(ms).toFixed(2)} x`,
    };
  });
}

/** A process that commits one small change after another until it is told to end; says on standard output how many. */
const WRITER = `
import { openCluster } from ${JSON.stringify(new URL('../src/open.ts', import.meta.url).href)};
import { volumeSet } from ${JSON.stringify(new URL('../src/core/config/volumes.ts', import.meta.url).href)};
const [dir, name] = process.argv.slice(-2);
const cluster = await openCluster({ dir });
let commits = 0;
let ending = false;
process.stdin.on('data', () => { ending = true; });
process.stdout.write('ready\\n');
while (!ending) {
  await cluster.change(volumeSet, { name, weight: 1 + (commits % 100) });
  commits += 1;
  await new Promise(setImmediate);
}
process.stdout.write(String(commits) + '\\n');
process.exit(0);
`;

interface Reading {
  times: number[];
  failed: number;
}

function readMany(programs: ReturnType<typeof cfs>[], times: number): Reading[] {
  const readings = programs.map((): Reading => ({ times: [], failed: 0 }));
  for (let i = 0; i < times; i++) {
    programs.forEach((program, p) => {
      try {
        readings[p]!.times.push(timeOf(program));
      } catch {
        readings[p]!.failed += 1;
      }
    });
  }
  return readings;
}

/** Readers alone, then readers with a writer beside them. */
export async function readersRows(size: string, readers: number): Promise<Row[]> {
  const dir = copyOf(sampleCluster(size), 'readers');
  const volume = firstVolume(Number(size.split('x')[1]));
  const commands = ['node list', `volume show ${volume}`, 'status'];
  const programs = commands.map((words) => cfs(dir, words));
  readMany(programs, 2);
  const alone = readMany(programs, readers);
  const writer = spawn(
    process.execPath,
    ['--import', 'tsx', '--input-type=module', '--eval', WRITER, '--', dir, volume],
    { cwd: new URL('..', import.meta.url), env: cleanEnv(), stdio: ['pipe', 'pipe', 'inherit'] },
  );
  let said = '';
  writer.stdout.on('data', (data) => {
    said += data;
  });
  while (!said.includes('ready')) await once(writer.stdout, 'data');
  const start = performance.now();
  const beside = readMany(programs, readers);
  const seconds = (performance.now() - start) / 1000;
  writer.stdin.write('end\n');
  await once(writer, 'close');
  const commits = Number(said.split('\n')[1]);
  const rows: Row[] = commands.map((words, i) => {
    const [a, b] = [alone[i]!, beside[i]!];
    const spread = (r: Reading) =>
      `${msText(median(r.times))} / ${msText(quantile(r.times, 0.95))} / ${msText(Math.max(...r.times))}`;
    return {
      what: `${readers} x cfs ${words}`,
      measured: spread(b),
      value: median(b.times) / median(a.times),
      note: `median / p95 / longest; without a writer ${spread(a)}; failed ${b.failed}`,
    };
  });
  const failed = beside.reduce((sum, { failed }) => sum + failed, 0);
  rows.push({
    what: 'readers that failed while a writer committed',
    measured: `${failed} of ${readers * commands.length}`,
    value: failed,
    goal: 0,
    unit: '',
    note: `${commits} commits in ${seconds.toFixed(1)} s (${(commits / seconds).toFixed(0)}/s) meanwhile`,
  });
  return rows;
}

if (isMain(import.meta.url)) {
  const { values } = parseArgs({
    options: {
      size: { type: 'string', default: '1000x100000' },
      runs: { type: 'string', default: '9' },
      readers: { type: 'string', default: '60' },
    },
  });
  printTable(`Reading ${values.size} (median of ${values.runs})`, readRows(values.size, Number(values.runs)));
  printTable('Readers beside a writer', await readersRows('200x10000', Number(values.readers)));
}
