/** What tests of commands share beyond cli.ts: clusters by copy, directories compared byte for byte, refusals, terminals. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, lstatSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ErrorCode } from '../../src/core/errors.js';
import {
  CFS,
  type CfsOptions,
  type CfsResult,
  cfs,
  cleanEnv,
  needsProgram,
  ROOT,
  runCfs,
  sampleCluster,
  startCfs,
  tempDir,
} from './cli.js';

export const FIXTURES = join(ROOT, 'fixtures');

/** Every file below a directory with its mode and checksum; what two directories that are equal have equal. */
export function contents(dir: string): Record<string, string> {
  const found: Record<string, string> = {};
  for (const name of (readdirSync(dir, { recursive: true, encoding: 'utf8' }) as string[]).sort()) {
    const path = join(dir, name);
    const { mode } = lstatSync(path);
    const isFile = lstatSync(path).isFile();
    const sum = isFile ? createHash('sha256').update(readFileSync(path)).digest('hex') : '';
    found[name] = `${mode.toString(8)} ${sum}`;
  }
  return found;
}

/** The same without the notes about the lock, which whoever held it leaves behind: a refused change held it. */
export function database(dir: string): Record<string, string> {
  return Object.fromEntries(Object.entries(contents(dir)).filter(([name]) => !name.startsWith('lock.')));
}

/** A copy of a cluster, which a test may change. */
export function copyOf(cluster: string): string {
  const dir = join(tempDir('copy'), 'cfs');
  cpSync(cluster, dir, { recursive: true });
  return dir;
}

const templates = new Map<string, string>();

function template(name: string, make: () => string): string {
  const dir = templates.get(name) ?? make();
  templates.set(name, dir);
  return copyOf(dir);
}

/** A cluster of three nodes and three volumes (sampleCluster) with a generation 2: placed by a rebalance. */
export function smallCluster(): string {
  return template('small', () => {
    const dir = sampleCluster();
    cfs(['rebalance'], { dir });
    return dir;
  });
}

/** The ten-node example, placed in generation 2. */
export function tenNodes(): string {
  return template('ten-nodes', () => {
    const dir = join(tempDir('ten'), 'cfs');
    cfs(['init', '--from', join(FIXTURES, 'ten-nodes.yaml')], { dir });
    cfs(['rebalance'], { dir });
    return dir;
  });
}

/** A small cluster with a generation of many kinds: 7 generations, a freeze, a failed node, an unplaced volume. */
export function livedInCluster(): string {
  return template('lived-in', () => {
    const dir = smallCluster();
    cfs(['group', 'add', 'archive', '--description', 'kept for long'], { dir });
    cfs(['volume', 'create', 'v4', '--domains', 'west', '--group', 'ops', '--no-can-group-migrate'], { dir });
    cfs(['failover', 'n2', '--message', 'power supply'], { dir });
    cfs(['cluster', 'set', 'lock.timeout=1m'], { dir });
    cfs(['cluster', 'freeze', '--reason', 'new switches'], { dir });
    return dir;
  });
}

/** A file with this text, for -f and --from. */
export function fileOf(text: string | Uint8Array, name = 'input.yaml'): string {
  const path = join(tempDir('file'), name);
  writeFileSync(path, text);
  return path;
}

export function generationOf(dir: string): number {
  return (JSON.parse(cfs(['show', '--json'], { dir })) as { generation: number }).generation;
}

export interface Refusal {
  status: number;
  code: ErrorCode;
  says: RegExp;
  hint?: RegExp;
}

export interface ErrorShape {
  code: string;
  errno?: string;
  message: string;
  hint?: string;
  details?: Record<string, unknown>;
}

/** The error that a command printed under --json: on standard error, nothing on standard output. */
export function errorOf(result: { stdout: string; stderr: string }): ErrorShape {
  assert.equal(result.stdout, '', 'standard output is empty');
  const printed = JSON.parse(result.stderr) as { error: ErrorShape };
  assert.deepEqual(Object.keys(printed), ['error']);
  for (const key of Object.keys(printed.error)) {
    assert.ok(['code', 'errno', 'message', 'hint', 'details'].includes(key), `unexpected field ${key}`);
  }
  return printed.error;
}

