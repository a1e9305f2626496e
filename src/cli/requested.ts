/** `cfs volume request-write --wait`, from the request to its end: granted and mounted, denied, withdrawn. */
import { writerOf } from '../core/access/look.js';
import { endRequests } from '../core/access/requests.js';
import { CfsError } from '../core/errors.js';
import { clientLeasesOf } from '../core/membership/agents.js';
import { leaseInfo } from '../core/membership/leases.js';
import { settingOf } from '../core/model/settings.js';
import type { RequestRecord } from '../core/model/tables.js';
import { formatDuration } from '../core/model/units.js';
import { escapeText } from '../render/format.js';
import { isTerminal, STDERR, writeErr } from '../render/output.js';
import type { ClientHost } from './client-host.js';
import { exclusively, HostMounts, type MountStep } from './host-mounts.js';
import { drivenHost, type MountParts, standing } from './mount-change.js';
import { resting } from './resting.js';
import { type Answered, answerOf, Signals, type WaitEnd, type WaitSight, waitForAnswer } from './write-wait.js';

export interface Granted {
  /** The generation that made the client the writer. */
  since: number;
  waitedMs: number;
  /** The volume is mounted for writing; `record`: nothing is mounted by cfs. */
  mounted: 'agent' | 'here' | 'record';
  steps: MountStep[];
  /** For people. */
  lines: string[];
}

interface Wish {
  volume: string;
  timeoutMs: number;
  isQuiet: boolean;
  /** The generation that the change of the command was made on: a right of then or earlier is older than the command. */
  base: number;
}

export class Requested {
  private readonly startMs: number;
  private readonly signals = new Signals();

  constructor(
    private readonly parts: MountParts,
    private readonly host: ClientHost,
    private readonly wish: Wish,
  ) {
    this.startMs = parts.cluster.store.place.platform.clock.monotonicMs();
  }

  /** Waits for the answer. @throws CfsError REQUEST_DENIED, REQUEST_EXPIRED, REQUEST_WITHDRAWN, INTERRUPTED … */
  async wait(asked: number): Promise<Granted> {
    const { cluster, change } = this.parts;
    const { volume, timeoutMs, isQuiet } = this.wish;
    const { client } = this.host;
    const progress = new WaitLine(isQuiet, (generation) => sinceText(this.parts, generation));
    try {
      const end = await waitForAnswer(cluster, change, this.signals, {
        volume,
        client,
        asked,
        timeoutMs,
        onLook: (sight) => progress.show(volume, sight),
      });
      progress.clear();
      const answer = end.how === 'time over' || end.how === 'interrupted' ? await this.giveUp(asked, end) : end;
      return await this.ended(answer, asked, answer === end ? null : end);
    } finally {
      progress.clear();
      this.signals.end();
    }
  }

  /** Withdraws the request; gives the answer that came in that very moment. @throws CfsError REQUEST_WITHDRAWN, INTERRUPTED */
  private async giveUp(asked: number, end: WaitEnd): Promise<Answered> {
    const { cluster, change } = this.parts;
    const { volume, timeoutMs } = this.wish;
    const { client } = this.host;
    const isTime = end.how === 'time over';
    const why = isTime ? `it waited for ${formatDuration(timeoutMs)}` : 'its command was ended';
    const { value, generation } = await change(endRequests, {
      requests: [{ volume, client, asked, why }],
      response: 'withdrawn',
    });
    const answer = value.ended.length > 0 ? null : answerOf(cluster.snapshot(), volume, client, asked);
    if (answer !== null) return answer;
    const text = `The request of ${client} for ${volume} is withdrawn`;
    if (isTime) {
      throw new CfsError('REQUEST_WITHDRAWN', `${text}: no answer within ${formatDuration(timeoutMs)}`, {
        hint: `Who writes: cfs volume access ${volume}. Ask again with a longer --wait.`,
        details: { volume, client, asked, waitedMs: this.waitedMs(), committed: generation },
      });
    }
    throw new CfsError('INTERRUPTED', `Interrupted; ${lower(text)}`, {
      details: { volume, client, asked, committed: generation },
    });
  }

