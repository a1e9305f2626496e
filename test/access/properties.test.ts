/** Whatever clients, agents and administrators do, in whatever order, and however late hosts follow: never two writers. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { givenUp, releaseWrite, respond } from '../../src/core/access/answers.js';
import { clientAdd, clientRemove, clientSet } from '../../src/core/access/clients.js';
import { clientLogoff, clientLogon, clientsLapsed } from '../../src/core/access/logon.js';
import { mountsRefreshed, volumeMount, volumeTouch, volumeUnmount } from '../../src/core/access/mounts.js';
import { endRequests, requestWrite } from '../../src/core/access/requests.js';
import { volumeAllow, volumeControl, volumeDeny, volumeLockout } from '../../src/core/access/rights.js';
import { volumeCreate, volumeRemove, volumeRename } from '../../src/core/config/volumes.js';
import { CfsError } from '../../src/core/errors.js';
import type { Operation } from '../../src/core/operation.js';
import { AccessHosts } from '../kit/access-hosts.js';
import { clusterOf } from './kit.js';

/** More by hand: CFS_ACCESS_RUNS=20000. */
const RUNS = Number(process.env.CFS_ACCESS_RUNS ?? 1000);
const AGENTS = ['a', 'b', 'c'];
const OTHERS = ['d', 'e'];
const CLIENTS = [...AGENTS, ...OTHERS];
const VOLUMES = ['v1', 'v2', 'v3'];

const client = fc.constantFrom(...CLIENTS);
// Mostly one volume, so that clients meet.
const volume = fc.constantFrom('v1', 'v1', 'v1', 'v2', 'v3');
const pair = fc.record({ volume, client });
const flag = fc.boolean();

class Step implements fc.Command<object, AccessHosts> {
  constructor(
    readonly says: string,
    private readonly work: (hosts: AccessHosts) => void,
  ) {}
  check(): boolean {
    return true;
  }
  run(_: object, hosts: AccessHosts): void {
    this.work(hosts);
  }
  toString(): string {
    return this.says;
  }
}

function step<T>(name: string, from: fc.Arbitrary<T>, work: (hosts: AccessHosts, given: T) => void) {
  const arbitrary = from.map((given) => new Step(`${name} ${JSON.stringify(given)}`, (hosts) => work(hosts, given)));
  return [name, arbitrary] as const;
}

/** Runs the operation; a refusal changes nothing. @param again the same once more makes no generation */
function attempt<R>(hosts: AccessHosts, operation: Operation<R, unknown>, request: R, again = true): boolean {
  const before = hosts.cluster.generation;
  try {
    hosts.change(operation, request);
  } catch (error) {
    if (!(error instanceof CfsError) || error.code === 'BUG' || error.code === 'BAD_VALUE') throw error;
    assert.equal(hosts.cluster.generation, before, `${operation.name} was refused and changed something`);
    return false;
  }
  const after = hosts.cluster.generation;
  if (!again) return true;
  hosts.change(operation, request);
  assert.equal(hosts.cluster.generation, after, `${operation.name} ${JSON.stringify(request)} again changed something`);
  return true;
}

/**
 * What a client's own side does that says `readOnly`: an agent, or a command without one, makes the mounts read-only first, and looks
 * at the tables anew before it mounts again.
 */
function readOnlyFirst(hosts: AccessHosts, name: string, volumes: readonly string[], run: (readOnly: boolean) => void) {
  const { isUp } = hosts.host(name);
  if (isUp) for (const each of volumes) hosts.makeReadOnly(name, each);
  run(isUp);
  if (isUp) hosts.look(name);
}

/** Clients of which an administrator's command knows that nothing is mounted for writing: it has no agent to wait for. */
function knownReadOnly(hosts: AccessHosts, volumes: readonly string[]): string[] {
  return OTHERS.filter((name) => volumes.every((each) => hosts.isReadOnly(name, each)));
}

