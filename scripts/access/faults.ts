/** What the soak does to clients: kills, stops, denials. One at a time, each a function that leaves things so that they can heal. */
import { spawn } from 'node:child_process';
import { respond } from '../../src/core/access/answers.js';
import { clientLogoff, clientLogon } from '../../src/core/access/logon.js';
import { isLoggedOn, isMounted, writerOf } from '../../src/core/access/look.js';
import { volumeMount } from '../../src/core/access/mounts.js';
import { volumeAllow, volumeControl, volumeDeny, volumeLockout } from '../../src/core/access/rights.js';
import { CfsError } from '../../src/core/errors.js';
import { CFS, cleanEnv } from '../lab/hosts.js';
import { monotonicMs } from '../lab/proc.js';
import { pause } from '../lab/wait.js';
import type { App } from './apps.js';
import type { ClientLab } from './client-lab.js';
import type { Seeded } from './seeded.js';

export interface FaultContext {
  lab: ClientLab;
  apps: ReadonlyMap<string, App>;
  random: Seeded;
  /** Whether there is time left; long faults ask. */
  goesOn: () => boolean;
}

/** @returns false when there was nothing to do it to */
type Fault = (context: FaultContext) => Promise<boolean>;

/** A client that writes something, now and then; else any. */
function victim({ lab, random }: FaultContext): string {
  const snapshot = lab.cluster.snapshot();
  const writers = lab.options.volumes
    .map((volume) => writerOf(snapshot, volume).writer)
    .filter((name) => name !== null);
  return writers.length > 0 && random.chance(0.7) ? random.of(writers) : random.of(lab.options.clients);
}

/** A change that may be refused, as an administrator's may. */
async function change(work: Promise<unknown>): Promise<boolean> {
  try {
    await work;
    return true;
  } catch (error) {
    if (error instanceof CfsError) return false;
    throw error;
  }
}

const killPart =
  (part: 'worker' | 'supervisor' | 'both'): Fault =>
  async (context) =>
    context.lab.agent(victim(context)).signal(part, 'SIGKILL');

const freezeWorker: Fault = async (context) => {
  const agent = context.lab.agent(victim(context));
  const worker = agent.pids()?.worker;
  if (!agent.signal('worker', 'SIGSTOP') || worker == null) return false;
  await pause(context.random.whole(100, 4000));
  try {
    process.kill(worker, 'SIGCONT');
  } catch {
    // Its supervisor has killed it.
  }
  return true;
};

const killApp: Fault = async (context) => context.apps.get(victim(context))!.kill('SIGKILL');

/** `cfs volume request-write --wait`, killed while it waits. */
const killRequester: Fault = async ({ lab, random }) => {
  const client = random.of(lab.options.clients);
  const volume = random.of(lab.options.volumes);
  const argv = [
    process.execPath,
    CFS,
    'volume',
    'request-write',
    volume,
    '--client',
    client,
    '--wait',
    '20s',
    '--limit',
    '10s',
  ];
  const [program, ...rest] = lab.space.argv(argv);
  const child = spawn(program!, rest, { env: cleanEnv({ CFS_DIR: lab.dir }), stdio: 'ignore' });
  await pause(random.whole(300, 2500));
  return child.exitCode === null && child.kill('SIGKILL');
};

const disable: Fault = async ({ lab, random }) => {
  const volume = random.of(lab.options.volumes);
  const force = random.chance(0.3);
  const off = { volume, enabled: false, readOnly: [], force };
  if (!(await change(lab.cluster.change(volumeControl, off)))) return false;
  await pause(random.whole(100, 2500));
  await change(lab.cluster.change(volumeControl, { volume, enabled: true, readOnly: [] }));
  return true;
};

const deny: Fault = async (context) => {
  const { lab, random } = context;
  const pair = { volume: random.of(lab.options.volumes), client: victim(context) };
  if (!(await change(lab.cluster.change(volumeDeny, { ...pair, readOnly: [] })))) return false;
  await pause(random.whole(100, 2000));
  await change(lab.cluster.change(volumeAllow, pair));
  await change(lab.cluster.change(volumeMount, pair));
  return true;
};

const lockout: Fault = async ({ lab, random }) => {
  const pair = { volume: random.of(lab.options.volumes), client: random.of(lab.options.clients) };
  await change(lab.cluster.change(volumeLockout, { ...pair, lockout: true }));
  await pause(random.whole(100, 1500));
  return change(lab.cluster.change(volumeLockout, { ...pair, lockout: false }));
};

/** An administrator answers no for the writer. */
const refuse: Fault = async ({ lab, random }) => {
  const volume = random.of(lab.options.volumes);
  return change(
    lab.cluster.change(respond, { volume, client: null, grant: false, by: null, readOnly: false, message: 'not now' }),
  );
};

/** Somebody logs the client off while its agent lives; the agent unmounts everything, and the harness logs it on again. */
const logoff: Fault = async (context) => {
  const client = victim(context);
  const off = { client, readOnly: false, reason: 'sent home' };
  if (!(await change(context.lab.cluster.change(clientLogoff, off)))) return false;
  await pause(context.random.whole(200, 2000));
  return logOn(context.lab, client);
};

/** Its agent may have done it before. */
async function logOn(lab: ClientLab, client: string): Promise<boolean> {
  return change(lab.cluster.change(clientLogon, { client }));
}

/** Mounts that a fault took away and could not give back. */
export async function heal(lab: ClientLab): Promise<void> {
  const { volumes, clients } = lab.options;
  await change(lab.cluster.change(volumeControl, { volume: volumes, enabled: true, readOnly: [] }));
  await change(lab.cluster.change(volumeAllow, { volume: volumes, client: clients }));
  await change(lab.cluster.change(volumeLockout, { volume: volumes, client: clients, lockout: false }));
  for (const client of clients) {
    if (!isLoggedOn(lab.cluster.snapshot(), client)) await logOn(lab, client);
    for (const volume of volumes) {
      if (!isMounted(lab.cluster.snapshot(), volume, client))
        await change(lab.cluster.change(volumeMount, { volume, client }));
    }
  }
}

export const FAULTS: Record<string, { weight: number; run: Fault }> = {
  'kill worker': { weight: 3, run: killPart('worker') },
  'kill supervisor': { weight: 3, run: killPart('supervisor') },
  'kill both': { weight: 3, run: killPart('both') },
  'freeze worker': { weight: 3, run: freezeWorker },
  'kill application': { weight: 4, run: killApp },
  'kill requester': { weight: 2, run: killRequester },
  'disable volume': { weight: 1, run: disable },
  'deny client': { weight: 1, run: deny },
  'lock client out': { weight: 1, run: lockout },
  'answer no': { weight: 1, run: refuse },
  'log client off': { weight: 1, run: logoff },
};

/** One fault after the other until there is no time left. @returns how often each was done */
export async function runFaults(context: FaultContext, everyMs: number): Promise<Map<string, number>> {
  const names = Object.entries(FAULTS).flatMap(([name, { weight }]) => Array<string>(weight).fill(name));
  const done = new Map<string, number>();
  while (context.goesOn()) {
    const name = context.random.of(names);
    if (await FAULTS[name]!.run(context)) done.set(name, (done.get(name) ?? 0) + 1);
    const end = monotonicMs() + context.random.whole(0, 2 * everyMs);
    while (context.goesOn() && monotonicMs() < end) await pause(20);
  }
  return done;
}
