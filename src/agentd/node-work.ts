/** The work of a node's agent (core/agent/worker.ts), made of real parts. */
import { version } from '../cli/version.js';
import { ClientWatch } from '../core/access/agent/client-watch.js';
import type { LapsedResult } from '../core/access/logon.js';
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
import type { WorkerStart } from './ipc.js';
import type { AgentLog } from './log.js';
import { toolsOf } from './tools.js';
import { endWork, tell, type WorkerContext } from './worker-context.js';

/** What may change while the worker runs: it sees the parts that hold now. */
class Parts {
  tools!: ReturnType<typeof toolsOf>;
  fencing: Fencing | null = null;
  /** The same command for clients that are gone. */
  clientFencing: Fencing | null = null;
  /** The client that this host is besides, by its configuration. */
  ownClient: string | null = null;

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

  use(config: AgentConfig): void {
    const { start: served, log } = this;
    const { dir, stateDir } = served;
    const { processes } = nodePlatform();
    this.tools = toolsOf(config, { served, dir, stateDir, log, ends: 'stop', processes });
    const { programs } = this.tools;
    this.fencing = fencingOf(config.fencing, { served, dir, programs });
    this.clientFencing = fencingOf(config.fencing, { served, fences: 'client', dir, programs });
    this.ownClient = config.client?.name ?? null;
    log.setLevel(config.logLevel);
  }
}

/** @throws CfsError NODE_NOT_FOUND, AGENT_ELSEWHERE, and what the cluster cannot be opened for */
export async function workForNode({ start, log, onOrder }: WorkerContext): Promise<void> {
  const { name: node, dir, stateDir } = start;
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
    clients: new ClientWatch({
      platform,
      dir: place.paths.leases,
      by: `node ${node}`,
      self: null,
      ownClient: () => parts.ownClient,
      decide: async (request) => (await decider.decide('clients-lapsed', request)).value as LapsedResult,
      fencing: () => parts.clientFencing,
      log,
      hook: (event, variables) => void parts.hooks.run(event, variables),
      decided: () => {},
    }),
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
  await endWork({ decider, hooks: parts.tools.hooks, programs: parts.tools.programs });
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
