/**
 * A cluster of clients in one process under a simulated clock: real agents (ClientWorker) and the real store, simulated supervisors,
 * mounts, programs and people. The checker sees every moment in which a host has a volume mounted for writing: two hosts at one time,
 * or a host that is not the recorded writer, end the run. See sim-client-faults.ts for what happens to it.
 */
import { clientAdd } from '../../src/core/access/clients.js';
import { desiredMode } from '../../src/core/access/desired.js';
import { accessOf, isLoggedOn, writerOf } from '../../src/core/access/look.js';
import { volumeAllow } from '../../src/core/access/rights.js';
import { listClientLeases } from '../../src/core/membership/leases.js';
import type { Operation } from '../../src/core/operation.js';
import type { SharedDirectoryStore } from '../../src/core/store/index.js';
import type { Draft, TransactOutcome } from '../../src/core/store/store.js';
import { SimClientHost } from './sim-client-host.js';
import { SimCluster, type SimOptions } from './sim-cluster.js';
import { SimDevice } from './sim-mounts.js';
import type { SimNode } from './sim-node.js';

const WRITE_EVERY_MS = 300;

export interface SimClientsOptions extends Omit<SimOptions, 'nodes' | 'state' | 'volumes'> {
  clients: number;
  volumes: number;
  /** Without it nobody makes read-only what a host has mounted whose agent was killed with its supervisor. */
  hasNoStopAll?: boolean;
  /** What is broken on purpose on this host: its driver mounts for writing what should be read-only, or does not find such mounts. */
  flaw?: { host: string; kind: 'eager' | 'forgetful' };
}

export class SimClients extends SimCluster {
  readonly device = new SimDevice();
  /** How often a right passed from one client to another. */
  handovers = 0;
  /** Programs go on writing. */
  isBusy = true;
  private generation = 0;
  private writers = new Map<string, string | null>();

  constructor(private readonly own: SimClientsOptions) {
    super({ ...own, nodes: own.clients });
    const { flaw } = own;
    for (const host of this.clients) if (host.name === flaw?.host) host.flaw = flaw.kind;
    this.write();
  }

  get clients(): readonly SimClientHost[] {
    return this.nodes as readonly SimNode[] as readonly SimClientHost[];
  }

  get volumes(): string[] {
    return Array.from({ length: this.own.volumes }, (_, i) => `v${i + 1}`);
  }

  get hasStopAll(): boolean {
    return this.own.hasNoStopAll !== true;
  }

  protected override nameOf(number: number): string {
    return `c${number}`;
  }

  protected override makeNode(name: string): SimNode {
    return new SimClientHost(this, name);
  }

  protected override nodeInputs(): [] {
    return [];
  }

  protected override populate(draft: Draft, names: readonly string[]): void {
    const { chance } = this.world;
    clientAdd.run(
      draft,
      {
        clients: names.map((name) => ({ name, autoRespond: chance.happens(0.7), refreshNotify: chance.happens(0.3) })),
      },
      { nowMs: 0 },
    );
    const volume = [...draft.table('volumes').names()];
    const refresh = { autoUpdate: true, autoUpdateIntervalMs: 2000 };
    volumeAllow.run(draft, { volume, client: names, ...refresh }, { nowMs: 0 });
  }

  /** After every generation: whoever writes is the recorded writer. */
  override async change<Request, Result>(
    store: SharedDirectoryStore,
    operation: Operation<Request, Result>,
    request: Request,
  ): Promise<TransactOutcome<Result>> {
    const outcome = await super.change(store, operation, request);
    this.checkRights();
    return outcome;
  }

  /** Whoever has a volume for writing is its recorded writer. */
  checkRights(): void {
    const snapshot = this.snapshot();
    if (snapshot.generation !== this.generation) this.countHandovers();
    this.generation = snapshot.generation;
    for (const { name, running } of this.clients) {
      for (const volume of running.keys()) {
        const { writer } = writerOf(snapshot, volume);
        if (writer === name) continue;
        const says = `${name} has ${volume} for writing at generation ${snapshot.generation}, whose writer is ${writer}`;
        this.world.fail(new Error(`no right: ${says}`));
      }
    }
  }

  private countHandovers(): void {
    const snapshot = this.snapshot();
    for (const volume of this.volumes) {
      const { writer } = writerOf(snapshot, volume);
      const former = this.writers.get(volume) ?? null;
      if (writer !== null && former !== null && writer !== former) this.handovers += 1;
      this.writers.set(volume, writer);
    }
  }

  /** Programs write where they can. */
  private write(): void {
    this.world.after(WRITE_EVERY_MS, () => {
      for (const { name, running, isFrozen } of this.clients) {
        if (isFrozen || !this.isBusy) continue;
        for (const volume of running.keys()) if (this.world.chance.happens(0.3)) this.device.write(volume, name);
      }
      this.write();
    });
  }

  /** What is still to be done until every host has mounted what the tables wish, and nobody waits for anything. */
  override unfinished(): string[] {
    const snapshot = this.snapshot();
    const { generation } = snapshot;
    const leases = listClientLeases(this.store.place.platform, this.store.place.paths.leases);
    const says: string[] = [];
    for (const host of this.clients) {
      const { name, running, mounts } = host;
      if (!host.isAgentUp || host.left !== null) {
        if (isLoggedOn(snapshot, name)) says.push(`${name} is down and still logged on`);
        continue;
      }
      const lease = leases.get(name);
      if (lease?.released !== generation || lease.applied !== generation) {
        says.push(`${name} has released ${lease?.released} and applied ${lease?.applied} of ${generation}`);
      }
      if (!isLoggedOn(snapshot, name)) says.push(`${name} is not logged on`);
      for (const volume of this.volumes) {
        const real = running.has(volume) ? 'rw' : mounts.readOnly.has(volume) ? 'ro' : 'none';
        const wished = desiredMode(snapshot, volume, name);
        if (real !== wished) says.push(`${name} has ${volume} ${real}, and should ${wished}`);
        if (real === 'rw' && running.get(volume) !== writerOf(snapshot, volume).since)
          says.push(`${name} ${volume}: epoch`);
        if (real !== 'ro' || !accessOf(snapshot, volume, name).autoUpdate) continue;
        const shown = mounts.readOnly.get(volume)!;
        const version = this.device.versionOf(volume);
        if (shown < version) says.push(`${name} sees version ${shown} of ${volume}, not ${version}`);
      }
    }
    for (const [volume, { writer, yields, queue }] of snapshot.table('writers').entries()) {
      if (yields !== undefined) says.push(`${writer} is giving ${volume} up`);
      if (queue.length > 0) says.push(`${queue} wait for ${volume}`);
    }
    return says;
  }
}
