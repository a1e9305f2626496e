/**
 * The agent's supervisor: never touches the shared directory, so that it can always act. It starts the worker, is told of each
 * renewal, and stops everything that the node runs when none came for 0.7 x lease.timeout, or the worker ended (watchdog.ts
 * decides, supervisor-fence.ts does it). Then another worker follows, as soon as the former is really gone. For a client the same:
 * what it holds are the mounts for writing, and to stop one is to make it read-only.
 */
import type { ClientStatus } from '../core/access/agent/ports.js';
import type { AgentStatus } from '../core/agent/ports.js';
import { CfsError, type ErrorCode } from '../core/errors.js';
import type { Processes } from '../core/platform/processes.js';
import { plural } from '../render/format.js';
import type { AgentConfig } from './config.js';
import type { FatalError, ToSupervisor, WorkerStart } from './ipc.js';
import type { AgentLog } from './log.js';
import type { Notifier } from './notify.js';
import { WORDS } from './served.js';
import { writeIdentity } from './state-dir.js';
import { processId } from './state-lock.js';
import { statusLine } from './status-line.js';
import { monotonicMs, now } from './supervisor-clock.js';
import { Fence, type FenceOptions, type Tools } from './supervisor-fence.js';
import type { AnyStatus, FenceReport, Phase } from './supervisor-status.js';
import { WorkerProcess } from './supervisor-worker.js';
import { Watchdog } from './watchdog.js';

export interface SupervisorOptions {
  start: WorkerStart;
  /** Arguments of node that start a worker. */
  workerArgv: readonly string[];
  processes: Processes;
  log: AgentLog;
  notifier: Pick<Notifier, 'send' | 'says'>;
  toolsOf: (config: AgentConfig) => Tools;
  /** The first pause before another worker, ms, doubled up to half a minute; default 250. */
  restartMs?: number;
}

/** Not so long that a node which was killed a few times would miss its lease for want of a worker. */
const LONGEST_PAUSE_MS = 10_000;
/** A worker that renewed the lease for so long was no failure: the pauses begin anew. */
const GOOD_RUN_MS = 5000;
/** How long a worker that said it left, or was told to hurry, may take to be gone. */
const GONE_MS = 10_000;

export class Supervisor {
  private readonly watchdog = new Watchdog();
  private readonly since = new Date().toISOString();
  private tools: Tools;
  private config: AgentConfig;
  private phase: Phase = 'starting';
  private worker: WorkerProcess | null = null;
  private fence: Fence | null = null;
  private lastFence: FenceReport | null = null;
  private agent: { status: AgentStatus | ClientStatus; atMs: number } | null = null;
  private fatal: FatalError | null = null;
  private restarts = 0;
  private failures = 0;
  private hasRenewed = false;
  /** Of this worker, by the monotonic clock. */
  private firstRenewalMs: number | null = null;
  private renewedForMs = 0;
  /** It was killed because it did not renew in time. */
  private wasQuiet = false;
  /** When the last worker was killed, by the monotonic clock: it may end much later, when a call on the directory returns. */
  private killedMs = Number.POSITIVE_INFINITY;
  /** Late: what waits in the channel is read before anything is decided; its first messages are old ones. */
  private isReading = false;
  /** How often it was asked to leave. */
  private asked = 0;
  private timer: NodeJS.Timeout | undefined;
  private restartTimer: NodeJS.Timeout | undefined;
  private end!: (status: number) => void;
  private fail!: (error: Error) => void;
  private readonly over: Promise<number>;

  constructor(private readonly options: SupervisorOptions) {
    this.config = options.start.config;
    this.tools = options.toolsOf(this.config);
    this.over = new Promise((resolve, reject) => {
      this.end = resolve;
      this.fail = reject;
    });
  }