  private waitedMs(): number {
    return Math.round(this.parts.cluster.store.place.platform.clock.monotonicMs() - this.startMs);
  }

  /** @param late what would have ended the wait, where the answer was faster */
  private async ended(
    answer: Exclude<WaitEnd, { how: 'time over' | 'interrupted' }>,
    asked: number,
    late: WaitEnd | null,
  ): Promise<Granted> {
    const { volume } = this.wish;
    const { client } = this.host;
    switch (answer.how) {
      case 'granted':
        return this.granted(late);
      case 'answered':
        throw this.refused(answer.request, asked);
      case 'passed on':
        throw new CfsError('REQUEST_WITHDRAWN', `${client} could write ${volume}, and has given the right up again`, {
          hint: `Who writes now: cfs volume access ${volume}`,
          details: { volume, client, asked, committed: asked },
        });
      case 'gone':
        throw new CfsError('REQUEST_WITHDRAWN', `The request of ${client} for ${volume} does not stand any more`, {
          hint: `See what was done: cfs history. What waits: cfs volume requests ${volume} --all`,
          details: { volume, client, asked, committed: asked },
        });
    }
  }

  private refused({ response, responseMessage }: RequestRecord, asked: number): CfsError {
    const { volume } = this.wish;
    const { client } = this.host;
    const says = responseMessage === null ? '' : `: ${responseMessage}`;
    const details = { volume, client, asked, message: responseMessage, waitedMs: this.waitedMs(), committed: asked };
    const text = `The request of ${client} for ${volume}`;
    if (response === 'denied') {
      const hint = `Who writes: cfs volume access ${volume}`;
      return new CfsError('REQUEST_DENIED', `${text} was denied${says}`, { hint, details });
    }
    if (response === 'expired') {
      return new CfsError('REQUEST_EXPIRED', `${text} has expired${says}`, {
        hint: 'Ask again, with a longer --limit.',
        details,
      });
    }
    return new CfsError('REQUEST_WITHDRAWN', `${text} was withdrawn${says}`, { hint: 'Ask again.', details });
  }

  /** The client is the writer: the mount follows. @throws CfsError WAIT_TIMEOUT, MOUNT_BUSY, MOUNT_FAILED */
  async granted(late: WaitEnd | null, steps: MountStep[] = []): Promise<Granted> {
    const { cluster } = this.parts;
    const { volume } = this.wish;
    const { client } = this.host;
    const { since } = writerOf(cluster.snapshot(), volume);
    const lines: string[] = [];
    if (late !== null) {
      const what = late.how === 'interrupted' ? 'the command was to end' : 'the time was over';
      lines.push(`It was granted in the very moment in which ${what}.`);
    }
    const mounted = await this.mount(since, steps);
    const waitedMs = this.waitedMs();
    for (const step of steps) lines.push(`Mounted here: ${step.volume}, ${step.from} -> ${step.to}.`);
    lines.push(`${client} may write ${volume} (generation ${since}, waited ${(waitedMs / 1000).toFixed(1)} s).`);
    return { since, waitedMs, mounted, steps, lines };
  }

  private async mount(since: number, steps: MountStep[]): Promise<Granted['mounted']> {
    const { cluster, force } = this.parts;
    const { host } = this;
    if (host.hasAgent) {
      await this.untilMounted(since);
      return 'agent';
    }
    if (drivenHost([host]) === undefined) return 'record';
    await exclusively(cluster, host, async () => {
      const mounts = new HostMounts(host, force);
      await mounts.look();
      await mounts.follow(this.wish.volume, cluster.snapshot());
      steps.push(...mounts.steps);
    }).catch((error: unknown) => {
      throw standing(error, since);
    });
    return 'here';
  }

