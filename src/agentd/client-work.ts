/** The work of a client's agent (core/access/agent/client-worker.ts), made of real parts. */
import { version } from '../cli/version.js';
import { ClientWorker } from '../core/access/agent/client-worker.js';
import type { AutoAnswer, ClientWorkerOptions, MountDriver } from '../core/access/agent/ports.js';
import type { Fencing, Hooks } from '../core/agent/ports.js';
import { CfsError } from '../core/errors.js';
import { requireClient } from '../core/model/find.js';
import { nodePlatform } from '../node/platform.js';
import { watchHint } from '../node/watch-hint.js';
import { type DirectoryCluster, openCluster } from '../open.js';
import { type ClientTools, clientToolsOf, configOfClient } from './client-tools.js';
import type { AgentConfig } from './config.js';
import { ThreadDecider } from './decider.js';
import { fencingOf } from './fencing.js';
import type { WorkerStart } from './ipc.js';
import type { AgentLog } from './log.js';
import { endWork, tell, type WorkerContext } from './worker-context.js';

/** What may change while the worker runs: it sees the parts that hold now. */
class Parts {
  tools!: ClientTools;
  fencing: Fencing | null = null;

  readonly driver: MountDriver;
  readonly answer: AutoAnswer;
  readonly hooks: Hooks;

  constructor(
    private readonly start: WorkerStart,
    private readonly log: AgentLog,
  ) {
    this.use(start.config);
    this.driver = {
      name: this.tools.mounts.name,
      mount: (volume, mode, options) => this.tools.mounts.mount(volume, mode, options),
      unmount: (volume, options) => this.tools.mounts.unmount(volume, options),
      mounted: () => this.tools.mounts.mounted(),
      written: (volume) => this.tools.mounts.written(volume),
    };
    this.answer = { answer: (request) => this.tools.answer.answer(request) };
    this.hooks = { run: (event, variables) => this.tools.hooks.run(event, variables) };
  }

  use(config: AgentConfig): void {
    const { start: served, log } = this;
    const { dir, stateDir } = served;
    const { processes } = nodePlatform();
    this.tools = clientToolsOf(config, { served, dir, stateDir, log, ends: 'stop', processes });
    this.fencing = fencingOf(config.fencing, { served, dir, programs: this.tools.programs });
    log.setLevel(config.logLevel);
  }
}

/** @throws CfsError CLIENT_NOT_FOUND, AGENT_ELSEWHERE, and what the cluster cannot be opened for */
export async function workForClient({ start, log, onOrder }: WorkerContext): Promise<void> {
  const { name: client, dir, config } = start;
  const cluster = await openCluster({ dir });
  refuseUnknown(cluster, client);
  if (config.client !== null && configOfClient(config, client) === null) {
    const other = config.client.name;
    log.warn(
      {},
      `the configuration is of client ${other}, not of ${client}: this agent touches no mounts (driver record)`,
    );
  }
  const parts = new Parts(start, log);
  const decider = new ThreadDecider({ dir, argv: process.argv });
  const options: ClientWorkerOptions = {
    client,
    platform: nodePlatform(),
    store: cluster.store,
    driver: parts.driver,
    supervisor: {
      renewed: (beganMs, timeoutMs) => void tell({ kind: 'renewed', beganMs, timeoutMs }),
      holds: (holding) => void tell({ kind: 'holds', holding }),
      released: (volume) => void tell({ kind: 'released', volume }),
      status: (status) => void tell({ kind: 'status', status }),
    },
    decider,
    answer: parts.answer,
    hooks: parts.hooks,
    get fencing() {
      return parts.fencing;
    },
    log,
    config: { version: version() },
    hint: watchHint,
  };
  const worker = new ClientWorker(options);
  onOrder((order) => {
    if (order === null) {
      log.error({}, 'the supervisor is gone: everything is made read-only, and this process ends');
      // Asked again it is done by force: nobody guards what is mounted any more.
      worker.stop({ drain: false });
      worker.stop({ drain: false });
    } else if (order.kind === 'reload') parts.use(order.config);
    else if (order.kind === 'leave' || order.kind === 'hurry') worker.stop({ drain: false });
  });
  const end = await worker.run(new AbortController().signal);
  if (end.reason === 'elsewhere') {
    throw new CfsError('AGENT_ELSEWHERE', end.says, {
      hint: `One agent per client. See who it is by the lease: cfs client show ${client}. This one touches nothing.`,
    });
  }
  await endWork({ decider, hooks: parts.tools.hooks, programs: parts.tools.programs });
}

/** As for nodes: a name that the cluster does not have is told at once. @throws CfsError CLIENT_NOT_FOUND */
function refuseUnknown(cluster: DirectoryCluster, client: string): void {
  try {
    requireClient(cluster.snapshot(), client);
  } catch (error) {
    if (error instanceof CfsError && error.code === 'CLIENT_NOT_FOUND') throw error;
  }
}