const own = fc.record({ volume, client, isOwn: flag, force: flag });
const fields = fc.record({ enabled: flag, softwareLock: flag, readOnlyMedia: flag }, { requiredKeys: [] });
const NAMED: readonly (readonly [string, fc.Arbitrary<Step>])[] = [
  step('looks', fc.constantFrom(...AGENTS), (hosts, name) => hosts.look(name)),
  step('acts', fc.record({ client, isBusy: flag }), (hosts, { client: name, isBusy }) => hosts.step(name, isBusy)),
  step('acts', fc.record({ client, isBusy: fc.constant(false) }), (hosts, { client: name }) => hosts.step(name)),
  step('goes down', fc.constantFrom(...AGENTS), (hosts, name) => hosts.goDown(name)),
  step('comes up', fc.constantFrom(...AGENTS), (hosts, name) => {
    hosts.goUp(name);
    attempt(hosts, clientLogon, { client: name });
  }),
  step('add', client, (hosts, name) => attempt(hosts, clientAdd, { clients: [{ name }] }, false)),
  step('set', fc.record({ name: client, autoRespond: flag, refreshNotify: flag }), (hosts, request) =>
    attempt(hosts, clientSet, request),
  ),
  step('remove', client, (hosts, name) => attempt(hosts, clientRemove, { name }, false)),
  step('logon', client, (hosts, name) => attempt(hosts, clientLogon, { client: name })),
  step('logoff', fc.record({ client, isOwn: flag }), (hosts, { client: name, isOwn }) => {
    const off = (readOnly: boolean) => attempt(hosts, clientLogoff, { client: name, readOnly });
    if (isOwn) readOnlyFirst(hosts, name, VOLUMES, off);
    else off(false);
  }),
  step('lapsed', fc.uniqueArray(client, { minLength: 1, maxLength: 3 }), (hosts, names) => {
    const clients = names.map((name) => ({ client: name, lease: 7, why: 'quiet' }));
    attempt(hosts, clientsLapsed, { clients, stillQuiet: (name) => !hosts.host(name).isUp });
  }),
  step('allow', pair, (hosts, request) => attempt(hosts, volumeAllow, request)),
  step('allow all', fc.constant(0), (hosts) => attempt(hosts, volumeAllow, { volume: VOLUMES, client: CLIENTS })),
  step('deny', fc.record({ volume, clients: fc.uniqueArray(client, { minLength: 1 }) }), (hosts, given) => {
    const readOnly = knownReadOnly(hosts, [given.volume]);
    attempt(hosts, volumeDeny, { volume: given.volume, client: given.clients, readOnly });
  }),
  step('lockout', fc.record({ volume, client, lockout: flag }), (hosts, request) =>
    attempt(hosts, volumeLockout, request),
  ),
  step('control', fc.record({ volume, fields, force: flag }), (hosts, given) => {
    const readOnly = knownReadOnly(hosts, [given.volume]);
    attempt(hosts, volumeControl, { volume: given.volume, ...given.fields, force: given.force, readOnly });
  }),
  step('enable', volume, (hosts, name) =>
    attempt(hosts, volumeControl, { volume: name, enabled: true, readOnlyMedia: false, readOnly: [] }),
  ),
  step('mount', fc.record({ volume, client, rw: flag }), (hosts, request) => attempt(hosts, volumeMount, request)),
  step('unmount', own, (hosts, { volume: name, client: of, isOwn }) => {
    const off = (readOnly: boolean) => attempt(hosts, volumeUnmount, { volume: name, client: of, readOnly }, false);
    if (isOwn) readOnlyFirst(hosts, of, [name], off);
    else off(false);
  }),
  step('request', pair, (hosts, request) => attempt(hosts, requestWrite, { ...request, message: 'please' })),
  step('request of a client that is gone', pair, (hosts, request) => {
    const writer = hosts.cluster.snapshot().table('writers').get(request.volume)?.writer;
    if (typeof writer !== 'string' || hosts.host(writer).isUp) return;
    attempt(
      hosts,
      requestWrite,
      { ...request, gone: { clients: [{ client: writer, lease: 7, why: 'quiet' }] } },
      false,
    );
  }),
  step('end', fc.record({ volume, client, isExpired: flag }), (hosts, { volume: name, client: of, isExpired }) => {
    const asked = hosts.cluster.snapshot().table('requests').get(`${name}/${of}`)?.asked ?? 1;
    const response = isExpired ? ('expired' as const) : ('withdrawn' as const);
    attempt(hosts, endRequests, { requests: [{ volume: name, client: of, asked, why: null }], response });
  }),
  step(
    'respond',
    fc.record({ volume, to: fc.option(client), grant: flag, isOwn: flag, force: flag }),
    (hosts, { volume: name, to, grant, isOwn, force }) => {
      const by = hosts.cluster.snapshot().table('writers').get(name)?.writer ?? null;
      const request = { volume: name, client: to, grant, force, by };
      if (by === null || !isOwn || !grant) attempt(hosts, respond, { ...request, readOnly: false }, grant);
      else readOnlyFirst(hosts, by, [name], (readOnly) => attempt(hosts, respond, { ...request, readOnly }, false));
    },
  ),
  step('release', own, (hosts, { volume: name, client: of, isOwn, force }) => {
    const writer = hosts.cluster.snapshot().table('writers').get(name)?.writer;
    const release = (readOnly: boolean) =>
      attempt(hosts, releaseWrite, { volume: name, client: of, force, readOnly }, !readOnly);
    if (isOwn && writer === of) readOnlyFirst(hosts, of, [name], release);
    else release(false);
  }),
  step('given up by mistake', own, (hosts, { volume: name, client: of, force }) => {
    // Of a right that it does not have: nothing happens.
    const since = hosts.cluster.snapshot().table('writers').get(name)?.since ?? 1;
    const given = { volume: name, since: since - 1, problem: force ? 'busy' : null, modified: true };
    attempt(hosts, givenUp, { client: of, volumes: [given] });
  }),
  step('refreshed', fc.record({ volume, client, back: fc.nat(5) }), (hosts, { volume: name, client: of, back }) => {
    const seen = Math.max(1, hosts.cluster.generation - back);
    attempt(hosts, mountsRefreshed, { client: of, volumes: [{ volume: name, seen }] });
  }),
  step('touch', pair, (hosts, request) => attempt(hosts, volumeTouch, request, false)),
  step('remove volume', volume, (hosts, name) => attempt(hosts, volumeRemove, { name }, false)),
  step('create volume', volume, (hosts, name) => attempt(hosts, volumeCreate, { volumes: [{ name }] }, false)),
  step('rename volume', fc.record({ volume, to: volume }), (hosts, { volume: name, to }) =>
    attempt(hosts, volumeRename, { name, newName: to }, false),
  ),
];

