/**
 * A whole cluster of agents in one process under a simulated clock: real workers and the real store on a file system in memory,
 * simulated supervisors, drivers and operators, and a checker that sees every start and stop. See sim-faults.ts for what happens to it.
 */

import { Watchdog } from '../../src/agentd/watchdog.js';
import type { WorkerOptions } from '../../src/core/agent/options.js';
import type { AgentStatus } from '../../src/core/agent/ports.js';
import { init } from '../../src/core/config/init.js';
import type { NodeInput } from '../../src/core/config/nodes.js';
import type { VolumeInput } from '../../src/core/config/volumes.js';
import { CfsError } from '../../src/core/errors.js';
import { listLeases } from '../../src/core/membership/leases.js';
import { isActive, stateOf } from '../../src/core/membership/states.js';
import { validateChange } from '../../src/core/model/validate.js';
import type { Operation } from '../../src/core/operation.js';
import { rebalance } from '../../src/core/placement/operations.js';
import type { Platform } from '../../src/core/platform/platform.js';
import { initStore, openStore, type SharedDirectoryStore } from '../../src/core/store/index.js';
import type { Draft, GenerationInfo, Snapshot, TransactOutcome } from '../../src/core/store/store.js';
import { SimFiles } from './sim-files.js';
import { HostFiles, SharedDisk } from './sim-host-files.js';
import { SimNode } from './sim-node.js';
import { SimClock, type SimProcess, SimWorld } from './sim-world.js';

export interface SimOptions {
  seed: number;
  nodes: number;
  volumes: number | readonly VolumeInput[];
  /** Settings of the cluster, as stored. */
  settings?: Record<string, string | number>;
  /** State of the nodes at first; default: none, their agents bring them in. */
  state?: 'online' | 'offline';
  /** The longest time after which a new name is seen by other hosts, ms; each host has its own. */
  mostLagMs?: number;
  /** The ballast is there. */
  hasBallast?: boolean;
  /** Every node can switch every other off. */
  hasFencing?: boolean;
  makeWatchdog?: () => Watchdog;
  workerExtras?: Partial<WorkerOptions>;
}

/** At most one node runs a volume: looked at at every start. */
export class Checker {
  /** By volume: who runs it. */
  private readonly runs = new Map<string, string>();
  starts = 0;
  /** When each volume was started last, and where. */
  readonly last = new Map<string, { node: string; epoch: number; atMs: number }>();

  constructor(private readonly world: SimWorld) {}

  began(volume: string, node: string, epoch: number): void {
    this.starts += 1;
    const owner = this.runs.get(volume);
    if (owner !== undefined) {
      this.world.fail(new Error(`two owners: ${node} starts ${volume}@${epoch} while ${owner} runs it`));
    }
    const last = this.last.get(volume);
    if (last !== undefined && last.epoch > epoch) {
      this.world.fail(new Error(`${node} starts ${volume}@${epoch} after ${last.node} had it at epoch ${last.epoch}`));
    }
    this.runs.set(volume, node);
    this.last.set(volume, { node, epoch, atMs: this.world.nowMs });
  }

  ended(volume: string, node: string): void {
    if (this.runs.get(volume) === node) this.runs.delete(volume);
  }

  ownerOf(volume: string): string | undefined {
    return this.runs.get(volume);
  }
}

/** Clock of whoever decides: between deciding and committing time may pass. */
class DecidingClock extends SimClock {
  constructor(
    world: SimWorld,
    process: SimProcess | null,
    private readonly delayMs: () => number,
  ) {
    super(world, process);
  }

  override yieldTurn(): Promise<void> {
    return this.sleep(this.delayMs());
  }
}

export class SimCluster {
  readonly dir = '/cluster';
  readonly world: SimWorld;
  readonly disk: SharedDisk;
  readonly mostLagMs: number;
  readonly checker: Checker;
  readonly nodes: SimNode[];
  readonly statuses = new Map<string, AgentStatus>();
  /** How long a decision takes between its look and its commit, ms. */
  decisionMs: () => number = () => 1;
  /** The operators' host: nothing ever happens to it. */
  readonly store: SharedDirectoryStore;
  private readonly index = new Map<string, number>();
  private readonly platform: Platform;
  private lockedUntilMs = 0;

