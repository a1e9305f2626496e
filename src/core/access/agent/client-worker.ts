/**
 * The worker of a client's agent: renews the client's lease, follows the generations, mounts and unmounts what they say, answers write
 * requests, and sees to other clients that are gone. As core/agent/worker.ts it holds no decision of its own, and is one loop of turns
 * that are synchronous and short; drivers, decisions, programs and hooks run beside it and wake it.
 *
 *   turn:  follow the head -> renew -> look at the clients' leases -> mounts, less first -> what is to be told -> acknowledge -> status
 *
 * Cost when nothing happens: as a node's agent, and nothing depends on how many volumes and clients there are.
 *
 * What may be mounted is desired.ts. Nothing is mounted for writing unless the tables say so, the own lease is fresh (0.7 of its
 * timeout: the supervisor's time), a generation was read so late after the first renewal that a takeover under way would be seen, and
 * one was made after it (logging-on.ts), so that a takeover which takes longer is decided anew.
 */
import { isSituation, messageOf } from '../../agent/guard.js';
import { HeadFollower } from '../../agent/head-follower.js';
import type { StopRequest, WorkerEnd } from '../../agent/options.js';
import { OwnLease } from '../../agent/own-lease.js';
import type { HookEvent } from '../../agent/ports.js';
import { Renewals } from '../../agent/renewals.js';
import { checkFormer, rivalOnThisHost } from '../../agent/startup.js';
import { StatusTeller } from '../../agent/status-teller.js';
import { Troubles } from '../../agent/troubles.js';
import { Waker } from '../../agent/waker.js';
import { clientHolder } from '../../membership/leases.js';
import { quoteName } from '../../model/names.js';
import { settingOf } from '../../model/settings.js';
import type { WriterRecord } from '../../model/tables.js';
import type { Change, Snapshot } from '../../store/store.js';
import { Acknowledging, lostVolume } from './acknowledging.js';
import { Answering } from './answering.js';
import { Asking } from './asking.js';
import { ClientMounts } from './client-mounts.js';
import { ClientView, type VolumeView } from './client-view.js';
import { type ClientWatch, watchOfClient } from './client-watch.js';
import { Ending } from './ending.js';
import { Expiring } from './expiring.js';
import { GivingUp } from './giving-up.js';
import { LoggingOn } from './logging-on.js';
import type { MountStep } from './mount-plan.js';
import { tellAccess } from './notifying.js';
import type { ClientStatus, ClientWorkerOptions } from './ports.js';
import { Refreshing } from './refreshing.js';
import { makeFoundReadOnly } from './start-mounts.js';
import { statusOf } from './status.js';
import { causeOf, type WishOptions, wishesOf } from './wishes.js';
import { WriteMarks } from './write-marks.js';

const HEAD_INTERVAL_MS = 1000;
const JITTER = 0.1;
const LEAST_PAUSE_MS = 1;
/** A hint comes with the first of the names that a commit makes; the generation is there a moment later. */
const HINT_MS = 15;

export class ClientWorker {
  private readonly waker: Waker;
  private readonly follower: HeadFollower;
  private readonly troubles: Troubles;
  private readonly view: ClientView;
  private readonly mounts: ClientMounts;
  private readonly renewals: Renewals;
  private readonly asking: Asking;
  private readonly watch: ClientWatch;
  private readonly marks: WriteMarks;
  private readonly givingUp: GivingUp;
  private readonly answering: Answering;
  private readonly refreshing: Refreshing;
  private readonly expiring: Expiring;
  private readonly loggingOn: LoggingOn;
  private readonly ending: Ending;
  private readonly wishing: WishOptions;
  private readonly teller: StatusTeller<ClientStatus>;
  /** There from the first look at the newest generation on. */
  private snapshot: Snapshot | null = null;
  private headDueMs = 0;
  private headTriedMs = Number.NEGATIVE_INFINITY;
  private headReadMs = Number.NEGATIVE_INFINITY;
  private hintedMs = Number.NEGATIVE_INFINITY;
  private lookDueMs = 0;
  private readonly acknowledging: Acknowledging;
  private alarm: string | null = null;
  /** The generation that an earlier agent has applied, as its last lease says. */
  private formerApplied = 0;
  private ended: WorkerEnd | null = null;