  /**
   * Runs until it was told to leave, or cannot go on.
   * @returns exit status: 0 when everything was stopped
   * @throws CfsError what the first worker could not start for; AGENT_ELSEWHERE
   */
  async run(): Promise<number> {
    // What a former agent left running has no lease that anybody renews.
    const left = this.tools.journal.open();
    if (left.length > 0)
      await this.stopAll({
        why: `a former agent left ${plural(left.length, 'volume')} ${this.isClient ? 'mounted for writing' : 'running'}`,
      });
    if (this.asked > 0) this.end(0);
    else this.startWorker();
    return this.over;
  }

  private get isClient(): boolean {
    return this.options.start.role === 'client';
  }

  /** SIGTERM: leaves in order; asked again it hurries; a third time it stops everything without the worker. */
  leave(drain = this.config.drainOnStop): void {
    this.asked++;
    const { log, notifier } = this.options;
    clearTimeout(this.restartTimer);
    if (this.asked === 1) {
      notifier.send('STOPPING=1');
      log.info({ drain }, `leaving${drain ? ', after its volumes are given to others' : ''}`);
    }
    if (this.fence !== null) {
      // Everything is being stopped already; what cannot be stopped is left to the unit's ExecStopPost.
      if (this.asked > 1) this.fence.giveUp();
    } else if (this.worker === null) this.end(0);
    else if (this.asked === 1) {
      this.phase = 'leaving';
      this.worker.send({ kind: 'leave', drain });
      setTimeout(() => this.leaveAnyway(), GONE_MS).unref();
    } else if (this.asked === 2) {
      log.warn({}, 'asked again to leave: hurrying');
      this.worker.send({ kind: 'hurry' });
      setTimeout(() => this.asked === 2 && this.leave(), GONE_MS).unref();
    } else {
      this.stopAll({ why: 'asked a third time to leave, or the worker did not end' });
    }
  }

  /** A worker that was never heard of a renewal (it hangs, or is stopped) has nothing to leave in order: no watchdog counts for it. */
  private leaveAnyway(): void {
    const { worker, watchdog, fence } = this;
    if (worker === null || fence !== null || watchdog.renewal !== null || watchdog.holdings.length > 0) return;
    this.options.log.warn({}, `the worker is ${worker.state()} and holds nothing: leaving without it`);
    worker.kill();
    this.end(0);
  }

  /** SIGHUP: what the configuration says now. */
  reload(config: AgentConfig): void {
    const { log } = this.options;
    const keys = (Object.keys(config) as (keyof AgentConfig)[]).filter(
      (key) => JSON.stringify(config[key]) !== JSON.stringify(this.config[key]),
    );
    const fixed = keys.filter((key) => ['node', 'dir', 'stateDir', 'log'].includes(key));
    if (fixed.length > 0)
      log.warn({ changed: fixed }, `changed, but only a restart makes it hold: ${fixed.join(', ')}`);
    const changed = keys.filter((key) => !fixed.includes(key));
    this.config = config;
    this.tools = this.options.toolsOf(config);
    log.setLevel(config.logLevel);
    this.worker?.send({ kind: 'reload', config });
    log.info(
      { changed },
      `configuration read again: ${changed.length === 0 ? 'nothing changed' : `${changed.join(', ')} changed`}`,
    );
  }

  status(): AnyStatus {
    const at = monotonicMs();
    const { role, name, dir, stateDir } = this.options.start;
    const { renewal, deadlineMs } = this.watchdog;
    const { worker } = this;
    const status = {
      [role]: name,
      dir,
      stateDir,
      pid: process.pid,
      since: this.since,
      phase: this.phase,
      worker:
        worker === null
          ? null
          : {
              pid: worker.id.pid,
              state: worker.state(),
              since: new Date(worker.sinceMs).toISOString(),
              restarts: this.restarts,
            },
      lease:
        renewal === null
          ? null
          : {
              renewedMsAgo: Math.round(at - renewal.beganMs),
              timeoutMs: renewal.timeoutMs,
              fencesInMs: Math.round((deadlineMs ?? at) - at),
            },
      holdings: this.watchdog.holdings,
      notStopped: this.fence?.left ?? [],
      lastFence: this.fence?.report ?? this.lastFence,
      problems: this.problems(),
      agent: this.agent?.status ?? null,
      agentMsAgo: this.agent === null ? null : Math.round(at - this.agent.atMs),
    };
    return status as unknown as AnyStatus;
  }

