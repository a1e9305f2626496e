/** Random runs of clients: people and administrators beside the faults of hosts, then calm, then everything must come to rest. */
import { releaseWrite, respond } from '../../src/core/access/answers.js';
import { clientSet } from '../../src/core/access/clients.js';
import { clientLogoff, clientLogon } from '../../src/core/access/logon.js';
import { writerOf } from '../../src/core/access/look.js';
import { volumeMount, volumeUnmount } from '../../src/core/access/mounts.js';
import { endRequests, requestWrite } from '../../src/core/access/requests.js';
import { volumeAllow, volumeControl, volumeDeny, volumeLockout } from '../../src/core/access/rights.js';
import { clusterSet } from '../../src/core/config/settings.js';
import type { SimClientHost } from './sim-client-host.js';
import { SimClients, type SimClientsOptions } from './sim-clients.js';
import { type Fault, HOST_FAULTS, type RandomRun, troubled } from './sim-faults.js';
import type { Chance } from './sim-world.js';

type Work = (cluster: SimClients, host: SimClientHost, chance: Chance, volume: string) => void;

const TIMES: readonly Record<string, number>[] = [
  { 'lease.timeout': 3000, 'lease.interval': 500 },
  { 'lease.timeout': 1500, 'lease.interval': 300 },
  { 'lease.timeout': 6000, 'lease.interval': 1000 },
];

/** What people and administrators do; each with its weight. */
const WORK: readonly [number, Work][] = [
  [40, (cluster, { name }, chance, volume) => ask(cluster, name, chance, volume)],
  [6, (cluster, _, chance, volume) => rush(cluster, chance, volume)],
  [
    10,
    (cluster, _, chance, volume) => {
      const grant = chance.happens(0.7);
      const answer = { volume, client: null, grant, force: chance.happens(0.3), by: null, readOnly: false };
      cluster.operate(respond, answer);
    },
  ],
  [
    6,
    (cluster, _, chance, volume) => {
      const { writer } = writerOf(cluster.snapshot(), volume);
      if (writer === null) return;
      cluster.operate(releaseWrite, { volume, client: writer, force: chance.happens(0.3), readOnly: false });
    },
  ],
  [6, (cluster, { name }, chance, volume) => unmountForAWhile(cluster, name, chance, volume)],
  [2, (cluster, { name }, chance) => logOffForAWhile(cluster, name, chance)],
  [3, (cluster, { name }, chance, volume) => denyForAWhile(cluster, name, chance, volume)],
  [3, (cluster, { name }, chance, volume) => lockOutForAWhile(cluster, name, chance, volume)],
  [3, (cluster, _, chance, volume) => disableForAWhile(cluster, chance, volume)],
  [8, (cluster, host, chance, volume) => openFiles(cluster, host, chance, volume)],
  [2, (cluster, { name }, chance) => cluster.operate(clientSet, { name, autoRespond: chance.happens(0.7) })],
  [2, (cluster, _, chance) => cluster.operate(clusterSet, { settings: chance.pick(TIMES) })],
];

function ask(cluster: SimClients, client: string, chance: Chance, volume: string): void {
  cluster.operate(requestWrite, { volume, client, limitMs: Math.round(chance.between(2000, 20_000)) });
  if (!chance.happens(0.15)) return;
  cluster.world.after(chance.between(100, 4000), () => {
    const asked = cluster.snapshot().table('requests').get(`${volume}/${client}`)?.asked;
    if (asked === undefined) return;
    cluster.operate(endRequests, { requests: [{ volume, client, asked, why: null }], response: 'withdrawn' });
  });
}

/** Everybody wants the same volume. */
function rush(cluster: SimClients, chance: Chance, volume: string): void {
  for (const { name } of cluster.clients) {
    cluster.world.after(chance.between(0, 300), () => ask(cluster, name, chance, volume));
  }
}

function later(cluster: SimClients, chance: Chance, run: () => void): void {
  cluster.world.after(chance.between(50, 8000), run);
}

function unmountForAWhile(cluster: SimClients, client: string, chance: Chance, volume: string): void {
  cluster.operate(volumeUnmount, { volume, client, readOnly: false });
  later(cluster, chance, () => cluster.operate(volumeMount, { volume, client, rw: chance.happens(0.3) }));
}

function logOffForAWhile(cluster: SimClients, client: string, chance: Chance): void {
  cluster.operate(clientLogoff, { client, readOnly: false });
  later(cluster, chance, () => cluster.operate(clientLogon, { client }));
}

function denyForAWhile(cluster: SimClients, client: string, chance: Chance, volume: string): void {
  cluster.operate(volumeDeny, { volume, client, readOnly: [] });
  later(cluster, chance, () => {
    cluster.operate(volumeAllow, { volume, client });
    cluster.operate(volumeMount, { volume, client });
  });
}

function lockOutForAWhile(cluster: SimClients, client: string, chance: Chance, volume: string): void {
  cluster.operate(volumeLockout, { volume, client, lockout: true });
  later(cluster, chance, () => cluster.operate(volumeLockout, { volume, client, lockout: false }));
}

function disableForAWhile(cluster: SimClients, chance: Chance, volume: string): void {
  cluster.operate(volumeControl, { volume, enabled: false, force: chance.happens(0.3), readOnly: [] });
  later(cluster, chance, () => cluster.operate(volumeControl, { volume, enabled: true, readOnly: [] }));
}

function openFiles(cluster: SimClients, { mounts }: SimClientHost, chance: Chance, volume: string): void {
  mounts.open.add(volume);
  later(cluster, chance, () => mounts.open.delete(volume));
}

/** Both processes of an agent are killed at once. */
const killBoth: Fault = (_, host, chance) => host.killAgent(chance.between(300, 6000));

const FAULTS: readonly [number, Fault][] = [...HOST_FAULTS, [4, killBoth]];

function pick(at: number): Work {
  let left = at;
  for (const [weight, act] of WORK) {
    left -= weight;
    if (left <= 0) return act;
  }
  return WORK[0]![1];
}

/** People and programs at work, until that time. */
function work(cluster: SimClients, untilMs: number): void {
  const { world } = cluster;
  const { chance } = world;
  const total = WORK.reduce((sum, [weight]) => sum + weight, 0);
  const pauseMs = chance.pick([200, 500, 1500]);
  for (let atMs = chance.between(0, 8000); atMs < untilMs; atMs += chance.between(0, 2 * pauseMs)) {
    const act = pick(chance.between(0, total));
    const volume = chance.pick(cluster.volumes);
    const host = chance.pick(cluster.clients);
    world.after(atMs, () => act(cluster, host, chance, volume));
  }
}

/** Everything is allowed again, and everybody logged on. */
function calm(cluster: SimClients): void {
  cluster.isBusy = false;
  const client = cluster.clients.map(({ name }) => name);
  for (const { mounts } of cluster.clients) mounts.open.clear();
  cluster.operate(volumeAllow, { volume: cluster.volumes, client });
  cluster.operate(volumeControl, { volume: cluster.volumes, enabled: true, readOnly: [] });
  for (const name of client) cluster.operate(clientLogon, { client: name });
}

/** One run. @throws when two hosts write one volume, when one writes without the right, when the clients do not come to rest, for every bug that shows itself */
export async function randomClients(options: SimClientsOptions, run: RandomRun): Promise<SimClients> {
  const cluster = new SimClients(options);
  work(cluster, run.troubledMs);
  await troubled(cluster, { ...run, calm: () => calm(cluster) }, FAULTS);
  return cluster;
}
