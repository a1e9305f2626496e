/** One soak: clients, applications and faults for a while; then everything heals, is judged, and is taken down. */
import { mkdirSync, readFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { join } from 'node:path';
import { monotonicMs } from '../lab/proc.js';
import { pause, waitFor } from '../lab/wait.js';
import { App, bundleApp } from './apps.js';
import { ClientLab, QUICK } from './client-lab.js';
import { commandDriverOf } from './command-driver.js';
import { heal, runFaults } from './faults.js';
import { Images, readFromImage } from './images.js';
import { Seeded } from './seeded.js';
import { type SoakVerdict, verdictOf } from './soak-verdict.js';
import { DATA_FILE } from './writer-app-options.js';

export interface SoakOptions {
  /** A directory of this run alone. */
  base: string;
  seconds: number;
  clients: number;
  volumes: number;
  seed: number;
  /** `lying` is a command that leaves mounts for writing as they are: the soak must fail. */
  driver: 'mount' | 'command' | 'lying';
  /** What a volume is: a directory that is bound (default), or an ext4 image that each client has loop devices for (driver `mount`). */
  source?: 'directory' | 'image';
  /** ms; default QUICK. */
  leaseTimeoutMs?: number;
  leaseIntervalMs?: number;
  /** Mean pause between two faults, ms. */
  faultEveryMs: number;
  /** Longest pause of an application between two volumes, ms; default: the more clients, the longer, as all share this machine. */
  paceMs?: number;
  /** How long the agents may take to make everything what the tables say, at the end, ms; default 60 s. */
  settleMs?: number;
  say?: (sentence: string) => void;
}

export interface SoakResult extends SoakVerdict {
  faults: Map<string, number>;
  /** Agents that ended without being asked to, and were started again. */
  restarts: number;
  /** Processor time per second of the run, of this machine's; load. */
  load: string;
}

/** @throws Error where agents do not come up or do not converge; the mounts are gone then, too */
export async function soak(options: SoakOptions): Promise<SoakResult> {
  const { base, seed, say = () => {} } = options;
  const random = new Seeded(seed);
  const names = (letter: string, count: number) => Array.from({ length: count }, (_, i) => `${letter}${i + 1}`);
  const volumes = names('v', options.volumes);
  const images = options.source === 'image' ? new Images(`${base}.images`) : null;
  images?.make(volumes, { [DATA_FILE]: '' });
  const leaseTimeoutMs = options.leaseTimeoutMs ?? QUICK['lease.timeout'];
  const lab = new ClientLab({
    base,
    clients: names('c', options.clients),
    volumes,
    settings: {
      'lease.timeout': leaseTimeoutMs,
      'lease.interval': options.leaseIntervalMs ?? QUICK['lease.interval'],
    },
    agent: (_, own) => ({
      ...driverOf(options.driver, own, join(base, 'volumes')),
      ...(images === null ? {} : { volumes: images.attach(volumes) }),
      // Every other one comes back so late that it may have been found gone.
      restartMs: () => random.whole(0, random.chance(0.5) ? 1000 : 2 * leaseTimeoutMs),
    }),
  });
  const apps = new Map<string, App>();
  const close = (): void => {
    for (const app of apps.values()) app.killNow();
    lab.close();
    images?.close();
  };
  process.prependListener('exit', close);
  try {
    const ledger = join(base, 'ledger');
    mkdirSync(ledger);
    for (const volume of lab.options.volumes) lab.seed(volume, DATA_FILE, '');
    await lab.create();
    const bundle = bundleApp(base);
    for (const [i, client] of lab.options.clients.entries()) {
      const volumes = Object.fromEntries(lab.options.volumes.map((name) => [name, lab.agent(client).mountPoint(name)]));
      const own = {
        dir: lab.dir,
        client,
        volumes,
        ledger,
        seed: seed * 1000 + i,
        patienceMs: 20_000,
        paceMs: options.paceMs ?? 75 * options.clients,
      };
      apps.set(client, new App(bundle, own, join(base, client, 'app.log'), lab.space));
    }
    const began = monotonicMs();
    for (const agent of lab.agents.values()) agent.start();
    await lab.converged(undefined, 120_000);
    say(`${lab.options.clients.length} agents are up after ${((monotonicMs() - began) / 1000).toFixed(1)} s`);
    for (const app of apps.values()) app.start();
    const end = monotonicMs() + options.seconds * 1000;
    const goesOn = (): boolean => monotonicMs() < end;
    const lanes = [1, 2].map((lane) =>
      runFaults({ lab, apps, random: new Seeded(seed + lane), goesOn }, options.faultEveryMs * 2),
    );
    const telling = tell(lab, goesOn, say);
    const faults = addedUp(await Promise.all(lanes));
    await telling;
    const load = `load ${loadavg()[0]!.toFixed(1)} on ${cpus().length} processors`;
    await Promise.all([...apps.values()].map((app) => app.stop()));
    const late = await settled(lab, options.settleMs ?? 60_000);
    say(late ?? 'all agents alive have converged');
    await lab.stopAll();
    const readBack = (volume: string): Buffer =>
      images === null
        ? readFileSync(join(lab.source(volume), DATA_FILE))
        : readFromImage(images.image(volume), DATA_FILE);
    const verdict = await verdictOf(lab, ledger, readBack);
    if (late !== null) verdict.failures.push(late);
    for (const app of apps.values()) verdict.failures.push(...app.failures);
    for (const agent of lab.agents.values()) verdict.failures.push(...agent.complaints);
    const restarts = [...lab.agents.values()].reduce((sum, agent) => sum + agent.unexpectedEnds, 0);
    return { ...verdict, faults, restarts, load };
  } finally {
    close();
    process.removeListener('exit', close);
  }
}

/** Everything is allowed again, and the agents make the mounts what the tables say. @returns what they did not do in time */
async function settled(lab: ClientLab, limitMs: number): Promise<string | null> {
  const agents = [...lab.agents.values()];
  try {
    await waitFor('all agents to run again', 30_000, () => agents.every((agent) => agent.isRunning));
    await heal(lab);
    await lab.converged(undefined, limitMs);
    return null;
  } catch (error) {
    return (error as Error).message;
  }
}

function driverOf(name: SoakOptions['driver'], base: string, sources: string) {
  return name === 'mount' ? {} : { driver: commandDriverOf({ base, sources, lies: name === 'lying' }) };
}

async function tell(lab: ClientLab, goesOn: () => boolean, say: (sentence: string) => void): Promise<void> {
  for (let seconds = 0; goesOn(); seconds++) {
    await pause(1000);
    if (seconds % 30 === 29) say(`${seconds + 1} s: generation ${lab.cluster.snapshot().generation}`);
  }
}

function addedUp(lanes: readonly Map<string, number>[]): Map<string, number> {
  const sum = new Map<string, number>();
  for (const lane of lanes) for (const [name, count] of lane) sum.set(name, (sum.get(name) ?? 0) + count);
  return sum;
}