  private problems(): string[] {
    const problems: string[] = [];
    const state = this.worker?.state();
    if (state === 'stuck in a system call' || state === 'stopped') problems.push(`The worker is ${state}.`);
    for (const { volume, why } of this.fence?.left ?? [])
      problems.push(`Volume ${volume} is not ${WORDS[this.options.start.role].stopped}: ${why}.`);
    if (this.fatal !== null && this.phase !== 'running') problems.push(`The worker ended: ${this.fatal.message}`);
    return [...problems, ...(this.agent?.status.problems ?? [])];
  }

  private startWorker(): void {
    const { start, workerArgv, processes, log } = this.options;
    this.firstRenewalMs = null;
    this.renewedForMs = 0;
    this.killedMs = Number.POSITIVE_INFINITY;
    this.wasQuiet = false;
    this.phase = 'starting';
    this.fatal = null;
    this.watchdog.workerStarts();
    const worker = new WorkerProcess(workerArgv, processes, (message) => this.hear(message, worker));
    this.worker = worker;
    const supervisor = processId(processes, processes.pid);
    const { role, name, dir } = start;
    writeIdentity(start.stateDir, { role, name, dir, supervisor, worker: worker.id });
    log.debug({ pid: worker.id.pid }, 'worker started');
    worker.send({ kind: 'start', ...start, config: this.config });
    void worker.ended.then((how) => this.workerEnded(worker, how));
  }

  private hear(message: ToSupervisor, worker: WorkerProcess): void {
    if (worker !== this.worker) return;
    switch (message.kind) {
      case 'renewed':
        // A renewal of a worker that is being killed says nothing of the next.
        if (this.fence !== null) return;
        this.watchdog.renewed(message.beganMs, message.timeoutMs, now());
        this.firstRenewalMs ??= message.beganMs;
        this.renewedForMs = message.beganMs - this.firstRenewalMs;
        if (this.phase === 'starting') this.running();
        break;
      case 'holds':
        this.watchdog.holds(message.holding, now());
        this.fence?.add(message.holding);
        break;
      case 'released':
        this.watchdog.released(message.volume);
        break;
      case 'status':
        this.agent = { status: message.status, atMs: monotonicMs() };
        this.options.notifier.says(statusLine(message.status));
        return;
      case 'fatal':
        this.fatal = message.error;
        return;
      case 'left':
        this.watchdog.workerLeft();
        setTimeout(() => worker.kill(), GONE_MS).unref();
        break;
    }
    this.watch();
  }

  private running(): void {
    this.phase = this.asked > 0 ? 'leaving' : 'running';
    if (!this.hasRenewed) this.options.notifier.send('READY=1');
    this.options.log.info({}, `the lease is renewed: this ${this.options.start.role} is guarded`);
    this.hasRenewed = true;
  }

  /** Looks whether it is time to fence, now and again when the watchdog says. */
  private watch(): void {
    clearTimeout(this.timer);
    if (this.fence !== null || this.isReading) return;
    const verdict = this.watchdog.look(now());
    if (verdict.kind === 'fence') {
      this.wasQuiet = true;
      this.stopAll(verdict);
    }
    // Twice: the first one may come before the channel is read.
    else if (verdict.kind === 'read') {
      this.isReading = true;
      setImmediate(() =>
        setImmediate(() => {
          this.isReading = false;
          this.watch();
        }),
      );
    } else if (verdict.untilMs !== null) {
      this.timer = setTimeout(() => this.watch(), Math.max(0, Math.ceil(verdict.untilMs - monotonicMs())));
    }
  }

