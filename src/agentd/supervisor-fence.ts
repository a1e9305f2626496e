/**
 * Self-fencing: everything that the node runs is stopped without the shared directory, before others may take it over; of a client,
 * what is mounted for writing is made read-only, before another may become the writer.
 */
import type { Driver, Holding, Hooks, Log } from '../core/agent/ports.js';
import { plural } from '../render/format.js';
import type { OwnershipJournal } from './journal.js';
import { killLeftPrograms, type Programs } from './programs.js';
import { saidLast } from './run-program.js';
import { type Served, servedVariables, WORDS } from './served.js';
import { monotonicMs } from './supervisor-clock.js';
import type { FenceReport } from './supervisor-status.js';
import { type NotStopped, Stops } from './supervisor-stops.js';

/** What the supervisor touches the host with. Made anew when the configuration changes. */
export interface Tools {
  driver: Driver;
  programs: Programs;
  hooks: Hooks & { idle(): Promise<void> };
  journal: OwnershipJournal;
  /** The host's own self-fencing command; null: none. */
  selfFence: string | null;
}

export interface FenceOptions {
  served: Served;
  dir: string;
  stateDir: string;
  tools: Tools;
  log: Log;
  why: string;
  /** Until when all must be stopped, monotonic ms. */
  byMs: number;
  holdings: readonly Holding[];
  /** The worker that was killed; null: it had none. */
  workerPid: number | null;
  onStopped: (holding: Holding) => void;
}

const SELF_FENCE_TIMEOUT_MS = 60_000;
/** Most of the time left that is given to killing the worker's programs before the stops begin. */
const KILL_PART = 0.3;

/** One fencing. `run` resolves when everything is stopped. */
export class Fence {
  readonly report: FenceReport;
  private readonly stops: Stops;

  constructor(private readonly options: FenceOptions) {
    const { tools, log, onStopped, why } = options;
    this.report = { time: new Date().toISOString(), why, stopped: 0, tookMs: null, inTime: null };
    this.stops = new Stops({
      driver: tools.driver,
      log,
      notStopped: this.words.notStopped,
      onStopped: (holding) => {
        this.report.stopped++;
        onStopped(holding);
      },
    });
  }

  private get words() {
    return WORDS[this.options.served.role];
  }

  get left(): NotStopped[] {
    return this.stops.left;
  }

  /** Something more that runs, told by the worker in its last moments. */
  add(holding: Holding): void {
    this.stops.add(holding);
  }

  /** No further attempts. */
  giveUp(): void {
    this.stops.giveUp();
  }

  async run(): Promise<void> {
    const { log, byMs, holdings, why, tools } = this.options;
    const began = monotonicMs();
    await this.killPrograms(byMs - began);
    for (const holding of holdings) this.stops.add(holding);
    await this.stops.done(byMs - monotonicMs());
    if (this.left.length > 0) {
      this.report.inTime = false;
      await this.lastResort();
      await this.stops.done();
    }
    // What the journal says was begun and no message told.
    for (const holding of this.journaled()) this.stops.add(holding);
    await this.stops.done();
    this.report.tookMs = Math.round(monotonicMs() - began);
    this.report.inTime ??= monotonicMs() <= byMs;
    const { stopped, tookMs, inTime } = this.report;
    if (stopped > 0) {
      const told = `${this.words.stopped} ${plural(stopped, 'volume')} in ${tookMs} ms`;
      if (inTime) log.warn({ stopped, tookMs }, `${told}, before ${this.words.others}`);
      else log.error({ stopped, tookMs }, `${told}: too late, ${this.words.othersDid}`);
      const volumes = holdings.map(({ volume }) => volume).join(' ');
      void tools.hooks.run('self-fenced', { CFS_VOLUMES: volumes, CFS_REASON: why });
    }
  }

  /** A driver's start that goes on must not run beside our stop. */
  private async killPrograms(leftMs: number): Promise<void> {
    const { stateDir, workerPid, log } = this.options;
    if (workerPid === null) return;
    const killed = killLeftPrograms(stateDir, workerPid).then(
      (stuck) => {
        if (stuck.length > 0) log.error({ programs: stuck }, 'programs that the worker began cannot be killed');
      },
      (error: Error) => log.error({}, `programs of the worker could not be looked for: ${error.message}`),
    );
    await Promise.race([killed, new Promise((resolve) => setTimeout(resolve, Math.max(20, leftMs * KILL_PART)))]);
  }

  private async lastResort(): Promise<void> {
    const { served, dir, tools, log, why } = this.options;
    const volumes = this.left.map(({ volume }) => volume);
    const list = volumes.slice(0, 20).join(', ');
    const told = `${plural(volumes.length, 'volume')} ${this.words.notStopped} in time (${list}), and ${this.words.others}`;
    if (tools.selfFence === null) {
      log.error(
        { volumes: volumes.length },
        `${told}. No self-fencing command is configured: it is tried again and again`,
      );
      return;
    }
    log.error({ volumes: volumes.length }, `${told}. Running the self-fencing command ${tools.selfFence}`);
    try {
      const result = await tools.programs.run('self-fencing command', {
        program: tools.selfFence,
        variables: { ...servedVariables(served), CFS_DIR: dir, CFS_VOLUMES: volumes.join(' '), CFS_REASON: why },
        timeoutMs: SELF_FENCE_TIMEOUT_MS,
      });
      const said = saidLast(result);
      const end = `the self-fencing command ${result.failure ?? 'ended with 0'}${said === '' ? '' : `: ${said}`}`;
      if (result.failure === null) log.warn({}, `${end}, and this host still runs`);
      else log.error({}, end);
    } catch (error) {
      log.error({}, (error as Error).message);
    }
  }

  private journaled(): Holding[] {
    try {
      return this.options.tools.journal.open();
    } catch (error) {
      this.options.log.error({}, `the ownership journal cannot be read: ${(error as Error).message}`);
      return [];
    }
  }
}
