/**
 * Agents of clients, each on a host of its own, in one process under a simulated clock: the real ClientWorker and store, a driver that
 * does what a test tells it. Whoever mounts for writing what another host has mounted for writing ends the test.
 */
import assert from 'node:assert/strict';
import { ClientWorker } from '../../src/core/access/agent/client-worker.js';
import { CLIENT_DECISIONS, withClientQuestions } from '../../src/core/access/agent/decisions.js';
import {
  type AutoAnswer,
  type ClientDecisionName,
  type ClientStatus,
  MountBusyError,
  type MountDriver,
} from '../../src/core/access/agent/ports.js';
import { type ClientFields, clientAdd } from '../../src/core/access/clients.js';
import { desiredMode } from '../../src/core/access/desired.js';
import { pendingRequest, writerOf } from '../../src/core/access/look.js';
import { requestWrite } from '../../src/core/access/requests.js';
import { volumeAllow } from '../../src/core/access/rights.js';
import type { WorkerEnd } from '../../src/core/agent/options.js';
import type { Fencing } from '../../src/core/agent/ports.js';
import { type Lease, type LeaseInfo, leaseInfo, listClientLeases } from '../../src/core/membership/leases.js';
import type { Operation } from '../../src/core/operation.js';
import type { Platform } from '../../src/core/platform/platform.js';
import { openStore } from '../../src/core/store/index.js';
import { SimCluster } from './sim-cluster.js';
import { HostFiles } from './sim-host-files.js';
import { SimClock, SimProcess } from './sim-world.js';

export const QUICK = { 'lease.interval': 500, 'lease.timeout': 3000 };

export interface LabOptions {
  clients: readonly string[];
  volumes?: number;
  seed?: number;
  settings?: Record<string, string | number>;
  fields?: ClientFields;
  /** Agents hear of new generations at once; default true. */
  hasHints?: boolean;
  allow?: { autoUpdate?: boolean; autoUpdateIntervalMs?: number };
}

export class ClientLab {
  readonly cluster: SimCluster;
  readonly hosts: ClientHost[];
  /** Told of every generation. */
  readonly hints = new Set<() => void>();

  constructor(readonly options: LabOptions) {
    this.cluster = new SimCluster({
      seed: options.seed ?? 1,
      nodes: 0,
      volumes: options.volumes ?? 1,
      settings: { ...QUICK, ...options.settings },
    });
    this.hosts = options.clients.map((name, i) => new ClientHost(this, name, i + 1));
  }

  /** Clients with their rights; with `up` their agents run and have mounted everything. */
  static async make(options: LabOptions, isUp = true): Promise<ClientLab> {
    const lab = new ClientLab(options);
    const names = [...options.clients];
    await lab.do(clientAdd, { clients: names.map((name) => ({ name, autoRespond: true, ...options.fields })) });
    const volume = Array.from({ length: options.volumes ?? 1 }, (_, i) => `v${i + 1}`);
    await lab.do(volumeAllow, { volume, client: names, ...options.allow });
    if (!isUp) return lab;
    for (const host of lab.hosts) host.start();
    await lab.until(() => lab.isSettled(), 'every volume is mounted everywhere');
    await lab.run(1000);
    return lab;
  }

  get world() {
    return this.cluster.world;
  }

  host(name: string): ClientHost {
    return this.hosts.find((host) => host.name === name)!;
  }

  snapshot() {
    return this.cluster.snapshot();
  }

  writer(volume = 'v1'): string | null {
    return writerOf(this.snapshot(), volume).writer;
  }

  lease(client: string): Lease {
    const { platform, paths } = this.cluster.store.place;
    return listClientLeases(platform, paths.leases).get(client)!;
  }

  /** What stands in the client's newest lease. */
  leaseInfo(client: string): LeaseInfo {
    const { platform, paths } = this.cluster.store.place;
    return leaseInfo(platform, paths.leases, this.lease(client))!;
  }

  isPending(client: string, volume = 'v1'): boolean {
    return pendingRequest(this.snapshot(), volume, client) !== undefined;
  }

  run(ms: number): Promise<void> {
    return this.world.runFor(ms);
  }

  /** @returns ms it took */
  async until(isSo: () => boolean, what: string, withinMs = 20_000): Promise<number> {
    const beganMs = this.world.nowMs;
    while (!isSo()) {
      if (this.world.nowMs - beganMs > withinMs) {
        this.world.fail(new Error(`not within ${withinMs} ms: ${what}`));
      }
      await this.run(1);
    }
    return this.world.nowMs - beganMs;
  }

  /** Runs an operation as a command does. */
  async do<Request, Result>(operation: Operation<Request, Result>, request: Request): Promise<Result> {
    let outcome: { value?: Result; error?: unknown } | null = null;
    this.change(this.cluster.store, operation, request).then(
      ({ value }) => {
        outcome = { value };
      },
      (error: unknown) => {
        outcome = { error };
      },
    );
    await this.until(() => outcome !== null, operation.name);
    const { value, error } = outcome!;
    if (error !== undefined) throw error;
    return value as Result;
  }

