/** Waiting for the right to write: follows the generations without holding anything, and watches the writer's lease meanwhile. */
import { clientsLapsed } from '../core/access/logon.js';
import { writerOf } from '../core/access/look.js';
import { pairName } from '../core/access/pair.js';
import { endRequests } from '../core/access/requests.js';
import { QueueWatch, WriterWatch } from '../core/access/writer-watch.js';
import { isSituation } from '../core/agent/guard.js';
import { CfsError } from '../core/errors.js';
import { listClientLeases } from '../core/membership/leases.js';
import { settingOf } from '../core/model/settings.js';
import type { RequestRecord } from '../core/model/tables.js';
import { formatDuration } from '../core/model/units.js';
import type { Snapshot } from '../core/store/store.js';
import type { DirectoryCluster } from '../open.js';
import type { MountParts } from './mount-change.js';
import { resting } from './resting.js';

export type Answered =
  | { how: 'granted'; since: number }
  /** It was granted, and given up again before we saw it. */
  | { how: 'passed on' }
  | { how: 'answered'; request: RequestRecord }
  /** The record is gone, or is of a later request. */
  | { how: 'gone' };

export type WaitEnd = Answered | { how: 'time over' } | { how: 'interrupted'; signal: string };

/** What is known while it waits, for a terminal. */
export interface WaitSight {
  writer: string | null;
  /** The generation that made it the writer. */
  since: number;
  /** From 1. */
  place: number;
  length: number;
  waitedMs: number;
  quietMs: number;
  /** Why a writer that is gone is not replaced; null: it is not gone, or is about to be. */
  kept: string | null;
}

export interface WaitWish {
  volume: string;
  client: string;
  asked: number;
  timeoutMs: number;
  onLook: (sight: WaitSight) => void;
}

/** Between two looks where the file system does not tell, ms. */
const POLL_MS = 250;
/** Looks at the leases are no closer and no further apart, ms. */
const LEASE_LOOK_MS = { least: 50, most: 500 };

/** What became of the request; null: it waits. */
export function answerOf(snapshot: Snapshot, volume: string, client: string, asked: number): Answered | null {
  const request = snapshot.table('requests').get(pairName(volume, client));
  if (request === undefined || request.asked !== asked) return { how: 'gone' };
  if (request.response === 'pending') return null;
  if (request.response !== 'granted') return { how: 'answered', request };
  const { writer, since } = writerOf(snapshot, volume);
  return writer === client ? { how: 'granted', since } : { how: 'passed on' };
}

/** Signals while it waits; they do not end the process until `end`. */
export class Signals {
  received: string | null = null;
  private wake: (() => void) | null = null;
  private readonly onSignal = (signal: string): void => {
    this.received ??= signal;
    this.wake?.();
  };

  begin(wake: () => void): void {
    this.wake = wake;
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, this.onSignal);
  }

  end(): void {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.off(signal, this.onSignal);
  }
}

/** Waits for an answer, for time to pass, or for a signal. @throws CfsError what reading throws that does not pass by itself */
export async function waitForAnswer(
  cluster: DirectoryCluster,
  change: MountParts['change'],
  signals: Signals,
  wish: WaitWish,
): Promise<WaitEnd> {
  const { volume, client, asked, timeoutMs } = wish;
  const { platform, paths } = cluster.store.place;
  const { clock } = platform;
  const startMs = clock.monotonicMs();
  const rest = resting(paths.manifests);
  signals.begin(rest.wake);
  const guard = new WaitGuard(cluster, change, volume, client);
  try {
    for (;;) {
      const waitedMs = clock.monotonicMs() - startMs;
      try {
        const snapshot = cluster.snapshot();
        const answer = answerOf(snapshot, volume, client, asked);
        if (answer !== null) return answer;
        if (signals.received === null) await guard.look(snapshot);
        wish.onLook(sightOf(snapshot, wish, waitedMs, guard));
      } catch (error) {
        if (!isSituation(error) || isLost(error)) throw error;
      }
      if (signals.received !== null) return { how: 'interrupted', signal: signals.received };
      if (waitedMs >= timeoutMs) return { how: 'time over' };
      await rest.pause(Math.min(POLL_MS, guard.pauseMs, Math.max(1, timeoutMs - waitedMs)));
    }
  } finally {
    rest.end();
  }
}

/** No directory is there any more, or what it holds cannot be trusted: it does not pass by itself. */
function isLost(error: unknown): boolean {
  return error instanceof CfsError && ['notFound', 'damaged', 'denied'].some((kind) => kindOf(error) === kind);
}

function kindOf(error: CfsError): string {
  return { 3: 'notFound', 5: 'denied', 8: 'damaged' }[error.exitStatus] ?? '';
}

function sightOf(snapshot: Snapshot, { volume, client }: WaitWish, waitedMs: number, guard: WaitGuard): WaitSight {
  const { writer, since, queue } = writerOf(snapshot, volume);
  const { quietMs, kept } = guard;
  return { writer, since, place: queue.indexOf(client) + 1, length: queue.length, waitedMs, quietMs, kept };
}

/** Sees to it that the queue moves where no agent does: a writer that is gone is logged off, requests that are too old expire. */
class WaitGuard {
  quietMs = 0;
  kept: string | null = null;
  pauseMs = LEASE_LOOK_MS.least;
  private readonly writers: WriterWatch;
  private readonly queue: QueueWatch;
  private nextLookMs = 0;
  /** When a writer that is gone is reported: those who wait do not all do so at once. */
  private reportMs: number | null = null;

  constructor(
    private readonly cluster: DirectoryCluster,
    private readonly change: MountParts['change'],
    volume: string,
    client: string,
  ) {
    this.writers = new WriterWatch(volume, client);
    this.queue = new QueueWatch(volume, client);
  }

  async look(snapshot: Snapshot): Promise<void> {
    const { platform, paths } = this.cluster.store.place;
    const { clock, random } = platform;
    const late = this.queue.look(snapshot, clock.monotonicMs(), clock.nowMs());
    if (late.length > 0) {
      await this.change(endRequests, {
        response: 'expired',
        requests: late.map(({ limitMs, ...which }) => ({
          ...which,
          why: `nobody answered within ${formatDuration(limitMs)}`,
        })),
      });
    }
    const intervalMs = settingOf(snapshot, 'lease.interval');
    const beganMs = clock.monotonicMs();
    if (beganMs < this.nextLookMs) return;
    this.pauseMs = Math.min(LEASE_LOOK_MS.most, Math.max(LEASE_LOOK_MS.least, intervalMs / 2));
    this.nextLookMs = beganMs + this.pauseMs;
    const leases = listClientLeases(platform, paths.leases);
    const { quietMs, gone } = this.writers.look({ leases, beganMs, endedMs: clock.monotonicMs() }, snapshot);
    this.quietMs = quietMs;
    if (gone === null) {
      this.reportMs = null;
      this.kept = null;
      return;
    }
    this.reportMs ??= beganMs + (random.fraction() * intervalMs) / 4;
    if (beganMs < this.reportMs) return;
    this.reportMs = beganMs + intervalMs;
    const stillQuiet = (client: string, seq: number) =>
      listClientLeases(platform, paths.leases).get(client)?.seq === seq;
    const { value } = await this.change(clientsLapsed, { clients: [gone], stillQuiet });
    this.kept = value.leftAlone[0]?.why ?? null;
  }
}
