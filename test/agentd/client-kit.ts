/**
 * Agents of clients through the built binary, with a driver that keeps its mounts in files. Below one directory:
 *
 *   CLIENT/mounts/VOLUME   what is "mounted": `ro` or `rw`
 *   CLIENT/busy.VOLUME     as long as it is there: a program has a file open for writing; ended by force
 *   CLIENT/agent.json, CLIENT/state, CLIENT/notified
 *   calls                  every change of every client in order: `c1 rw v1 -`; the last word: `force`
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { type JournalEvent, openIntervals, readJournal } from '../../src/agentd/journal.js';
import { askStatus } from '../../src/agentd/socket.js';
import type { ClientSupervisorStatus } from '../../src/agentd/supervisor-status.js';
import { NodeProcesses } from '../../src/node/processes.js';
import { CFS, cleanEnv, runCfs, tempDir } from '../kit/cli.js';
import { script } from './kit.js';

/** Waits until the step gives something; longer than the one of kit.ts, since what these tests wait for takes several leases. */
export async function soon<T>(
  step: () => T | Promise<T>,
  what: () => string,
  limitMs = 40_000,
): Promise<Exclude<T, null | undefined | false>> {
  const deadline = performance.now() + limitMs;
  for (;;) {
    const found = await step();
    if (found) return found as Exclude<T, null | undefined | false>;
    if (performance.now() > deadline) throw new Error(`never: ${what()}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

const running = new Set<ChildProcess>();

/** The driver of a client (driver `command`). */
function driver(home: string, calls: string): string {
  return script(
    `at=${home}/mounts
busy() { [ -e "${home}/busy.$CFS_VOLUME" ] && [ "$CFS_FORCE" != 1 ]; }
put() { echo "$1" > "${home}/new.$CFS_VOLUME" && mv "${home}/new.$CFS_VOLUME" "$at/$CFS_VOLUME"; }
change() { echo "$CFS_CLIENT $1 $CFS_VOLUME $([ "$CFS_FORCE" = 1 ] && echo force || echo -)" >> ${calls}; }
case $1 in
mounted) for f in "$at"/*; do [ -e "$f" ] && echo "\${f##*/} $(cat "$f")"; done; exit 0 ;;
written) echo 0; exit 0 ;;
esac
if busy && [ "$1" != rw ]; then echo "editor (process 4711) has notes.txt open" >&2; exit 75; fi
rm -f "${home}/busy.$CFS_VOLUME"
# Read-only is noted when it is, writing before it is: the order in the file is never safer than the truth.
[ "$1" = rw ] && change rw
if [ "$1" = unmount ]; then rm -f "$at/$CFS_VOLUME"; else put "$1"; fi
[ "$1" = rw ] || change "$1"
exit 0`,
    join(home, 'driver'),
  );
}

export class ClientAgent {
  readonly home: string;
  readonly stateDir: string;
  readonly config: string;
  readonly said: string;
  log = '';
  status = 0;
  private child!: ChildProcess;
  private ended: Promise<number> = Promise.resolve(0);

  constructor(
    readonly base: string,
    readonly dir: string,
    readonly client: string,
    /** Another agent with this home: a second one of the same client. */
    home = client,
  ) {
    this.home = join(base, home);
    this.stateDir = join(this.home, 'state');
    this.config = join(this.home, 'agent.json');
    this.said = join(this.home, 'notified');
    mkdirSync(join(this.home, 'mounts'), { recursive: true });
    writeFileSync(this.said, '');
    this.configure({});
  }

  /** More keys of `client`, and of the configuration itself. */
  configure(ofClient: Record<string, unknown>, more: Record<string, unknown> = {}): void {
    const command = driver(this.home, join(this.base, 'calls'));
    const client = { name: this.client, driver: { type: 'command', command }, ...ofClient };
    const config = { client, hooksDir: join(this.home, 'hooks.d'), ...more };
    writeFileSync(this.config, JSON.stringify(config));
  }

  /** Starts it; default: the agent of the client alone. */
  start(args: string[] = ['--client', this.client]): this {
    const notify = script(`echo "$*" >> ${this.said}`, join(dirname(this.config), 'bin/systemd-notify'));
    const env = cleanEnv({ dir: this.dir, env: { NOTIFY_SOCKET: '/run/x', CFS_STATE_DIR: this.stateDir } });
    const path = `${dirname(notify)}${delimiter}${env.PATH}`;
    this.log = '';
    writeFileSync(this.said, '');
    const child = spawn(process.execPath, [CFS, 'agentd', '--config', this.config, ...args], {
      cwd: tempDir('cwd'),
      env: { ...env, PATH: path },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    this.child = child;
    running.add(child);
    child.stderr!.on('data', (text) => {
      this.log += text;
    });
    this.ended = new Promise((resolve) =>
      child.on('close', (status) => {
        running.delete(child);
        resolve(status ?? -1);
      }),
    );
    return this;
  }

  get pid(): number {
    return this.child.pid!;
  }

  /** The exit status; -1 when it was killed. */
  over(): Promise<number> {
    return this.ended;
  }

  signal(signal: NodeJS.Signals, pid = this.pid): void {
    process.kill(pid, signal);
  }

  notified(): string[] {
    return readFileSync(this.said, 'utf8').split('\n');
  }

  /** What the driver has mounted: `v1 rw`, in order of names. */
  mounted(): string[] {
    const at = join(this.home, 'mounts');
    return readdirSync(at)
      .sort()
      .map((volume) => `${volume} ${readFileSync(join(at, volume), 'utf8').trim()}`);
  }

  async has(mounts: string[], what = ''): Promise<void> {
    const wish = mounts.join(', ');
    await soon(
      () => this.mounted().join(', ') === wish,
      () => `${this.client} has ${wish} ${what}; it has ${this.mounted()}\n${this.log}`,
    );
  }

  /** A program has a file open for writing there, until it is ended. */
  keepBusy(volume: string): void {
    writeFileSync(join(this.home, `busy.${volume}`), '');
  }

  isBusy(volume: string): boolean {
    return existsSync(join(this.home, `busy.${volume}`));
  }

  async ask(stateDir = this.stateDir): Promise<ClientSupervisorStatus | undefined> {
    return (await askStatus(stateDir)) as ClientSupervisorStatus | undefined;
  }

  async workerPid(): Promise<number> {
    return (await this.ask())!.worker!.pid;
  }

  journal(event?: JournalEvent['event']): JournalEvent[] {
    return readJournal(this.stateDir).filter((line) => event === undefined || line.event === event);
  }

  /** What is mounted for writing by the journal. */
  open(): string[] {
    return openIntervals(this.journal(), new NodeProcesses().bootId()).map(({ volume }) => volume);
  }

  run(args: string[]) {
    return runCfs(['agentd', ...args, '--config', this.config], { env: { CFS_STATE_DIR: this.stateDir } });
  }

  killAll(): void {
    this.child?.kill('SIGKILL');
  }
}

/** Kills what still runs. */
export function endAll(): void {
  for (const child of running) child.kill('SIGKILL');
}

/** Changes of all clients in order, as the drivers made them. */
export function callsOf(base: string): string[] {
  try {
    return readFileSync(join(base, 'calls'), 'utf8').split('\n').slice(0, -1);
  } catch {
    return [];
  }
}

/** By the calls alone: at no time two clients with one volume for writing. @returns what was wrong */
export function twoWriters(calls: readonly string[]): string[] {
  const writers = new Map<string, string>();
  const wrong: string[] = [];
  for (const call of calls) {
    const [client, mode, volume] = call.split(' ') as [string, string, string];
    const writer = writers.get(volume);
    if (mode === 'rw') {
      if (writer !== undefined && writer !== client) wrong.push(`${call} while ${writer} writes`);
      writers.set(volume, client);
    } else if (writer === client) writers.delete(volume);
  }
  return wrong;
}