  /** Commits, and tells the agents. */
  async change<Request, Result>(store: SimCluster['store'], operation: Operation<Request, Result>, request: Request) {
    const outcome = await this.cluster.change(store, operation, request);
    if (outcome.committed) {
      this.world.note(`generation ${outcome.generation}: ${operation.name} ${JSON.stringify(request)}`);
      for (const hint of this.hints) this.world.after(0.2, hint);
    }
    return outcome;
  }

  /** Makes the client the writer, and waits until it can write. */
  async makeWriter(client: string, volume = 'v1'): Promise<void> {
    assert.equal((await this.do(requestWrite, { volume, client })).response, 'granted');
    await this.until(() => this.host(client).driver.mode(volume) === 'rw', `${client} writes ${volume}`);
  }

  /** The same of a client that comes up. */
  async makeWriterWhenUp(client: string, volume = 'v1'): Promise<void> {
    await this.until(() => this.host(client).driver.mode(volume) === 'ro', `${client} is up`);
    await this.makeWriter(client, volume);
  }

  /** Names of the operations that made the generations after this one. */
  operationsSince(generation: number): string[] {
    return this.cluster
      .history()
      .slice(generation)
      .map(({ operation }) => operation);
  }

  isSettled(): boolean {
    const snapshot = this.snapshot();
    const volumes = [...snapshot.table('volumes').names()];
    return this.hosts.every((host) =>
      volumes.every((volume) => {
        const mode = desiredMode(snapshot, volume, host.name);
        return host.driver.mode(volume) === mode && (mode !== 'none' || host.worker === null);
      }),
    );
  }
}

/** A driver that a test tells what happens. */
export class TestDriver implements MountDriver {
  readonly name = 'test';
  readonly real = new Map<string, 'ro' | 'rw'>();
  /** What keeps a volume busy: the sentence. Force ends it. */
  readonly busy = new Map<string, string>();
  /** Calls that fail: `VOLUME MODE`. */
  readonly broken = new Set<string>();
  /** Calls, as `rw v1@5`, `ro! v1` (forced), `unmount v1`. */
  readonly calls: string[] = [];
  delayMs = 2;
  canTell = true;
  private readonly writes = new Map<string, number>();
  private process: SimProcess | null = null;

  constructor(private readonly host: ClientHost) {}

  /** As a worker's process sees it: calls of a dead one end with it. */
  of(process: SimProcess): this {
    this.process = process;
    return this;
  }

  mode(volume: string): 'none' | 'ro' | 'rw' {
    return this.real.get(volume) ?? 'none';
  }

  /** A program writes. */
  write(volume: string): void {
    assert.equal(this.mode(volume), 'rw', `${this.host.name} has ${volume} mounted for writing`);
    this.writes.set(volume, (this.writes.get(volume) ?? 0) + 1);
  }

  mount(volume: string, mode: 'ro' | 'rw', { epoch, force }: { epoch: number; force: boolean }): Promise<void> {
    const text = `${mode}${force ? '!' : ''} ${volume}${mode === 'rw' ? `@${epoch}` : ''}`;
    return this.call(text, `${volume} ${mode}`, () => {
      this.refuseBusy(volume, force);
      if (mode === 'rw') for (const other of this.host.lab.hosts) this.refuseSecond(volume, other);
      this.real.set(volume, mode);
    });
  }

  unmount(volume: string, { force }: { force: boolean }): Promise<void> {
    return this.call(`unmount${force ? '!' : ''} ${volume}`, `${volume} unmount`, () => {
      this.refuseBusy(volume, force);
      this.real.delete(volume);
    });
  }

  async mounted() {
    return [...this.real].map(([volume, mode]) => ({ volume, mode }));
  }

  async written(volume: string): Promise<string | null> {
    return this.canTell ? String(this.writes.get(volume) ?? 0) : null;
  }

  private refuseBusy(volume: string, force: boolean): void {
    const says = this.busy.get(volume);
    if (says !== undefined && !force) throw new MountBusyError(says, []);
    this.busy.delete(volume);
  }

  private refuseSecond(volume: string, other: ClientHost): void {
    if (other === this.host || other.driver.mode(volume) !== 'rw') return;
    this.host.lab.world.fail(new Error(`two writers of ${volume}: ${other.name} and ${this.host.name}`));
  }

  private call(text: string, kind: string, effect: () => void): Promise<void> {
    this.calls.push(text);
    this.host.note(`driver: ${text}`);
    const { process } = this;
    return new Promise((resolve, reject) => {
      const end = (): void => {
        try {
          if (this.broken.has(kind)) throw new Error('no such device');
          effect();
          resolve();
        } catch (error) {
          reject(error);
        }
      };
      this.host.lab.world.after(this.delayMs, end, process);
    });
  }
}

