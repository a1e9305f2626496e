// Runs the checks and every test file, each file in a process of its own, several at a time; then says what came of it.
// A file of its own process cannot disturb another one, and cleans up when it ends.
import { spawn } from 'node:child_process';
import { readdirSync, statSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const MOCHA = join(ROOT, 'node_modules/mocha/bin/mocha.js');
const JOBS = Number(process.env.CFS_TEST_JOBS) || availableParallelism();
/** One test may take so long, also where the machine is busy with others; a test's own limit outranks it. */
const TEST_MS = '120000';
/** No test file may take longer. */
const LIMIT_MS = 10 * 60_000;

function testFiles() {
  const chosen = process.argv.slice(2);
  if (chosen.length > 0) return chosen;
  return readdirSync(join(ROOT, 'test'), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.test.ts'))
    .map((file) => join('test', file))
    .sort();
}

/** Runs a program; gives its status, output and duration. */
function run(argv) {
  return new Promise((resolve) => {
    const started = Date.now();
    const child = spawn(process.execPath, argv, { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    let isLate = false;
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8');
      stream.on('data', (text) => {
        output += text;
      });
    }
    const timer = setTimeout(() => {
      isLate = true;
      child.kill('SIGKILL');
    }, LIMIT_MS);
    child.on('close', (status) => {
      clearTimeout(timer);
      if (isLate) output += `\nstopped after ${LIMIT_MS / 60_000} minutes\n`;
      resolve({ status, output, seconds: (Date.now() - started) / 1000 });
    });
  });
}

const count = (output, word) => Number(new RegExp(`^\\s*(\\d+) ${word}`, 'm').exec(output)?.[1] ?? 0);

async function runFile(file, totals) {
  const result = await run([
    '--import',
    'tsx',
    MOCHA,
    '--timeout',
    TEST_MS,
    '--reporter',
    join(ROOT, 'scripts/reporter.cjs'),
    file,
  ]);
  const passed = count(result.output, 'passing');
  const skipped = count(result.output, 'pending');
  // A file that dies or tests nothing is a failure too.
  const failed = count(result.output, 'failing') || (result.status === 0 && passed + skipped > 0 ? 0 : 1);
  totals.passed += passed;
  totals.failed += failed;
  totals.skipped += skipped;
  const name = relative(ROOT, join(ROOT, file));
  const verdict = failed > 0 ? 'FAILED' : 'ok';
  console.log(
    `${verdict.padEnd(6)} ${name}: ${passed} passed, ${failed} failed, ${skipped} skipped, ${result.seconds.toFixed(1)} s`,
  );
  if (failed > 0 || skipped > 0) console.log(result.output.replace(/^\s*\d+ passing.*\n/m, '').trimEnd());
}

const totals = { passed: 0, failed: 0, skipped: 0 };
if (process.argv.length === 2) {
  const check = await run(['--import', 'tsx', 'scripts/check.ts']);
  totals[check.status === 0 ? 'passed' : 'failed']++;
  console.log(
    `${check.status === 0 ? 'ok    ' : 'FAILED'} types, style and imports (npm run check), ${check.seconds.toFixed(1)} s`,
  );
  if (check.status !== 0) console.log(check.output.trimEnd());
}
// The largest first: what starts last should be short.
const queue = testFiles().sort((a, b) => statSync(join(ROOT, b)).size - statSync(join(ROOT, a)).size);
if (queue.length === 0) totals.failed++;
// Tests of real agents wait nearly all the time (for leases to lapse): one after the other, beside all others.
const isWaiting = (file) => file.includes(join('test', 'lab') + sep);
const rest = queue.filter((file) => !isWaiting(file));
const lanes = [queue.filter(isWaiting), ...Array.from({ length: JOBS }, () => rest)];
await Promise.all(
  lanes.map(async (lane) => {
    for (let file = lane.shift(); file !== undefined; file = lane.shift()) await runFile(file, totals);
  }),
);
console.log(`${totals.passed} passed, ${totals.failed} failed, ${totals.skipped} skipped`);
process.exitCode = totals.failed > 0 ? 1 : 0;
