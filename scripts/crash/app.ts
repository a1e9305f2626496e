/** The program under test: a private copy of the built binary, so that a build beside us changes nothing half-way. */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';

/** What one run of a program did. */
export interface Run {
  status: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
  ms: number;
}

export interface App {
  /** bin/run.js of the copy. */
  bin: string;
  env: NodeJS.ProcessEnv;
}

const REPOSITORY = path.resolve(import.meta.dirname, '../..');
const LONGEST_RUN_MS = 120_000;

/** Copies bin and dist into `to`/app. @throws Error when there is no build */
export function copyApp(to: string): App {
  const home = path.join(to, 'app');
  if (!fs.existsSync(path.join(REPOSITORY, 'dist/cli.cjs')))
    throw new Error('there is no dist: run npm run build first');
  for (const part of ['bin', 'dist', 'package.json']) {
    fs.cpSync(path.join(REPOSITORY, part), path.join(home, part), { recursive: true });
  }
  const env: NodeJS.ProcessEnv = {
    PATH: process.env.PATH,
    HOME: path.join(to, 'home'),
    LANG: 'C.UTF-8',
    NO_COLOR: '1',
  };
  fs.mkdirSync(env.HOME!, { recursive: true });
  return { bin: path.join(home, 'bin/run.js'), env };
}

/** Runs a program to its end, or kills it after two minutes. */
export function run(argv: readonly string[], options: { input?: string; env?: NodeJS.ProcessEnv } = {}): Run {
  const startMs = performance.now();
  const { status, signal, stdout, stderr, error } = spawnSync(argv[0]!, argv.slice(1), {
    encoding: 'utf8',
    input: options.input ?? '',
    timeout: LONGEST_RUN_MS,
    killSignal: 'SIGKILL',
    maxBuffer: 1 << 28,
    ...(options.env === undefined ? {} : { env: options.env }),
  });
  if (error !== undefined && status === null && signal === null) throw error;
  return { status, signal, stdout, stderr, ms: performance.now() - startMs };
}

/** Runs a program that must succeed. */
export function must(argv: readonly string[], options: { input?: string; env?: NodeJS.ProcessEnv } = {}): Run {
  const done = run(argv, options);
  if (done.status !== 0) throw new Error(`${argv.join(' ')}: exit ${done.status ?? done.signal}: ${done.stderr}`);
  return done;
}

/** Runs cfs on the cluster in `dir`. */
export function cfs(app: App, dir: string, args: readonly string[], input?: string): Run {
  return run(cfsArgv(app, dir, args), { env: app.env, ...(input === undefined ? {} : { input }) });
}

/** Runs cfs, which must succeed. */
export function mustCfs(app: App, dir: string, args: readonly string[], input?: string): Run {
  return must(cfsArgv(app, dir, args), { env: app.env, ...(input === undefined ? {} : { input }) });
}

export function cfsArgv(app: App, dir: string, args: readonly string[]): string[] {
  return [process.execPath, app.bin, ...args, '--dir', dir];
}
