/**
 * The hosts of clients beside a cluster in memory: what each really has mounted, how it follows the tables (late, by an old look at
 * them), and what must hold after every generation. Independent of desiredMode: it says in its own words what a host may do.
 */
import assert from 'node:assert/strict';
import { givenUp } from '../../src/core/access/answers.js';
import type { Operation } from '../../src/core/operation.js';
import type { Snapshot } from '../../src/core/store/store.js';
import type { MemoryCluster } from './memory.js';

type Mode = 'none' | 'ro' | 'rw';
const RANK: Record<Mode, number> = { none: 0, ro: 1, rw: 2 };

/** An agent acts by the tables as it read them last; without one, commands act by the newest, one at a time. */
export interface Host {
  hasAgent: boolean;
  isUp: boolean;
  /** The generation that the agent has read. */
  seen: Snapshot;
  real: Map<string, Mode>;
}

export class AccessHosts {
  readonly hosts = new Map<string, Host>();
  /** How often a right passed from one client to another. */
  handovers = 0;

  constructor(
    readonly cluster: MemoryCluster,
    agents: readonly string[],
    others: readonly string[],
  ) {
    const seen = cluster.snapshot();
    for (const client of agents) this.hosts.set(client, { hasAgent: true, isUp: true, seen, real: new Map() });
    for (const client of others) this.hosts.set(client, { hasAgent: false, isUp: true, seen, real: new Map() });
  }

  host(client: string): Host {
    return this.hosts.get(client)!;
  }

  real(client: string, volume: string): Mode {
    return this.host(client).real.get(volume) ?? 'none';
  }

  /** Runs an operation as a command would, and looks at everything. */
  change<Request, Result>(operation: Operation<Request, Result>, request: Request): Result {
    const before = this.cluster.snapshot();
    const result = this.cluster.change(operation, request);
    this.check(before, this.cluster.snapshot(), operation.name);
    return result;
  }

  /** The agent of the client reads the newest generation. */
  look(client: string): void {
    this.host(client).seen = this.cluster.snapshot();
  }

  /** One step toward what the tables wish, as they were read; what is more than wished comes first. @returns whether there was one */
  step(client: string, isBusy = false): boolean {
    const host = this.host(client);
    if (!host.isUp) return false;
    if (!host.hasAgent) this.look(client);
    const volumes = new Set([...host.seen.table('volumes').names(), ...host.real.keys()]);
    const differing = [...volumes].map((volume) => ({
      ...{ volume, real: this.real(client, volume), wished: wishedMode(host.seen, volume, client) },
    }));
    const more = differing.find(({ real, wished }) => RANK[real] > RANK[wished]);
    if (more !== undefined) {
      if (isBusy && more.real === 'rw') this.giveUp(client, more.volume, 'files are open');
      else this.mount(client, more.volume, more.wished);
      return true;
    }
    const given = differing.find(({ volume, wished }) => isWriter(host.seen, volume, client) && wished !== 'rw');
    if (given !== undefined && this.giveUp(client, given.volume, null)) return true;
    const less = differing.find(({ real, wished }) => RANK[real] < RANK[wished]);
    if (less !== undefined) this.mount(client, less.volume, less.wished);
    return less !== undefined;
  }

  /** Makes the volume read-only where it is mounted for writing, before an operation says so. */
  makeReadOnly(client: string, volume: string): void {
    if (this.real(client, volume) === 'rw') this.mount(client, volume, 'ro');
  }

  /** The host dies, or its supervisor fences it: nothing is mounted for writing any more. */
  goDown(client: string): void {
    const host = this.host(client);
    host.isUp = false;
    for (const volume of [...host.real.keys()]) this.makeReadOnly(client, volume);
  }

  goUp(client: string): void {
    this.host(client).isUp = true;
    this.look(client);
  }

  /** Whether the client has the volume for writing by nobody's doubt: not even late. */
  isReadOnly(client: string, volume: string): boolean {
    return this.real(client, volume) !== 'rw';
  }

  private giveUp(client: string, volume: string, problem: string | null): boolean {
    const { since } = this.host(client).seen.table('writers').get(volume)!;
    const { volumes } = this.change(givenUp, { client, volumes: [{ volume, since, problem, modified: false }] });
    this.look(client);
    return volumes.length > 0;
  }

  private mount(client: string, volume: string, mode: Mode): void {
    const host = this.host(client);
    if (mode === 'none') host.real.delete(volume);
    else host.real.set(volume, mode);
    this.checkReal();
  }

  private checkReal(): void {
    const writes = new Map<string, string>();
    for (const [client, { real }] of this.hosts) {
      for (const [volume, mode] of real) {
        if (mode !== 'rw') continue;
        assert.ok(!writes.has(volume), `${volume} is mounted for writing by ${writes.get(volume)} and ${client}`);
        writes.set(volume, client);
        assert.ok(
          isWriter(this.cluster.snapshot(), volume, client),
          `${client} writes ${volume}, and is not its writer`,
        );
      }
    }
  }