  private async stopAll({ why, byMs = this.watchdog.stopByMs(now()) }: { why: string; byMs?: number }): Promise<void> {
    if (this.fence !== null) return;
    const { options, tools, worker } = this;
    // First of all: from here on nothing is started.
    worker?.kill();
    this.killedMs = monotonicMs();
    clearTimeout(this.timer);
    this.phase = 'fencing';
    const holdings = this.watchdog.holdings.length > 0 ? this.watchdog.holdings : tools.journal.open();
    const { role, dir, stateDir } = options.start;
    const request: FenceOptions = {
      served: options.start,
      dir,
      stateDir,
      tools,
      log: options.log,
      why,
      byMs,
      holdings,
      workerPid: worker?.id.pid ?? null,
      onStopped: ({ volume }) => this.watchdog.released(volume),
    };
    this.fence = new Fence(request);
    const what =
      holdings.length === 0 ? 'nothing is held' : `${WORDS[role].stopping} ${plural(holdings.length, 'volume')}`;
    options.log.error({ volumes: holdings.length }, `${what}: ${why}`);
    options.notifier.says(`self-fencing: ${why}`);
    await this.fence.run();
    this.lastFence = this.fence.report;
    // Whoever told to leave need not wait for a process that is stuck in the kernel and can do nothing more.
    if (this.asked > 0) this.end(this.fence.left.length === 0 ? 0 : 1);
    else if (worker !== null) await this.gone(worker);
    this.fence = null;
    if (worker !== null) this.next();
  }

  /** A killed worker ends at once, or when the system call that it is stuck in returns. */
  private async gone(worker: WorkerProcess): Promise<void> {
    const timer = setTimeout(() => {
      const { pid } = worker.id;
      this.options.log.error(
        { pid },
        `the worker is ${worker.state()} and cannot be killed: another one starts when it is gone`,
      );
    }, 1000);
    await worker.ended;
    clearTimeout(timer);
  }

  /** It ended by itself or was killed by somebody else; whom the supervisor has killed is waited for in stopAll. */
  private async workerEnded(worker: WorkerProcess, how: string): Promise<void> {
    if (worker !== this.worker || this.fence !== null) return;
    const holdings = this.watchdog.holdings.length > 0 ? this.watchdog.holdings : this.tools.journal.open();
    if (this.phase === 'leaving' && holdings.length === 0) {
      this.worker = null;
      this.options.log.info({}, this.isClient ? 'left: nothing is mounted for writing' : 'left: nothing runs');
      this.end(0);
      return;
    }
    if (holdings.length > 0) {
      await this.stopAll({ why: `the worker ${how}` });
      return;
    }
    if (this.fatal === null) this.options.log.warn({}, `the worker ${how}; it held nothing`);
    this.next();
  }

  /** After a worker: another one, or the end. */
  private next(): void {
    const { fatal, options } = this;
    this.worker = null;
    this.watchdog.workerStarts();
    if (fatal !== null && (!this.hasRenewed || fatal.code === 'AGENT_ELSEWHERE')) {
      this.fail(new CfsError(fatal.code as ErrorCode, fatal.message, fatal));
      return;
    }
    if (this.asked > 0) {
      this.end(0);
      return;
    }
    this.phase = 'waiting';
    // A worker that went quiet after it had renewed hung in the directory, most likely: when that is back, every agent must be
    // back before its lease is overdue.
    if (this.wasQuiet || this.renewedForMs >= GOOD_RUN_MS) this.failures = 0;
    const wholePause = Math.min((options.restartMs ?? 250) * 2 ** this.failures, LONGEST_PAUSE_MS);
    // Killed long ago, and only now gone: that was pause enough.
    const pause = Math.max(0, wholePause - Math.max(0, monotonicMs() - this.killedMs));
    this.failures++;
    this.restarts++;
    if (fatal !== null) options.log.error({ code: fatal.code }, `the worker ended: ${fatal.message}`);
    options.log.info({ pauseMs: Math.round(pause) }, 'another worker starts');
    this.restartTimer = setTimeout(() => this.startWorker(), pause);
  }
}