  constructor(private readonly options: ClientWorkerOptions) {
    const { platform, store, client, driver, supervisor, decider, answer, config, log } = options;
    const { clock } = platform;
    const wake = (): void => this.waker.wake();
    const hook = (event: HookEvent, variables: Record<string, string>): void => this.hook(event, variables);
    const decided = (): void => {
      this.headDueMs = 0;
      wake();
    };
    this.waker = new Waker(clock);
    this.troubles = new Troubles(log);
    this.follower = new HeadFollower(store, clock);
    this.view = new ClientView(client);
    this.mounts = new ClientMounts({
      driver,
      supervisor,
      clock,
      log,
      parallelMounts: config.parallelStarts ?? 16,
      parallelGives: config.parallelStops ?? 64,
      generation: () => this.view.generation,
      onStep: (step) => this.tellStep(step),
      wake,
    });
    this.renewals = new Renewals(new OwnLease(store.place, clientHolder(client), config.version), clock, supervisor);
    this.asking = new Asking({ decider, clock, log, decided });
    this.watch = watchOfClient(options, { hook, decided });
    const { view, mounts, asking } = this;
    this.marks = new WriteMarks({ client, driver, asking, clock, wake });
    const { marks } = this;
    const causeOfItem = (item: VolumeView): string => causeOf(item, this.wishing);
    this.givingUp = new GivingUp({ client, view, mounts, marks, asking, causeOf: causeOfItem });
    const { givingUp } = this;
    this.answering = new Answering({ client, view, mounts, marks, givingUp, asking, answer, log, hook, wake });
    this.refreshing = new Refreshing({ client, view, mounts, asking, clock, log, hook });
    const isOld = (item: VolumeView): boolean => this.refreshing.isOlderThanSaid(item);
    this.acknowledging = new Acknowledging({ view, mounts, renewals: this.renewals, isOld });
    this.expiring = new Expiring({ view, asking, clock });
    this.loggingOn = new LoggingOn({ client, host: platform.processes.host(), view, renewals: this.renewals, asking });
    const leave = (): void => void this.troubles.attempt('leave', () => this.renewals.leave());
    this.ending = new Ending({ client, view, mounts, asking, leave, wake });
    this.wishing = { view, mounts, answering: this.answering, ending: this.ending };
    this.teller = new StatusTeller(clock, supervisor);
  }

  /**
   * Works until stopped. @returns how it ended; nothing is mounted for writing here any more then
   * @throws Error when the lease was not renewed in time, or for a bug: the process must exit, and the supervisor fences
   */
  async run(signal: AbortSignal): Promise<WorkerEnd> {
    const onAbort = (): void => this.stop({ drain: false });
    if (signal.aborted) onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
    const unhint = this.options.hint?.(this.options.store.place.paths.manifests, () => {
      this.hintedMs = this.now();
      this.headDueMs = 0;
      this.waker.wake();
    });
    try {
      const elsewhere = await this.start(() => this.ending.isUnderWay);
      if (elsewhere !== null) return { reason: 'elsewhere', says: elsewhere };
      for (;;) {
        this.turn();
        if (this.ended !== null) return this.ended;
        // Never at once: whatever is wrong with a due time, signals and drivers get their turn.
        await this.waker.until(Math.max(this.nextDueMs(), this.now() + LEAST_PAUSE_MS));
      }
    } finally {
      unhint?.();
      signal.removeEventListener('abort', onAbort);
    }
  }

  /**
   * Asks it to end in order: everything is unmounted, the client logged off, and `run` returns. Asked again: programs that keep mounts
   * busy are ended; a third time: what is told to the cluster is not waited for. A client has nothing to drain.
   */
  stop(_request: StopRequest): void {
    if (this.ending.ask()) this.hook('left', {});
    this.waker.wake();
  }

  private async start(isEnding: () => boolean): Promise<string | null> {
    const { options, renewals } = this;
    const who = `client ${options.client}`;
    const rival = await rivalOnThisHost(who, options, renewals, isEnding);
    if (rival !== null) return rival;
    this.mounts.found(await makeFoundReadOnly(options, isEnding));
    const elsewhere = await checkFormer(who, options, renewals, isEnding);
    if (elsewhere === null) this.formerApplied = this.readFormerApplied();
    return elsewhere;
  }

  /** What cannot be read is not known: mounts are made anew then. */
  private readFormerApplied(): number {
    try {
      return this.renewals.lease.former()?.lease.applied ?? 0;
    } catch (error) {
      if (isSituation(error)) return 0;
      throw error;
    }
  }

  private now(): number {
    return this.options.platform.clock.monotonicMs();
  }

