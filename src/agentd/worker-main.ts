/**
 * The process of the agent's worker (core/agent/worker.ts): made of real parts, it speaks with the supervisor over the channel it
 * was started with. When that breaks, the supervisor is gone: everything is stopped, and the process ends.
 */

import { version } from '../cli/version.js';
import type { StopRequest, WorkerOptions } from '../core/agent/options.js';
import type { Driver, Fencing, Hooks } from '../core/agent/ports.js';
import { Worker } from '../core/agent/worker.js';
import { BallastKeeper } from '../core/ballast/keeper.js';
import { CfsError } from '../core/errors.js';
import { Mailbox } from '../core/mail/mailbox.js';
import { MailSweeper } from '../core/mail/sweeper.js';
import { mailToHooks } from '../core/mail/to-hooks.js';
import { requireNode } from '../core/model/find.js';
import { nodePlatform } from '../node/platform.js';
import { watchHint } from '../node/watch-hint.js';
import { type DirectoryCluster, openCluster } from '../open.js';
import type { AgentConfig } from './config.js';
import { ThreadDecider } from './decider.js';
import { fencingOf } from './fencing.js';
import type { FatalError, ToSupervisor, ToWorker, WorkerStart } from './ipc.js';
import { type AgentLog, createLog } from './log.js';
import type { Programs } from './programs.js';
import { toolsOf } from './tools.js';

/** How long hooks that were begun before the end may take then, ms. */
const HOOKS_MS = 5000;

/** Sends, and resolves when it is on its way: what is sent before the process ends must arrive. */
function tell(message: ToSupervisor): Promise<void> {
  return new Promise((resolve) => {
    if (process.connected) process.send!(message, undefined, undefined, () => resolve());
    else resolve();
  });
}

/** What may change while the worker runs: it sees the parts that hold now. */
class Parts {
  private tools!: ReturnType<typeof toolsOf>;
  private fencer: Fencing | null = null;

  readonly driver: Driver;
  readonly hooks: Hooks;

  constructor(
    private readonly start: WorkerStart,
    private readonly log: AgentLog,
  ) {
    this.use(start.config);
    this.driver = {
      name: this.tools.driver.name,
      start: (holding) => this.tools.driver.start(holding),
      stop: (holding) => this.tools.driver.stop(holding),
      running: () => this.tools.driver.running(),
    };
    this.hooks = { run: (event, variables) => this.tools.hooks.run(event, variables) };
  }

  get fencing(): Fencing | null {
    return this.fencer;
  }

  get programs(): Programs {
    return this.tools.programs;
  }

  use(config: AgentConfig): void {
    const { node, dir, stateDir } = this.start;
    const { processes } = nodePlatform();
    this.tools = toolsOf(config, { node, dir, stateDir, log: this.log, ends: 'stop', processes });
    this.fencer = fencingOf(config.fencing, { node, dir, programs: this.tools.programs });
    this.log.setLevel(config.logLevel);
  }

  hooksIdle(): Promise<void> {
    return this.tools.hooks.idle();
  }
}

async function work(start: WorkerStart, log: AgentLog, onOrder: (listen: (order: ToWorker | null) => void) => void) {
  const { node, dir, stateDir } = start;
  const platform = nodePlatform();
  const cluster = await openCluster({ dir });
  const { place } = cluster.store;
  refuseUnknown(cluster, node);
  const parts = new Parts(start, log);
  const decider = new ThreadDecider({ dir, argv: process.argv });
  const options: WorkerOptions = {
    node,
    platform,
    store: cluster.store,
    driver: parts.driver,
    supervisor: {
      renewed: (beganMs, timeoutMs) => void tell({ kind: 'renewed', beganMs, timeoutMs }),
      holds: (holding) => void tell({ kind: 'holds', holding }),
      released: (volume) => void tell({ kind: 'released', volume }),
      status: (status) => void tell({ kind: 'status', status }),
    },
    decider,
    hooks: parts.hooks,
    get fencing() {
      return parts.fencing;
    },
    log,
    config: { version: version() },
    mailbox: new Mailbox({ place, stateDir, node, handler: mailToHooks(log, parts.hooks), log }),
    sweeper: new MailSweeper(place, log),
    ballast: new BallastKeeper(place),
    hint: watchHint,
  };
  const worker = new Worker(options);
  const stop = (request: StopRequest) => worker.stop(request);
  onOrder((order) => {
    if (order === null) {
      log.error({}, 'the supervisor is gone: everything is stopped, and this process ends');
      stop({ drain: false });
    } else if (order.kind === 'reload') parts.use(order.config);
    else if (order.kind === 'leave') stop({ drain: order.drain });
    else if (order.kind === 'hurry') stop({ drain: false });
  });
  const end = await worker.run(new AbortController().signal);
  if (end.reason === 'elsewhere') {
    throw new CfsError('AGENT_ELSEWHERE', end.says, {
      hint: 'One agent per node name. See who it is by the lease: cfs node list -o wide. This one starts nothing.',
    });
  }
  await tell({ kind: 'left' });
  await decider.close();
  await Promise.race([parts.hooksIdle(), new Promise((resolve) => setTimeout(resolve, HOOKS_MS))]);
  parts.programs.killAll();
}

/**
 * A name that the cluster does not have (a typing error, another host name) is told at once. What cannot be read now is the
 * worker's to wait for. @throws CfsError NODE_NOT_FOUND
 */
function refuseUnknown(cluster: DirectoryCluster, node: string): void {
  try {
    requireNode(cluster.snapshot(), node);
  } catch (error) {
    if (error instanceof CfsError && error.code === 'NODE_NOT_FOUND') throw error;
  }
}

/** The sentence that the supervisor's terminal and status show. */
function fatalOf(error: unknown): FatalError {
  if (error instanceof CfsError) return error.toJSON();
  return { code: 'SYSTEM_ERROR', message: error instanceof Error ? error.message : String(error) };
}

function main(): void {
  let listener: ((order: ToWorker | null) => void) | null = null;
  /** Orders that came before the worker was ready for them; null: the channel broke. */
  const early: (ToWorker | null)[] = [];
  const hear = (order: ToWorker | null) => {
    if (listener === null) early.push(order);
    else listener(order);
  };
  // The supervisor's signals are its own; a worker that is told directly to end stops everything first, too.
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => hear({ kind: 'leave', drain: false }));
  process.on('SIGHUP', () => {});
  process.on('disconnect', () => hear(null));
  process.on('message', (order: ToWorker) => {
    if (order.kind !== 'start') {
      hear(order);
      return;
    }
    const { node, config } = order;
    process.argv = [process.argv[0]!, 'cfs', 'agentd', '--node', node];
    const log = createLog({ format: config.log ?? 'lines', level: config.logLevel, name: 'worker', node });
    let isDying = false;
    const die = async (error: unknown) => {
      if (isDying) return;
      isDying = true;
      const isBug = !(error instanceof CfsError);
      if (isBug) log.error({ error: error instanceof Error ? { stack: error.stack } : error }, 'the worker fails');
      await tell({ kind: 'fatal', error: fatalOf(error) });
      await log.end();
      process.exit(1);
    };
    process.on('uncaughtException', die).on('unhandledRejection', die);
    work(order, log, (listen) => {
      listener = listen;
      for (const waiting of early.splice(0)) listen(waiting);
    }).then(async () => {
      await log.end();
      process.exit(0);
    }, die);
  });
}

main();
