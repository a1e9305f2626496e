/**
 * Runs the built cfs as users do: the real file in a process of its own, with a clean environment. `npm run build` first.
 * Directories are removed when the process of the tests ends; CFS_KEEP=1 keeps them and prints where they are.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('../..', import.meta.url));
export const CFS = join(ROOT, 'bin/run.js');

export interface CfsOptions {
  /** Working directory; default: a new empty one. */
  cwd?: string;
  /** The cluster directory, given as CFS_DIR. */
  dir?: string;
  /** Standard input; default: empty. */
  input?: string | Uint8Array;
  /** Added to the clean environment. */
  env?: Record<string, string>;
  /** Give up after so long, ms; default 60 s. */
  timeoutMs?: number;
}

export interface CfsResult {
  stdout: string;
  stderr: string;
  /** Exit status; 128 + number for a signal, as a shell has it. */
  status: number;
}

const made: string[] = [];

process.on('exit', () => {
  for (const dir of made) {
    if (process.env.CFS_KEEP === '1') console.error(`kept: ${dir}`);
    else rmSync(dir, { recursive: true, force: true });
  }
});

/** A new directory under the system's temporary one, without symbolic links in its path. */
export function tempDir(name = 'test'): string {
  const dir = realpathSync(mkdtempSync(join(tmpdir(), `cfs-${name}-`)));
  made.push(dir);
  return dir;
}

let home: string | undefined;

/** Nothing of the caller's environment but the path: HOME is an empty directory, text is UTF-8, colours are off. */
export function cleanEnv(options: Pick<CfsOptions, 'dir' | 'env'> = {}): Record<string, string> {
  home ??= tempDir('home');
  return {
    PATH: process.env.PATH ?? '',
    HOME: home,
    LANG: 'C.UTF-8',
    TMPDIR: tmpdir(),
    ...(options.dir === undefined ? {} : { CFS_DIR: options.dir }),
    ...options.env,
  };
}

function mustBeBuilt(): void {
  if (!existsSync(join(ROOT, 'dist/cli.cjs'))) throw new Error('cfs is not built: npm run build');
}

/** Runs cfs and waits for it. */
export function runCfs(args: string[], options: CfsOptions = {}): CfsResult {
  mustBeBuilt();
  const result = spawnSync(process.execPath, [CFS, ...args], {
    cwd: options.cwd ?? tempDir('cwd'),
    env: cleanEnv(options),
    input: options.input ?? '',
    encoding: 'utf8',
    timeout: options.timeoutMs ?? 60_000,
    maxBuffer: 1 << 30,
  });
  if (result.error) throw result.error;
  const status = result.status ?? 128 + (SIGNALS[result.signal ?? ''] ?? 0);
  return { stdout: result.stdout, stderr: result.stderr, status };
}

const SIGNALS: Record<string, number> = { SIGHUP: 1, SIGINT: 2, SIGKILL: 9, SIGPIPE: 13, SIGTERM: 15 };

/** Runs cfs, which must succeed; gives its standard output. @throws Error with everything it said */
export function cfs(args: string[], options: CfsOptions = {}): string {
  const { stdout, stderr, status } = runCfs(args, options);
  if (status !== 0) throw new Error(`cfs ${args.join(' ')} ended with ${status}\n${stdout}${stderr}`);
  return stdout;
}

/** Runs cfs with --json, which must succeed; gives what it printed. */
export function cfsJson(args: string[], options: CfsOptions = {}): Record<string, unknown> {
  return JSON.parse(cfs([...args, '--json'], options)) as Record<string, unknown>;
}

/** Starts cfs without waiting, for tests with several processes. */
export function startCfs(args: string[], options: CfsOptions = {}): ChildProcess {
  mustBeBuilt();
  return spawn(process.execPath, [CFS, ...args], { cwd: options.cwd ?? tempDir('cwd'), env: cleanEnv(options) });
}

/** Whether a program is installed. */
export function hasProgram(name: string): boolean {
  const dirs = [...(process.env.PATH ?? '').split(delimiter), '/sbin', '/usr/sbin'];
  return dirs.some((dir) => existsSync(join(dir, name)));
}

/** Skips a test where a program is missing, and says so: a skipped test has a reason. */
export function needsProgram(test: Mocha.Context, name: string): void {
  if (hasProgram(name)) return;
  console.error(`skipped, because ${name} is not installed: ${test.test?.fullTitle() ?? ''}`);
  test.skip();
}

/** A new cluster of three nodes and three volumes for tests of commands; gives its directory. */
export function sampleCluster(): string {
  const dir = join(tempDir('cluster'), 'cfs');
  const input = JSON.stringify({
    cluster: { name: 'test' },
    groups: ['eng', 'ops'],
    domains: ['east', 'west'],
    nodes: [
      { name: 'n1', weight: 1, domains: ['east'], groups: ['eng'], state: 'online' },
      { name: 'n2', weight: 2, domains: ['east', 'west'], groups: ['ops', 'eng'], state: 'online' },
      { name: 'n3', weight: 1, domains: ['ALL'], groups: [], state: 'online' },
    ],
    volumes: [
      { name: 'v1', weight: 3, domains: ['east'], group: 'eng' },
      { name: 'v2', weight: 1, domains: ['west'], group: 'ops' },
      { name: 'v3', weight: 2, domains: ['east'], group: null },
    ],
  });
  cfs(['init', '--from', '-'], { dir, input });
  return dir;
}