  private turn(): void {
    this.renewals.checkFresh(this.mounts.holdsAnything);
    if (this.now() >= this.nextHeadMs()) this.troubles.attempt('read the newest generation', () => this.followHead());
    const { snapshot } = this;
    if (snapshot === null) {
      this.ended = this.ending.unborn();
      return;
    }
    if (this.renewals.isDue()) this.troubles.attempt('renew the lease', () => this.renew());
    if (this.now() >= this.lookDueMs) this.troubles.attempt('look at the leases', () => this.look(snapshot));
    this.mounts.step(wishesOf(this.wishing), (step) => this.obstacle(step));
    if (!this.ending.isUnderWay) this.mounts.survey(settingOf(snapshot, 'lease.interval'));
    if (this.alarm === null) this.tell(snapshot);
    this.acknowledging.step(this.ending.isUnderWay);
    if (this.renewals.isBehind()) this.troubles.attempt('renew the lease', () => this.renew());
    this.ended = this.ending.step();
    this.tellStatus();
  }

  private followHead(): void {
    const { platform, config } = this.options;
    const beganMs = this.now();
    this.headTriedMs = beganMs;
    const intervalMs = config.headIntervalMs ?? HEAD_INTERVAL_MS;
    this.headDueMs = beganMs + intervalMs * (1 + JITTER * (2 * platform.random.fraction() - 1));
    if (beganMs < this.hintedMs + HINT_MS) this.headDueMs = this.hintedMs + HINT_MS;
    const news = this.follower.look();
    if (news.kind === 'alarm') {
      this.raise(news.says);
      // What this client acknowledged is of another history: nobody could tell by it what is mounted here.
      if (news.isOtherHistory) throw new Error(`${news.says}: what is mounted here for writing is given up`);
      return;
    }
    if (this.alarm !== null) this.options.log.info({}, 'the database is sound again');
    this.alarm = null;
    this.headReadMs = beganMs;
    this.renewals.headWasRead(beganMs);
    if (news.kind === 'same') return;
    const { snapshot } = news;
    const isFirst = this.snapshot === null;
    this.snapshot = snapshot;
    this.renewals.follow(snapshot);
    this.expiring.changed();
    if (news.kind === 'resync') {
      this.view.reset(snapshot);
      // What was found at the start is what the tables say of it, as far as an earlier agent has acknowledged that it saw to it.
      for (const { volume, refreshed } of isFirst ? this.view.volumes.values() : []) {
        if (refreshed <= this.formerApplied) this.mounts.shows(volume, refreshed);
      }
    } else {
      const changes = news.steps.flatMap((step) => step.changes);
      this.view.apply(snapshot, changes);
      for (const step of news.steps) this.seeOwnWriting(step);
      const { client, log } = this.options;
      const { view } = this;
      tellAccess({ client, view, log, hook: (event, variables) => this.hook(event, variables) }, changes);
    }
  }

  /** Nobody else could write until the generation that passed the right on: a mount that followed the right shows that one. */
  private seeOwnWriting({ generation, changes }: { generation: number; changes: readonly Change[] }): void {
    for (const { table, name, before, after } of changes) {
      const right = before as WriterRecord | null;
      if (table !== 'writers' || right?.writer !== this.options.client) continue;
      const hasPassed = (after as WriterRecord | null)?.writer !== this.options.client;
      if (hasPassed && this.mounts.shownAt(name) >= right.since) this.mounts.shows(name, generation);
    }
  }

  private raise(says: string): void {
    if (this.alarm === says) return;
    this.alarm = says;
    this.options.log.error({ generation: this.view.generation }, `alarm: ${says}`);
    this.hook('alarm', { CFS_REASON: says });
  }

  private renew(): void {
    // Another one may write what is still mounted for writing here and cannot be helped: the supervisor must fence.
    const lost = lostVolume(this.view, this.mounts);
    if (lost !== null) {
      this.renewals.mute();
      this.troubles.set(
        'give',
        `volume ${lost} is not this client's to write, and cannot be made read-only: the lease is let go`,
      );
      return;
    }
    this.renewals.renew(this.problems(), this.acknowledging.behind);
  }

  private look(snapshot: Snapshot): void {
    const intervalMs = settingOf(snapshot, 'lease.interval');
    this.lookDueMs = this.now() + intervalMs;
    const { client } = this.options;
    const mayAsk = this.alarm === null && !this.ending.isUnderWay && this.renewals.isLive();
    const own = this.watch.look(snapshot, mayAsk && !this.isBehind()).get(client);
    this.lookDueMs = Math.min(this.lookDueMs, this.now() + this.watch.untilLapse());
    if (own === undefined || this.renewals.rivalIn(new Map([[own.node, own]])) === null) return;
    const says = `another agent of client ${client} renews its lease`;
    if (!this.ending.giveWay(says)) return;
    this.options.log.error({}, `${says}: this one makes everything read-only and ends`);
    this.renewals.mute();
  }

