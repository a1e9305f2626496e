/**
 * The administrator's hooks: every program in HOOKSDIR/EVENT, one after the other in natural order of their names, when the
 * agent has done or seen something. They are told, not asked: nothing waits for them, and what they return changes nothing.
 *
 * Left out, as everywhere: names that begin with a point or end with ~, .bak, .disabled, .rpmsave or .dpkg-*, and what is not executable.
 * Variables: CFS_EVENT, CFS_NODE (of a client's agent: CFS_CLIENT, unless the event is about another one), CFS_DIR and those of the event. The output goes into the log (its last lines) and whole (the
 * last 64 KiB) to STATE/hooks/EVENT.NAME, that of the last run.
 *
 * Events wait in a queue of bounded length, so that slow hooks never fill the memory; those beyond it are dropped, counted and told.
 */
import { mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { HookEvent, Hooks, Log } from '../core/agent/ports.js';
import { CfsError } from '../core/errors.js';
import { naturalCompare } from '../core/model/names.js';
import type { Programs } from './programs.js';
import { type RunResult, saidLast } from './run-program.js';
import { type Served, servedVariables } from './served.js';

export interface HookOptions {
  hooksDir: string;
  stateDir: string;
  served: Served;
  dir: string;
  programs: Pick<Programs, 'run'>;
  log: Log;
  /** Longest time of one hook, ms; default 30 s. */
  timeoutMs?: number;
  /** Events that may wait; default 256. */
  queueLength?: number;
}

/** What a hook gets besides CFS_EVENT, CFS_NODE or CFS_CLIENT, and CFS_DIR; for the manual. */
export const HOOK_VARIABLES: Readonly<Record<HookEvent, string>> = {
  joined: 'this node has become a member: CFS_GENERATION',
  left: 'the agent of this node ends in order',
  state: 'the state of this node has changed: CFS_STATE, CFS_STATE_BEFORE, CFS_REASON',
  'volume-started': 'this node runs a volume now: CFS_VOLUME, CFS_EPOCH',
  'volume-stopped': 'this node has stopped a volume: CFS_VOLUME, CFS_EPOCH',
  'volume-failed': 'a volume could not be started or stopped: CFS_VOLUME, CFS_EPOCH, CFS_REASON',
  'node-failed': 'another node has failed: CFS_OTHER_NODE, CFS_REASON',
  'node-joined': 'another node has joined: CFS_OTHER_NODE',
  fenced: 'this host has fenced another: CFS_OTHER_NODE (a client: CFS_CLIENT), CFS_REASON',
  'self-fenced': 'this node has stopped all that it ran, without the shared directory: CFS_VOLUMES, CFS_REASON',
  'disk-full': 'the shared file system is full: CFS_REASON',
  mail: 'a message for people has come: CFS_MAIL_ID, CFS_MAIL_FROM, CFS_MAIL_KIND, CFS_MAIL_BODY (JSON)',
  alarm: 'something needs a person: CFS_REASON',
  'write-request':
    'a client asks this one for the right to write, and nobody answers by itself: CFS_VOLUME, CFS_FROM, CFS_MESSAGE',
  'write-granted': 'this client may write a volume now: CFS_VOLUME, CFS_EPOCH',
  mounted: 'a volume is mounted on this client: CFS_VOLUME, CFS_MODE (ro or rw), CFS_EPOCH (of rw)',
  unmounted: 'a volume is not mounted on this client any more: CFS_VOLUME',
  refreshed: 'a read-only mount was made anew, since the volume was modified: CFS_VOLUME',
  'privileges-changed':
    'with refreshNotify: what others may do has changed: CFS_VOLUME, CFS_CLIENT (whose; empty: all), CFS_WRITER',
  'client-gone': 'this agent has logged off a client that is gone: CFS_CLIENT, CFS_REASON',
};

const LEFT_OUT = /^\.|~$|\.(bak|disabled|rpmsave|rpmnew)$|\.dpkg-\w+$/;
const LOGGED_LINES = 5;

export class NodeHooks implements Hooks {
  /** Events that found the queue full, since the start. */
  dropped = 0;
  private waiting = 0;
  private last: Promise<void> = Promise.resolve();

  constructor(private readonly options: HookOptions) {}

  /** Resolves when the hooks of this event have ended, or at once when it is dropped. Never rejects; the agent need not wait. */
  run(event: HookEvent, variables: Record<string, string>): Promise<void> {
    if (this.waiting >= (this.options.queueLength ?? 256)) {
      this.dropped++;
      this.options.log.warn(
        { hookEvent: event, dropped: this.dropped },
        'hooks are too slow: their queue is full, and this event is left out',
      );
      return Promise.resolve();
    }
    this.waiting++;
    this.last = this.last
      .then(() => this.runAll(event, variables))
      .catch((error: Error) => this.options.log.error({ hookEvent: event }, `hooks could not be run: ${error.message}`))
      .finally(() => this.waiting--);
    return this.last;
  }

  /** Resolves when nothing waits any more. */
  async idle(): Promise<void> {
    await this.last;
  }

  private async runAll(event: HookEvent, variables: Record<string, string>): Promise<void> {
    for (const name of this.names(event)) await this.runOne(event, name, variables);
  }

  private names(event: HookEvent): string[] {
    const dir = join(this.options.hooksDir, event);
    let names: string[];
    try {
      names = readdirSync(dir);
    } catch (error) {
      if (['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) return [];
      throw error;
    }
    const isProgram = (name: string) => {
      const stat = statSync(join(dir, name), { throwIfNoEntry: false });
      return stat?.isFile() && (stat.mode & 0o111) !== 0;
    };
    return names.filter((name) => !LEFT_OUT.test(name) && isProgram(name)).sort(naturalCompare);
  }

  private async runOne(event: HookEvent, name: string, variables: Record<string, string>): Promise<void> {
    const { hooksDir, served, dir, programs, log, timeoutMs = 30_000 } = this.options;
    const facts = { hookEvent: event, hook: name };
    try {
      const result = await programs.run('hook', {
        program: join(hooksDir, event, name),
        variables: { ...servedVariables(served), ...variables, CFS_EVENT: event, CFS_DIR: dir },
        timeoutMs,
      });
      const said = saidLast(result, LOGGED_LINES);
      const sentence = `hook ${event}/${name} ${result.failure ?? `ended after ${Math.round(result.durationMs)} ms`}${said === '' ? '' : `: ${said}`}`;
      if (result.failure === null) log.info(facts, sentence);
      else log.warn({ ...facts, status: result.status }, sentence);
      this.keep(event, name, result);
    } catch (error) {
      const hint = error instanceof CfsError && error.hint !== undefined ? `. ${error.hint}` : '';
      log.error(facts, `${(error as Error).message}${hint}`);
    }
  }

  private keep(event: HookEvent, name: string, result: RunResult): void {
    const dir = join(this.options.stateDir, 'hooks');
    mkdirSync(dir, { recursive: true, mode: 0o700 });
    const head = `${new Date().toISOString()} ${result.failure ?? 'ended with 0'} after ${Math.round(result.durationMs)} ms\n`;
    writeFileSync(join(dir, `${event}.${name}`), `${head}${result.stdout}${result.stderr}`, { mode: 0o600 });
  }
}