/** Runs a command that must be refused, and asserts how, and that the database stays byte for byte as it was. */
export function refuses(dir: string, args: string[], wanted: Refusal, options: CfsOptions = {}): ErrorShape {
  const before = database(dir);
  const result = runCfs([...args, '--json'], { dir, ...options });
  const what = `cfs ${args.join(' ').slice(0, 200)}\n${result.stdout}${result.stderr}`;
  assert.equal(result.status, wanted.status, what);
  const error = errorOf(result);
  assert.equal(error.code, wanted.code, what);
  assert.match(error.message, wanted.says);
  if (wanted.hint !== undefined) assert.match(error.hint ?? '', wanted.hint);
  assert.deepEqual(database(dir), before, `changed something: ${what}`);
  return error;
}

/** Asserts that a command changes no byte, notes about the lock included; gives what it printed. */
export function changesNothing(dir: string, args: string[], options: CfsOptions & { status?: number } = {}) {
  const before = contents(dir);
  const result = runCfs(args, { dir, ...options });
  assert.equal(result.status, options.status ?? 0, `cfs ${args.join(' ')}\n${result.stdout}${result.stderr}`);
  assert.deepEqual(contents(dir), before, `cfs ${args.join(' ')} changed the directory`);
  return result;
}

/** Runs cfs beside others; for tests with several processes, and for commands that wait. */
export function runBeside(args: string[], dir: string): Promise<CfsResult> {
  const child = startCfs(args, { dir });
  const result: CfsResult = { status: -1, stdout: '', stderr: '' };
  child.stdin?.end();
  child.stdout?.on('data', (chunk) => {
    result.stdout += chunk;
  });
  child.stderr?.on('data', (chunk) => {
    result.stderr += chunk;
  });
  return new Promise((done) => child.on('close', (status) => done({ ...result, status: status ?? -1 })));
}

/** Does all the work, so many pieces at a time. */
export async function inTurns<T>(work: readonly (() => Promise<T>)[], atOnce = 12): Promise<T[]> {
  const results: T[] = new Array(work.length);
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < work.length) {
      const at = next++;
      results[at] = await work[at]!();
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  return results;
}

export type TerminalStep = [waitFor: RegExp, type: string];

// Patterns and answers come as environment variables, so that nothing has to be quoted for Tcl.
const EXPECT_SCRIPT = `
set timeout 30
spawn -noecho {*}$argv
stty rows 24 columns 80 < $spawn_out(slave,name)
for {set i 0} {[info exists env(CFS_WAIT_FOR_$i)]} {incr i} {
  expect {
    -re $env(CFS_WAIT_FOR_$i) { send -- $env(CFS_TYPE_$i) }
    timeout { puts "\\nTIMED OUT waiting for $env(CFS_WAIT_FOR_$i)"; exit 99 }
    eof { break }
  }
}
expect eof
lassign [wait] pid spawned failed value killed signal
if {$killed eq "CHILDKILLED"} { puts "\\nKILLED BY $signal"; exit 98 }
exit $value
`;

let expectFile: string | undefined;

/**
 * Runs cfs on a terminal of 80 columns, waits for each pattern and then types the answer. Needs `expect`: without it the
 * test is skipped. Standard output and error are one there.
 */
export function onTerminal(
  test: Mocha.Context,
  args: string[],
  steps: TerminalStep[],
  options: CfsOptions = {},
): { output: string; status: number } {
  needsProgram(test, 'expect');
  expectFile ??= fileOf(EXPECT_SCRIPT, 'terminal.exp');
  const typed: Record<string, string> = { TERM: 'xterm' };
  steps.forEach(([waitFor, type], i) => {
    typed[`CFS_WAIT_FOR_${i}`] = waitFor.source;
    typed[`CFS_TYPE_${i}`] = type;
  });
  const result = spawnSync('expect', [expectFile, process.execPath, CFS, ...args], {
    cwd: options.cwd ?? tempDir('cwd'),
    env: { ...cleanEnv(options), ...typed },
    encoding: 'utf8',
    timeout: 60_000,
  });
  assert.notEqual(result.status, 99, result.stdout);
  return { output: result.stdout, status: result.status ?? -1 };
}

/** Runs a command line of the shell with `cfs` in it as the built one. */
export function inShell(line: string, options: CfsOptions = {}): { stdout: string; stderr: string; status: number } {
  const result = spawnSync('bash', ['-c', `cfs() { "$CFS_NODE_PROGRAM" "$CFS_RUN" "$@"; }\n${line}`], {
    cwd: options.cwd ?? tempDir('cwd'),
    env: { ...cleanEnv(options), CFS_NODE_PROGRAM: process.execPath, CFS_RUN: CFS },
    input: options.input ?? '',
    encoding: 'utf8',
    timeout: 60_000,
  });
  return { stdout: result.stdout, stderr: result.stderr, status: result.status ?? -1 };
}