  constructor(protected readonly options: SimOptions) {
    this.world = new SimWorld(options.seed);
    this.disk = new SharedDisk(new SimFiles(), this.world, options.mostLagMs ?? 0);
    this.mostLagMs = options.mostLagMs ?? 0;
    this.checker = new Checker(this.world);
    const names = Array.from({ length: options.nodes }, (_, i) => this.nameOf(i + 1));
    for (const [i, name] of names.entries()) this.index.set(name, i);
    this.platform = this.operatorPlatform();
    this.store = this.init(names);
    // Long enough ago that every host sees it.
    this.world.nowMs = 1000;
    this.nodes = names.map((name) => this.makeNode(name));
  }

  protected nameOf(number: number): string {
    return `n${number}`;
  }

  protected makeNode(name: string): SimNode {
    return new SimNode(this, name);
  }

  /** Nodes of the document that the cluster is made of. */
  protected nodeInputs(names: readonly string[]): NodeInput[] {
    const { state } = this.options;
    return names.map((name) => ({ name, domains: [], ...(state === undefined ? {} : { state }) }));
  }

  /** What the first generation holds beside the document. */
  protected populate(_draft: Draft, _names: readonly string[]): void {}

  indexOf(name: string): number {
    return this.index.get(name)!;
  }

  node(name: string): SimNode {
    return this.nodes[this.indexOf(name)]!;
  }

  get hasFencing(): boolean {
    return this.options.hasFencing ?? false;
  }

  makeWatchdog(): Watchdog {
    return this.options.makeWatchdog?.() ?? new Watchdog();
  }

  workerExtras(): Partial<WorkerOptions> {
    return this.options.workerExtras ?? {};
  }

  decidingClock(process: SimProcess): SimClock {
    return new DecidingClock(this.world, process, () => this.decisionMs());
  }

  /** Switches all nodes on, each within so many ms. */
  powerOn(withinMs = 0): void {
    for (const node of this.nodes) this.world.after(this.world.chance.between(0, withinMs), () => node.powerOn());
  }

  /**
   * Runs an operation as a command or an agent does. Whoever comes while another change is under way waits for the lock a
   * little; nothing rests on it, and it is not kept for the dead.
   */
  async change<Request, Result>(
    store: SharedDirectoryStore,
    operation: Operation<Request, Result>,
    request: Request,
  ): Promise<TransactOutcome<Result>> {
    const { clock } = store.place.platform;
    while (this.lockedUntilMs > this.world.nowMs) await clock.sleep(5);
    this.lockedUntilMs = this.world.nowMs + 2000;
    try {
      const recorded = operation.recorded?.(request) ?? request;
      return await store.transact({ operation: operation.name, request: recorded }, (draft) => {
        const result = operation.run(draft, request, { nowMs: clock.nowMs() });
        for (const change of draft.changes()) validateChange(change);
        return result;
      });
    } finally {
      this.lockedUntilMs = 0;
    }
  }

  /** An operator's command. Refusals are noted. */
  operate<Request, Result>(operation: Operation<Request, Result>, request: Request): void {
    this.world.note(`operator: ${operation.name} ${JSON.stringify(request)}`);
    this.change(this.store, operation, request).then(
      (outcome) => this.world.note(`operator made generation ${outcome.generation}`),
      (error: Error) => {
        this.world.note(`operator was refused: ${error.message}`);
        if (!(error instanceof CfsError) || error.code === 'BUG') this.world.fail(error);
      },
    );
  }

  /** The operators' store as a process that begins now finds it. */
  reopened(): SharedDirectoryStore {
    return openStore(this.dir, { platform: this.platform, lock: false });
  }

  snapshot(): Snapshot {
    return this.store.snapshot();
  }

  /** Every generation, oldest first; each is there. */
  history(): GenerationInfo[] {
    const newest = this.snapshot().generation;
    return Array.from({ length: newest }, (_, i) => this.store.info(i + 1));
  }

  /** Generations that moved volumes between nodes, or gave some to a node. */
  placements(): GenerationInfo[] {
    return this.history().filter(({ counts }) => (counts.placements ?? 0) > 0);
  }