  private check(before: Snapshot, after: Snapshot, operation: string): void {
    this.checkReal();
    if (before.generation === after.generation) return;
    assertFit(after, operation);
    const writers = after.table('writers');
    for (const volume of new Set([...before.table('writers').names(), ...writers.names()])) {
      const former = before.table('writers').get(volume);
      const now = writers.get(volume);
      if (operation === 'volume.rename' || (former?.writer ?? null) === (now?.writer ?? null)) continue;
      const former1 = former?.writer ?? null;
      if (former1 !== null) assert.ok(this.isReadOnly(former1, volume), `${former1} still writes ${volume}`);
      if (now === undefined || now.writer === null) continue;
      if (former1 !== null) this.handovers += 1;
      assert.equal(now.since, after.generation, 'the epoch is the generation that made the writer');
      assertOrder(before, after, volume, now.writer);
    }
  }
}

function isWriter(snapshot: Snapshot, volume: string, client: string): boolean {
  return snapshot.table('writers').get(volume)?.writer === client;
}

/** May the client have the volume, and in which mode; by the words of the specification. */
export function wishedMode(snapshot: Snapshot, volume: string, client: string): Mode {
  const pair = `${volume}/${client}`;
  const isOn = snapshot.table('logons').get(client)?.loggedOn === true && snapshot.table('volumes').has(volume);
  if (!isOn || !snapshot.table('mounts').has(pair) || snapshot.table('access').get(pair)?.mount !== true) return 'none';
  const { enabled, readOnlyMedia } = snapshot.table('volumeAccess').get(volume) ?? {
    enabled: true,
    readOnlyMedia: false,
  };
  const isKept = isWriter(snapshot, volume, client) && snapshot.table('writers').get(volume)?.yields === undefined;
  return isKept && enabled && !readOnlyMedia ? 'rw' : 'ro';
}

/** Whether a client that waits could have the volume now. */
function isEligible(snapshot: Snapshot, volume: string, client: string): boolean {
  const access = snapshot.table('access').get(`${volume}/${client}`);
  const control = snapshot.table('volumeAccess').get(volume);
  if (control?.enabled === false || control?.readOnlyMedia === true) return false;
  return snapshot.table('logons').get(client)?.loggedOn === true && access?.mount === true && !access.lockout;
}

/** The new writer is the one that waited longest of those who may have it. */
function assertOrder(before: Snapshot, after: Snapshot, volume: string, writer: string): void {
  const waited = [...before.table('requests').entries()]
    .filter(([name, { response }]) => name.startsWith(`${volume}/`) && response === 'pending')
    .map(([name, { asked }]) => ({ client: name.slice(volume.length + 1), asked }))
    .filter(({ client }) => isEligible(after, volume, client))
    .sort((a, b) => a.asked - b.asked);
  assert.equal(writer, waited[0]?.client ?? writer, `${volume}: whoever asked first is first`);
  const answer = after.table('requests').get(`${volume}/${writer}`)?.response;
  if (waited.length > 0) assert.equal(answer, 'granted', `${volume}: ${writer} got its answer`);
}

/** Every record fits the others. */
function assertFit(snapshot: Snapshot, operation: string): void {
  const says = (what: string): string => `after ${operation}, generation ${snapshot.generation}: ${what}`;
  const has = (table: 'volumes' | 'clients', name: string): boolean => snapshot.table(table).has(name);
  for (const table of ['access', 'mounts', 'requests'] as const) {
    for (const name of snapshot.table(table).names()) {
      const [volume, client] = name.split('/') as [string, string];
      assert.ok(has('volumes', volume) && has('clients', client), says(`${table} ${name} names what is not there`));
    }
  }
  for (const volume of snapshot.table('volumeAccess').names()) assert.ok(has('volumes', volume), says(volume));
  for (const name of snapshot.table('mounts').names()) {
    const client = name.split('/')[1]!;
    assert.ok(snapshot.table('logons').get(client)?.loggedOn, says(`${name} is mounted and logged off`));
    assert.ok(snapshot.table('access').get(name)?.mount, says(`${name} is mounted and may not be`));
  }
  const pending = [...snapshot.table('requests').entries()].filter(([, { response }]) => response === 'pending');
  for (const [volume, { writer, since, queue, yields, modified }] of snapshot.table('writers').entries()) {
    assert.ok(has('volumes', volume), says(`writers ${volume}`));
    assert.ok(writer === null || has('clients', writer), says(`${writer} writes ${volume}`));
    assert.ok(since <= snapshot.generation && modified <= snapshot.generation, says('nothing is of the future'));
    const inOrder = pending
      .filter(([name]) => name.startsWith(`${volume}/`))
      .sort(([, a], [, b]) => a.asked - b.asked)
      .map(([name]) => name.slice(volume.length + 1));
    assert.deepEqual(queue, inOrder, says(`the queue of ${volume} is its pending requests`));
    if (yields !== undefined && yields.to !== null)
      assert.ok(queue.includes(yields.to), says(`yields to ${yields.to}`));
  }
  for (const [name] of pending) {
    assert.ok(snapshot.table('writers').has(name.split('/')[0]!), says(`${name} waits for nobody`));
  }
}