  /**
   * Its agent says with its lease how far it is. What a lease of before the command says of a right that is older still is no news: its
   * worker may just have been killed, and everything here been made read-only.
   * @throws CfsError WAIT_TIMEOUT, INTERRUPTED
   */
  private async untilMounted(since: number): Promise<void> {
    const { cluster } = this.parts;
    const { platform, paths } = cluster.store.place;
    const { volume, timeoutMs, base } = this.wish;
    const isOld = since <= base;
    const seen = isOld ? (this.host.lease?.seq ?? -1) : -1;
    // Two renewals, where there is to be one.
    const leastMs = Math.max(MOUNT_MS, isOld ? 2 * settingOf(cluster.snapshot(), 'lease.interval') : 0);
    const { client } = this.host;
    const rest = resting(paths.leases);
    this.signals.end();
    this.signals.received = null;
    this.signals.begin(rest.wake);
    try {
      for (;;) {
        const lease = clientLeasesOf(platform, paths.leases).get(client);
        const isNews = lease !== undefined && lease.seq > seen;
        if (isNews && (lease.applied ?? 0) >= since) return;
        const info = lease === undefined || lease.released < since ? null : leaseInfo(platform, paths.leases, lease);
        // Another volume that cannot be mounted is no reason to wait.
        if (isNews && info?.behind?.includes(volume) === false) return;
        const leftMs = Math.max(timeoutMs, leastMs) - this.waitedMs();
        const details = { volume, client, committed: since, problems: info?.problems ?? [] };
        const says = info?.problems.find((problem) => problem.includes(volume));
        const text =
          `${client} may write ${volume} (generation ${since}), but its agent has not mounted it yet` +
          (says === undefined ? '' : `: ${says}`);
        const hint = 'The agent goes on by itself. See what keeps it, on its host: cfs agentd status';
        if (this.signals.received !== null)
          throw new CfsError('INTERRUPTED', `Interrupted; ${text}`, { hint, details });
        if (leftMs <= 0) throw new CfsError('WAIT_TIMEOUT', text, { hint, details });
        await rest.pause(Math.min(100, leftMs));
      }
    } finally {
      rest.end();
      this.signals.end();
    }
  }
}

/** An agent is given so long to mount, however little of --wait is left, ms. */
const MOUNT_MS = 5000;

function lower(text: string): string {
  return `${text[0]!.toLowerCase()}${text.slice(1)}`;
}

/** When the generation was made, by the clock of who made it; empty where it is not kept any more. */
function sinceText({ cluster }: MountParts, generation: number): string {
  try {
    return ` since ${cluster.store.info(generation).time.slice(11, 19)} UTC`;
  } catch (error) {
    if (error instanceof CfsError) return '';
    throw error;
  }
}

/** One line on a terminal: whom it waits for, since when, the place in the queue. */
class WaitLine {
  private shown = '';
  private told = { generation: -1, text: '' };

  constructor(
    private readonly isQuiet: boolean,
    private readonly sinceText: (generation: number) => string,
  ) {}

  show(volume: string, { writer, since, place, length, waitedMs, quietMs, kept }: WaitSight): void {
    if (this.isQuiet || !isTerminal(STDERR)) return;
    if (this.told.generation !== since) this.told = { generation: since, text: this.sinceText(since) };
    const quiet = quietMs < 3000 ? '' : `, quiet for ${Math.round(quietMs / 1000)} s`;
    const whom = writer === null ? 'nobody writes it' : `${writer} writes it${this.told.text}${quiet}`;
    const text = `Waiting for ${volume}, ${Math.round(waitedMs / 1000)} s: ${whom}; place ${place} of ${length}${kept === null ? '' : `; ${kept}`}`;
    if (text === this.shown) return;
    this.shown = text;
    writeErr(`\r${escapeText(text).slice(0, 79)}\u001b[K`);
  }

  clear(): void {
    if (this.shown !== '') writeErr('\r\u001b[K');
    this.shown = '';
  }
}