  /** What is still to be done until all that live are members and run what they were given; empty: nothing. */
  unfinished(): string[] {
    const snapshot = this.snapshot();
    const { generation } = snapshot;
    const leases = listLeases(this.platform, this.store.place.paths.leases);
    const says: string[] = [];
    for (const node of this.nodes) {
      const state = stateOf(snapshot, node.name);
      if (!node.isUp && isActive(state)) says.push(`${node.name} is down and still ${state}`);
      if (!node.isAgentUp || node.left !== null) continue;
      const record = snapshot.table('membership').get(node.name);
      const isTakenOut = state === 'standby' || (state === 'offline' && record !== undefined && !record.mayJoin);
      if (!isActive(state) && !isTakenOut) says.push(`${node.name} is ${state}`);
      if (state === 'suspect') says.push(`${node.name} is suspect`);
      const lease = leases.get(node.name);
      if (lease?.released !== generation || lease.applied !== generation) {
        says.push(`${node.name} has released ${lease?.released} and applied ${lease?.applied} of ${generation}`);
      }
    }
    for (const [volume, { node, since }] of snapshot.table('placements').entries()) {
      if (node === null) continue;
      const owner = this.node(node);
      if (!owner.isAgentUp) says.push(`${volume} is on ${node}, which is down`);
      else if (owner.running.get(volume) !== since) says.push(`${volume}@${since} does not run on ${node}`);
    }
    for (const node of this.nodes) {
      for (const [volume, epoch] of node.running) {
        const placement = snapshot.table('placements').get(volume);
        if (placement?.node !== node.name || placement.since !== epoch)
          says.push(`${node.name} still runs ${volume}@${epoch}`);
      }
    }
    return says;
  }

  /** A cluster that is up: every node a member, every volume placed and running. */
  static async running(options: SimOptions): Promise<SimCluster> {
    const cluster = new SimCluster({ state: 'online', ...options });
    cluster.operate(rebalance, {});
    cluster.powerOn(Number(options.settings?.['lease.interval'] ?? 2000));
    await cluster.world.runFor(3000);
    await cluster.converge(60_000);
    return cluster;
  }

  /** Runs until nothing is unfinished. @returns ms it took @throws when the time is over */
  async converge(withinMs: number, stepMs = 100): Promise<number> {
    const startMs = this.world.nowMs;
    let left = this.unfinished();
    while (left.length > 0) {
      if (this.world.nowMs - startMs > withinMs) {
        this.world.fail(new Error(`not converged after ${withinMs} ms: ${left.slice(0, 10).join('; ')}`));
      }
      await this.world.runFor(stepMs);
      left = this.unfinished();
    }
    return this.world.nowMs - startMs;
  }

  private operatorPlatform(): Platform {
    const files = new HostFiles(this.disk, 'operator', null, 0);
    const actor = { user: 'root', sudoUser: null, host: 'operator', pid: 1, command: 'cfs' };
    return {
      clock: new DecidingClock(this.world, null, () => this.decisionMs()),
      random: this.world.chance,
      files,
      processes: {
        ...{
          pid: 1,
          uid: 0,
          host: () => 'operator',
          bootId: () => 'operator',
          startTime: () => '1',
          exists: () => true,
        },
        ...{ actor: () => actor, groupId: () => 0, env: () => undefined },
      },
      interrupts: { hold: () => ({ received: () => null, release: () => {} }), withoutListeners: (load) => load() },
    };
  }

  private init(names: readonly string[]): SharedDirectoryStore {
    const { volumes, settings, hasBallast } = this.options;
    const document = {
      settings: { name: 'sim', ...settings },
      nodes: this.nodeInputs(names),
      volumes:
        typeof volumes === 'number' ? Array.from({ length: volumes }, (_, i) => ({ name: `v${i + 1}` })) : volumes,
    };
    const { files } = this.disk;
    initStore(this.dir, { platform: this.platform, lock: false, info: { operation: init.name } }, (draft) => {
      const made = init.run(draft, { document }, { nowMs: 0 });
      this.populate(draft, names);
      return made;
    });
    if (hasBallast) files.close('ballast.close', files.openNew('ballast.create', `${this.dir}/ballast`, 0o640));
    return openStore(this.dir, { platform: this.platform, lock: false });
  }
}
