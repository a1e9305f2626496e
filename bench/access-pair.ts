/** Two real agents that hand one volume back and forth; each handover timed, with the steps that its journals show. */
import { accessSync, constants, mkdtempSync } from 'node:fs';
import path from 'node:path';
import { ClientLab } from '../scripts/access/client-lab.js';
import { monotonicMs } from '../scripts/lab/proc.js';
import { pause, waitFor } from '../scripts/lab/wait.js';
import { readJournal } from '../src/agentd/journal.js';
import { clientAdd } from '../src/core/access/clients.js';
import { writerOf } from '../src/core/access/look.js';
import { requestWrite } from '../src/core/access/requests.js';
import { Bound, BYSTANDER } from './access-bound.js';
import { WORK } from './kit.js';

export type DriverName = 'record' | 'mount';

/** One handover, ms: its parts follow one another. */
export interface Handover {
  /** From the request to the mount for writing. */
  total: number;
  /** The request is committed. */
  request: number;
  /** The writer's mount is read-only. */
  readOnly: number;
  /** The answer is committed, and the new writer begins to mount. */
  answer: number;
  /** It is mounted. */
  mount: number;
}

export interface PairResult {
  handovers: Handover[];
  /** After both agents had nothing to decide for so long that they let their deciding threads go. */
  cold: number[];
  commitsMs: number[];
  wakeUpsMs: number[];
}

const VOLUME = 'v1';
/** An agent's deciding thread goes after 10 s without work. */
const COLD_MS = 11_000;

export interface PairOptions {
  driver: DriverName;
  rounds: number;
  coldRounds: number;
  /** Settings of the cluster; default: those of cfs. */
  settings?: Record<string, number>;
}

/** @param options settings as they are by default */
export async function handoversOf({ driver, rounds, coldRounds, settings }: PairOptions): Promise<PairResult> {
  const lab = new ClientLab({
    base: mkdtempSync(path.join(WORK, `access-${driver}-`)),
    clients: ['a', 'b'],
    volumes: [VOLUME],
    settings: settings ?? { 'lease.timeout': 10_000, 'lease.interval': 2000 },
    ...(driver === 'record' ? { agent: () => ({ driver: { type: 'record' } }) } : {}),
  });
  const close = (): void => void lab.close();
  process.prependListener('exit', close);
  let bound: Bound | null = null;
  try {
    await lab.create();
    await lab.cluster.change(clientAdd, { clients: [{ name: BYSTANDER }] });
    lab.seed(VOLUME, 'data', '');
    for (const agent of lab.agents.values()) agent.start();
    const pair = new Pair(lab, driver);
    await pair.first('a');
    bound = await Bound.begin(lab.cluster);
    const handovers: Handover[] = [];
    for (let round = -2; round < rounds; round++) {
      const handover = await pair.handover();
      // The first ones load what the agents need.
      if (round >= 0) handovers.push(handover);
      if (round >= 0) await bound.measure();
      await pause(30 + Math.random() * 120);
    }
    const cold: number[] = [];
    for (let round = 0; round < coldRounds; round++) {
      await pause(COLD_MS);
      cold.push((await pair.handover()).total);
    }
    return { handovers, cold, commitsMs: bound.commitsMs, wakeUpsMs: bound.wakeUpsMs };
  } finally {
    bound?.close();
    await lab.stopAll().catch(() => {});
    close();
    process.removeListener('exit', close);
  }
}

class Pair {
  constructor(
    private readonly lab: ClientLab,
    private readonly driver: DriverName,
  ) {}

  private get holder(): { client: string; epoch: number } {
    const { writer, since } = writerOf(this.lab.cluster.snapshot(), VOLUME);
    return { client: writer ?? '', epoch: since };
  }

  /** Makes the client the first writer, once the agents are there. */
  async first(client: string): Promise<void> {
    await this.applied(60_000);
    await this.lab.cluster.change(requestWrite, { volume: VOLUME, client });
    const { epoch } = this.holder;
    await this.mountedAt(client, epoch);
    await this.applied();
  }

  /** The client that reads asks for the volume. */
  async handover(): Promise<Handover> {
    const from = this.holder;
    const to = from.client === 'a' ? 'b' : 'a';
    const began = monotonicMs();
    await this.lab.cluster.change(requestWrite, { volume: VOLUME, client: to });
    const requested = monotonicMs();
    const mounted = await this.mountedAt(to, null);
    const { client, epoch } = this.holder;
    if (client !== to) throw new Error(`${to} asked, and ${client} is the writer`);
    const stopped = this.eventAt(from.client, 'stop', from.epoch) ?? requested;
    const started = this.eventAt(to, 'start', epoch) ?? stopped;
    await this.applied();
    return {
      total: mounted - began,
      request: requested - began,
      readOnly: stopped - requested,
      answer: started - stopped,
      mount: mounted - started,
    };
  }

  private eventAt(client: string, event: 'start' | 'stop', epoch: number): number | null {
    const events = readJournal(this.lab.agent(client).stateDir);
    return events.find((one) => one.event === event && one.epoch === epoch && one.volume === VOLUME)?.t ?? null;
  }

  /** When the client has it for writing. A mount is looked for every millisecond; a record is a line of the journal with its own time. */
  private mountedAt(client: string, epoch: number | null): Promise<number> {
    const before = epoch ?? this.holder.epoch;
    return waitFor(
      `${client} to have ${VOLUME} for writing`,
      30_000,
      () => {
        if (this.driver === 'mount') return this.isWritable(client) ? monotonicMs() : null;
        const last = readJournal(this.lab.agent(client).stateDir).findLast(({ volume }) => volume === VOLUME);
        const isNew = last?.event === 'start' && (epoch === null ? last.epoch > before : last.epoch === epoch);
        return isNew ? last.t : null;
      },
      { everyMs: 1, explain: () => this.lab.describe() },
    );
  }

  private isWritable(client: string): boolean {
    try {
      accessSync(this.lab.space.path(path.join(this.lab.agent(client).mountPoint(VOLUME), 'data')), constants.W_OK);
      return true;
    } catch {
      return false;
    }
  }

  /** Waits until nothing is left to do: what is measured next begins from rest. */
  private async applied(limitMs = 20_000): Promise<void> {
    const { cluster } = this.lab;
    if (this.driver === 'mount') return this.lab.converged(undefined, limitMs);
    await waitFor('both agents to have applied the newest generation', limitMs, () => this.lab.haveApplied(), {
      everyMs: 10,
      explain: () => `generation ${cluster.snapshot().generation}: ${this.lab.describe()}`,
    });
  }
}
