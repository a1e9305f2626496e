/**
 * Start-up in multiples of `node -e 0`, whole processes in a clean environment. Runs are interleaved, so that whatever
 * else the machine does falls on all alike; medians are compared, and the least times, which a busy machine disturbs less.
 *
 *     node --import tsx bench/startup.ts [--runs 40] [--variants]
 *
 * --variants also measures what each part of the build gains (no cache, oclif unchanged, the full entry).
 */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const GOAL = 1.4;

interface Case {
  label: string;
  argv: string[];
  env?: Record<string, string>;
  goal?: number;
}

const { values } = parseArgs({ options: { runs: { type: 'string', default: '40' }, variants: { type: 'boolean' } } });
const runs = Number(values.runs);
const home = mkdtempSync(join(tmpdir(), 'cfs-startup-'));
const clean = { PATH: process.env.PATH ?? '', HOME: home };

/** Milliseconds that a process takes, from before spawn until it has ended. */
function time(argv: string[], env: Record<string, string> = {}, cwd = home): number {
  const start = process.hrtime.bigint();
  const { status, error } = spawnSync(process.execPath, argv, { cwd, env: { ...clean, ...env }, stdio: 'ignore' });
  const ms = Number(process.hrtime.bigint() - start) / 1e6;
  if (error || (status !== 0 && status !== 3)) throw error ?? new Error(`node ${argv.join(' ')} ended with ${status}`);
  return ms;
}

const median = (list: number[]): number => [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)]!;

/** A copy of the package's bin and a build of its own, for a variant. */
async function variant(name: string, options: { plainOclif?: boolean; cache?: boolean }): Promise<string> {
  const { buildAll } = await import('../scripts/build.js');
  const root = join(home, name);
  cpSync(join(ROOT, 'bin'), join(root, 'bin'), { recursive: true });
  await buildAll({ outdir: join(root, 'dist'), plainOclif: options.plainOclif ?? false, library: false });
  return join(root, 'bin/run.js');
}

async function main(): Promise<void> {
  const bin = join(ROOT, 'bin/run.js');
  const dir = join(home, 'cluster');
  const prepare = (...argv: string[]): void => {
    const { status, stderr } = spawnSync(process.execPath, [bin, ...argv], {
      cwd: home,
      env: { ...clean, CFS_DIR: dir },
      encoding: 'utf8',
    });
    if (status !== 0) throw new Error(`cfs ${argv.join(' ')}: ${stderr}`);
  };
  prepare('init', '--yes');
  for (const node of ['n1', 'n2', 'n3']) prepare('node', 'add', node);

  const cases: Case[] = [
    { label: 'node -e 0', argv: ['-e', '0'] },
    { label: 'cfs --version', argv: [bin, '--version'], goal: GOAL },
    { label: 'cfs node list', argv: [bin, 'node', 'list'], env: { CFS_DIR: dir }, goal: GOAL },
    { label: 'cfs node list --json', argv: [bin, 'node', 'list', '--json'], env: { CFS_DIR: dir } },
    { label: 'cfs status', argv: [bin, 'status'], env: { CFS_DIR: dir } },
    { label: 'cfs __complete node', argv: [bin, '__complete', '--', 'node', 'show', ''], env: { CFS_DIR: dir } },
    { label: 'cfs node list --help (full oclif)', argv: [bin, 'node', 'list', '--help'] },
  ];
  if (values.variants) {
    const plain = await variant('plain', { plainOclif: true });
    const uncached = await variant('uncached', {});
    time([plain, 'version']);
    // A name that cannot be written leaves every run without a cache.
    cases.push(
      { label: 'cfs version', argv: [bin, 'version'] },
      { label: '  with oclif unchanged', argv: [plain, 'version'] },
      { label: '  without a code cache', argv: [uncached, 'version'], env: { CFS_NO_CODE_CACHE: '1' } },
      { label: '  through full oclif', argv: [bin, 'version'], env: { CFS_ENTRY: 'full' } },
    );
  }
  const times = cases.map((): number[] => []);
  for (const one of cases) time(one.argv, one.env);
  for (let run = 0; run < runs; run++) {
    for (const [i, one] of cases.entries()) times[i]!.push(time(one.argv, one.env));
  }
  const base = median(times[0]!);
  const leastBase = Math.min(...times[0]!);
  console.log(`| start-up, ${runs} runs | median ms | x node -e 0 | least ms | x node -e 0 | goal |`);
  console.log('|---|---|---|---|---|---|');
  cases.forEach((one, i) => {
    const ms = median(times[i]!);
    const least = Math.min(...times[i]!);
    const cells = [one.label, ms.toFixed(1), (ms / base).toFixed(2), least.toFixed(1), (least / leastBase).toFixed(2)];
    console.log(`| ${cells.join(' | ')} | ${one.goal ?? ''} |`);
  });
}

try {
  await main();
} finally {
  rmSync(home, { recursive: true, force: true });
}