/** What lets clients meet is more frequent than what keeps them apart. */
const OFTEN = ['request', 'acts', 'respond', 'release', 'allow all', 'enable', 'logon', 'comes up', 'looks'];
const weighted = NAMED.flatMap(([name, arbitrary]) =>
  OFTEN.includes(name) ? [arbitrary, arbitrary, arbitrary, arbitrary] : [arbitrary],
);

/** Everybody is there, looks and acts until there is nothing to do. */
function comesToRest(hosts: AccessHosts): void {
  for (const name of AGENTS) hosts.goUp(name);
  for (let round = 0; round < 100; round++) {
    let hasMoved = false;
    for (const name of CLIENTS) {
      hosts.look(name);
      while (hosts.step(name)) hasMoved = true;
    }
    if (!hasMoved) return;
  }
  assert.fail('the hosts do not come to rest');
}

describe('one writer, whatever happens', () => {
  it('holds at every generation and for every host, in the order of asking; hosts come to rest as the tables say', () => {
    let handovers = 0;
    fc.assert(
      fc.property(
        fc.shuffledSubarray(CLIENTS),
        fc.commands(weighted, { maxCommands: 80, size: 'max' }),
        (first, commands) => {
          const cluster = clusterOf(CLIENTS, VOLUMES);
          const hosts = new AccessHosts(cluster, AGENTS, OTHERS);
          for (const name of first) hosts.change(requestWrite, { volume: 'v1', client: name });
          for (const name of first) hosts.look(name);
          fc.modelRun(() => ({ model: {}, real: hosts }), commands);
          comesToRest(hosts);
          const tables = cluster.snapshot();
          for (const [name, { writer }] of tables.table('writers').entries()) {
            if (writer !== null)
              assert.equal(hosts.real(writer, name), 'rw', `${writer} has ${name} for writing at rest`);
          }
          handovers += hosts.handovers;
        },
      ),
      { numRuns: RUNS },
    );
    assert.ok(handovers > RUNS / 5, `rights passed from client to client: ${handovers}`);
  });
});