  /** A lease acknowledges a generation that was not read here: it is read next, or the directory was set back. */
  private isBehind(): boolean {
    if (this.watch.mostReleased() <= this.view.generation) return false;
    if (this.headReadMs <= this.watch.lastLookMs) this.headDueMs = 0;
    return true;
  }

  private obstacle({ volume, kind }: MountStep): string | null {
    if (this.alarm !== null) return 'nothing is mounted until the database was looked at';
    if (kind !== 'take') return null;
    if (this.givingUp.holds(volume)) return 'the right to write it is being given up';
    if (!this.loggingOn.isSettled) return 'whether this client was found gone is being asked';
    if (this.isBehind()) {
      const says = `a lease acknowledges generation ${this.watch.mostReleased()}, the newest here is ${this.view.generation}`;
      return `${says}; if this stays, the directory was set back: end all agents, remove what is in leases/, start them again`;
    }
    return this.renewals.startObstacle();
  }

  /** Everything that is to be told to the cluster by what was read and done so far. */
  private tell(snapshot: Snapshot): void {
    const { generation } = this.view;
    if (!this.renewals.isLive() || this.ending.isUnderWay) return;
    this.loggingOn.step(generation);
    // What this host has mounted says nothing of the rights then.
    if (this.view.mountingHost !== null) return;
    this.givingUp.step(generation);
    this.answering.step(generation);
    // An answer that was agreed on a moment ago is a wish of this turn.
    this.mounts.step(wishesOf(this.wishing), (step) => this.obstacle(step));
    this.expiring.step(generation);
    this.refreshing.step(generation);
    const rights = new Map<string, number>();
    for (const { volume, since, isWriter } of this.view.volumes.values()) if (isWriter) rights.set(volume, since);
    const isWriting = (volume: string, since: number): boolean => this.mounts.isWriting(volume, since);
    this.marks.step(rights, isWriting, { intervalMs: settingOf(snapshot, 'lease.interval'), generation });
  }

  private nextDueMs(): number {
    if (this.snapshot === null) return this.headDueMs;
    return Math.min(
      this.nextHeadMs(),
      this.lookDueMs,
      this.renewals.nextDueMs(),
      this.mounts.nextRetryMs(),
      this.asking.nextRetryMs(),
      this.expiring.nextDueMs(),
      this.refreshing.nextDueMs(),
      this.marks.nextDueMs(),
      this.teller.nextDueMs(),
    );
  }

  /** As usual; and once when mounts are waiting for it, unless that was tried already. */
  private nextHeadMs(): number {
    const wantedMs = this.renewals.headDueMs();
    return wantedMs > this.headTriedMs ? Math.min(this.headDueMs, wantedMs) : this.headDueMs;
  }

  private problems(): string[] {
    const own: string[] = this.alarm === null ? [] : [this.alarm];
    if (this.snapshot !== null && !this.view.isKnown) {
      own.push(
        `the cluster has no client ${quoteName(this.options.client)}: was it removed? (cfs client list; cfs client add)`,
      );
    }
    return [
      ...own,
      ...this.troubles.says(),
      ...this.mounts.problems(),
      ...this.asking.problems(),
      ...this.refreshing.problems(),
      ...this.marks.problems(),
      ...this.watch.problems(),
    ];
  }

  private tellStatus(): void {
    this.teller.tell(() => {
      const news = {
        client: this.options.client,
        generation: this.view.generation,
        ...this.renewals.acknowledged(),
        isLoggedOn: this.view.isLoggedOn,
        volumes: statusOf(this.view, this.mounts),
        problems: this.problems(),
      };
      return { news, status: () => ({ ...news, leaseSeq: this.renewals.seq }) };
    });
  }

  private tellStep({ volume, to, epoch }: MountStep): void {
    if (to === 'none') this.hook('unmounted', { CFS_VOLUME: volume });
    else this.hook('mounted', { CFS_VOLUME: volume, CFS_MODE: to, CFS_EPOCH: to === 'rw' ? String(epoch) : '' });
  }

  private hook(event: HookEvent, variables: Record<string, string>): void {
    const { hooks, log } = this.options;
    hooks.run(event, variables).catch((error: unknown) => {
      log.error({ event }, `the hooks of ${event} failed: ${messageOf(error)}`);
    });
  }
}
