/** The applications of the soak: one process per client, started again when it ends. */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildSync } from 'esbuild';
import { cleanEnv } from '../lab/hosts.js';
import { signalAll } from '../lab/proc.js';
import type { MountSpace } from './mount-space.js';
import type { AppOptions } from './writer-app-options.js';

/** One file, so that each start takes little more than node itself. @returns its path */
export function bundleApp(directory: string): string {
  const outfile = join(directory, 'writer-app.mjs');
  const entry = fileURLToPath(new URL('./writer-app.ts', import.meta.url));
  const banner = "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);";
  buildSync({
    entryPoints: [entry],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    banner: { js: banner },
    logLevel: 'error',
  });
  return outfile;
}

export class App {
  private child: ChildProcess | null = null;
  private isStopping = false;
  private timer: NodeJS.Timeout | undefined;
  private starts = 0;
  private ended: Promise<void> = Promise.resolve();
  /** Ends that nobody asked for and no signal explains: a mistake of the application. */
  readonly failures: string[] = [];

  constructor(
    private readonly bundle: string,
    private readonly options: AppOptions,
    private readonly log: string,
    private readonly space: MountSpace,
  ) {}

  get pid(): number | null {
    return this.child?.pid ?? null;
  }

  start(): void {
    if (this.isStopping) return;
    const seed = this.options.seed + 7919 * this.starts++;
    const fd = openSync(this.log, 'a');
    const words = [this.bundle, JSON.stringify({ ...this.options, seed })];
    const [program, ...argv] = this.space.argv([process.execPath, ...words]);
    const child = spawn(program!, argv, { env: cleanEnv(), stdio: ['ignore', fd, fd] });
    closeSync(fd);
    this.child = child;
    this.ended = new Promise((resolve) => {
      child.once('exit', (status, signal) => {
        this.child = null;
        if (status !== 0 && signal === null) this.failures.push(`${this.options.client}: ended with ${status}`);
        if (!this.isStopping) this.timer = setTimeout(() => this.start(), 200);
        resolve();
      });
    });
  }

  kill(signal: NodeJS.Signals): boolean {
    if (this.pid === null) return false;
    signalAll([this.pid], signal);
    return true;
  }

  /** Lets it close its file, and waits until it has ended. */
  async stop(): Promise<void> {
    this.isStopping = true;
    clearTimeout(this.timer);
    this.kill('SIGTERM');
    await this.ended;
  }

  killNow(): void {
    this.isStopping = true;
    clearTimeout(this.timer);
    this.kill('SIGKILL');
  }
}