export class ClientHost {
  readonly driver: TestDriver;
  readonly says: string[] = [];
  readonly hooks: { event: string; variables: Record<string, string> }[] = [];
  /** What the supervisor holds, by volume. */
  readonly held = new Map<string, number>();
  status: ClientStatus | null = null;
  worker: ClientWorker | null = null;
  process: SimProcess | null = null;
  files: HostFiles | null = null;
  end: WorkerEnd | null = null;
  error: Error | null = null;
  fencing: Fencing | null = null;
  answer: AutoAnswer['answer'] = async () => ({ grant: true, message: null });
  /** Before a decision is made; null: at once. */
  beforeDeciding: ((name: ClientDecisionName) => Promise<void>) | null = null;
  private lives = 0;

  constructor(
    readonly lab: ClientLab,
    readonly name: string,
    private readonly number: number,
    /** Another one for a second agent of a client. */
    private readonly hostName = `host-${name}`,
  ) {
    this.driver = new TestDriver(this);
  }

  note(text: string): void {
    this.lab.world.note(`${this.hostName}: ${text}`);
  }

  start(): void {
    this.lives += 1;
    this.end = null;
    this.error = null;
    this.held.clear();
    const process = new SimProcess(this.lab.world, `${this.hostName}/${this.lives}`);
    const { platform, files } = this.platformOf(process);
    const store = openStore(this.lab.cluster.dir, { platform, lock: false });
    const deciding = openStore(this.lab.cluster.dir, {
      platform: { ...platform, clock: this.lab.cluster.decidingClock(process) },
      lock: false,
    });
    const host = this;
    const worker = new ClientWorker({
      client: this.name,
      platform,
      store,
      driver: this.driver.of(process),
      supervisor: {
        renewed: () => {},
        holds: ({ volume, epoch }) => void this.held.set(volume, epoch),
        released: (volume) => void this.held.delete(volume),
        status: (status) => {
          this.status = status;
        },
      },
      decider: { decide: (name, request) => this.decide(deciding, name, request) },
      answer: { answer: (request) => this.answer(request) },
      hooks: { run: async (event, variables) => void this.hooks.push({ event, variables }) },
      get fencing() {
        return host.fencing;
      },
      log: this.log(),
      config: { version: 'lab' },
      ...(this.lab.options.hasHints === false ? {} : { hint: (_path, changed) => this.hint(process, changed) }),
    });
    Object.assign(this, { process, files, worker });
    const ended = (end: WorkerEnd | null, error: Error | null): void => {
      if (this.worker !== worker || !process.isAlive) return;
      this.note(`ended: ${end?.says ?? error?.message}`);
      Object.assign(this, { end, error, worker: null });
      process.kill();
      if (error !== null && !error.message.endsWith('is given up')) this.lab.world.fail(error);
    };
    worker.run(new AbortController().signal).then(
      (end) => ended(end, null),
      (error: Error) => ended(null, error),
    );
  }

  /** kill -9 of worker and supervisor: what is mounted stays. */
  kill(): void {
    this.note('killed');
    this.process?.kill();
    this.worker = null;
  }

  eventsOf(event: string): Record<string, string>[] {
    return this.hooks.filter((hook) => hook.event === event).map(({ variables }) => variables);
  }

  hasSaid(pattern: RegExp): boolean {
    return this.says.some((text) => pattern.test(text));
  }

  private hint(process: SimProcess, changed: () => void): () => void {
    const told = (): void => this.lab.world.after(0, changed, process);
    this.lab.hints.add(told);
    return () => this.lab.hints.delete(told);
  }

  private async decide(store: SimCluster['store'], name: ClientDecisionName, request: unknown) {
    await this.beforeDeciding?.(name);
    this.note(`asks: ${name} ${JSON.stringify(request)}`);
    this.says.push(`asks: ${name}`);
    const operation = CLIENT_DECISIONS[name] as Operation<unknown, unknown>;
    const asked = withClientQuestions(store.place, name, request);
    const { committed, generation, value } = await this.lab.change(store, operation, asked);
    return { committed, generation, value };
  }

  private log() {
    const note = (_facts: object, text: string): void => {
      this.says.push(text);
      this.note(text);
    };
    return { debug: note, info: note, warn: note, error: note };
  }

  private platformOf(process: SimProcess): { platform: Platform; files: HostFiles } {
    const { world, disk } = this.lab.cluster;
    const files = new HostFiles(disk, this.hostName, process, 0);
    const pid = this.lives;
    const processes: Platform['processes'] = {
      ...{ pid, uid: 0, host: () => this.hostName, bootId: () => `${this.hostName}-boot`, startTime: () => '1' },
      exists: (other) => other === pid && process.isAlive,
      actor: () => ({ user: 'root', sudoUser: null, host: this.hostName, pid, command: 'cfs agentd' }),
      groupId: () => 0,
      env: () => undefined,
    };
    const interrupts: Platform['interrupts'] = {
      hold: () => ({ received: () => null, release: () => {} }),
      withoutListeners: (load) => load(),
    };
    const clock = new SimClock(world, process, 1_000_000 * this.number);
    return { platform: { clock, random: world.chance, files, processes, interrupts }, files };
  }
}
