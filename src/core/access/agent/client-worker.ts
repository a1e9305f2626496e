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
 * one was made after it (`logon`), so that a takeover which takes longer is decided anew.
 */
import { messageOf } from '../../agent/guard.js';
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
import { Answering } from './answering.js';
import { Asking } from './asking.js';
import { ClientMounts, type Wish } from './client-mounts.js';
import { ClientView, type VolumeView } from './client-view.js';
import { ClientWatch } from './client-watch.js';
import { Expiring } from './expiring.js';
import { GivingUp } from './giving-up.js';
import type { MountStep } from './mount-plan.js';
import { tellAccess } from './notifying.js';
import type { ClientStatus, ClientWorkerOptions } from './ports.js';
import { Refreshing } from './refreshing.js';
import { makeFoundReadOnly } from './start-mounts.js';
import { statusOf } from './status.js';
import { WriteMarks } from './write-marks.js';

const HEAD_INTERVAL_MS = 1000;
const JITTER = 0.1;
const LEAST_PAUSE_MS = 1;
/** A hint comes with the first of the names that a commit makes; the generation is there a moment later. */
const HINT_MS = 15;

interface Ending {
  reason: WorkerEnd['reason'];
  says: string;
  /** Asked for twice: programs that keep mounts busy are ended. */
  force: boolean;
  /** Asked for once more: it does not wait until it is logged off. */
  isHurried: boolean;
  logoff: 'no' | 'asked' | 'done';
}

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
  private readonly teller: StatusTeller<ClientStatus>;
  /** There from the first look at the newest generation on. */
  private snapshot: Snapshot | null = null;
  private headDueMs = 0;
  private headTriedMs = Number.NEGATIVE_INFINITY;
  private headReadMs = Number.NEGATIVE_INFINITY;
  private hintedMs = Number.NEGATIVE_INFINITY;
  private lookDueMs = 0;
  private alarm: string | null = null;
  /** It has been logged on since this agent came up: who logs it off then means it. */
  private wasLoggedOn = false;
  private ending: Ending | null = null;
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
    this.watch = new ClientWatch({
      platform,
      dir: store.place.paths.leases,
      by: `client ${client}`,
      self: client,
      decide: async (request) => (await decider.decide('clients-lapsed', request)).value as never,
      fencing: () => this.options.fencing,
      log,
      hook,
      decided,
    });
    const { view, mounts, asking } = this;
    this.marks = new WriteMarks({ client, driver, asking, clock, wake });
    const { marks } = this;
    const causeOf = (item: VolumeView): string => this.causeOf(item);
    this.givingUp = new GivingUp({ client, view, mounts, marks, asking, causeOf });
    const { givingUp } = this;
    this.answering = new Answering({ client, view, mounts, marks, givingUp, asking, answer, log, hook, wake });
    this.refreshing = new Refreshing({ client, view, mounts, asking, clock, log, hook });
    this.expiring = new Expiring({ view, asking, clock });
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
      const elsewhere = await this.start(() => this.ending !== null);
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
    if (this.ending === null) {
      this.ending = { reason: 'stopped', says: 'stopped in order', force: false, isHurried: false, logoff: 'no' };
      this.hook('left', {});
    } else {
      this.ending.isHurried = this.ending.force;
      this.ending.force = true;
    }
    this.waker.wake();
  }

  private async start(isEnding: () => boolean): Promise<string | null> {
    const { options, renewals } = this;
    const who = `client ${options.client}`;
    const rival = await rivalOnThisHost(who, options, renewals, isEnding);
    if (rival !== null) return rival;
    this.mounts.found(await makeFoundReadOnly(options, isEnding));
    return checkFormer(who, options, renewals, isEnding);
  }

  private now(): number {
    return this.options.platform.clock.monotonicMs();
  }

  private turn(): void {
    this.renewals.checkFresh(this.mounts.holdsAnything);
    if (this.now() >= this.nextHeadMs()) this.troubles.attempt('read the newest generation', () => this.followHead());
    const { snapshot } = this;
    if (snapshot === null) {
      if (this.ending !== null) this.ended = { reason: 'stopped', says: this.ending.says };
      return;
    }
    if (this.renewals.isDue()) this.troubles.attempt('renew the lease', () => this.renew());
    if (this.now() >= this.lookDueMs) this.troubles.attempt('look at the leases', () => this.look(snapshot));
    this.mounts.step(this.wishes(), (step) => this.obstacle(step));
    if (this.alarm === null) this.tell(snapshot);
    this.acknowledge();
    if (this.renewals.isBehind()) this.troubles.attempt('renew the lease', () => this.renew());
    this.end();
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
      // What was found at the start is what the tables say of it: an earlier agent saw to that.
      if (isFirst) for (const { volume, refreshed } of this.view.volumes.values()) this.mounts.shows(volume, refreshed);
    } else {
      const changes = news.steps.flatMap((step) => step.changes);
      this.view.apply(snapshot, changes);
      for (const step of news.steps) this.seeOwnWriting(step);
      const { client, log } = this.options;
      const { view } = this;
      tellAccess({ client, view, log, hook: (event, variables) => this.hook(event, variables) }, changes);
    }
    if (this.view.isLoggedOn) this.wasLoggedOn = true;
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
    for (const [volume, { epoch }] of this.mounts.writable()) {
      const item = this.view.volumes.get(volume);
      if (item?.isWriter === true && item.since === epoch) continue;
      if (this.mounts.whyOf(volume) === null || this.mounts.isBusy(volume)) continue;
      this.renewals.mute();
      this.troubles.set(
        'give',
        `volume ${volume} cannot be made read-only, and is not this client's to write: the lease is let go`,
      );
      return;
    }
    this.renewals.renew(this.problems());
  }

  private look(snapshot: Snapshot): void {
    const intervalMs = settingOf(snapshot, 'lease.interval');
    this.lookDueMs = this.now() + intervalMs;
    const { client } = this.options;
    const mayAsk = this.alarm === null && this.ending === null && this.renewals.isLive();
    const own = this.watch.look(snapshot, mayAsk && !this.isBehind()).get(client);
    this.lookDueMs = Math.min(this.lookDueMs, this.now() + this.watch.untilLapse());
    if (own === undefined || this.renewals.rivalIn(new Map([[own.node, own]])) === null) return;
    if (this.ending?.reason === 'elsewhere') return;
    const says = `another agent of client ${client} renews its lease`;
    this.options.log.error({}, `${says}: this one makes everything read-only and ends`);
    this.ending = { reason: 'elsewhere', says, force: true, isHurried: true, logoff: 'done' };
    this.renewals.mute();
  }

  /** A lease acknowledges a generation that was not read here: it is read next, or the directory was set back. */
  private isBehind(): boolean {
    if (this.watch.mostReleased() <= this.view.generation) return false;
    if (this.headReadMs <= this.watch.lastLookMs) this.headDueMs = 0;
    return true;
  }

  private wishes(): Map<string, Wish> {
    const wishes = new Map<string, Wish>();
    const { ending } = this;
    for (const item of this.view.volumes.values()) {
      const { volume, since: epoch, isWriter, softwareLock, yields, desired } = item;
      const cause = this.causeOf(item);
      const wish = { epoch, isWriter, softwareLock, cause };
      if (ending !== null) wishes.set(volume, { ...wish, ...this.lastWish(volume) });
      else if (desired === 'rw' && this.answering.causeOf(volume) !== null) {
        wishes.set(volume, { ...wish, mode: 'ro', force: false });
      } else wishes.set(volume, { ...wish, mode: desired, force: yields?.force ?? false });
    }
    if (ending === null) return wishes;
    for (const volume of this.mounts.volumes()) {
      if (wishes.has(volume)) continue;
      wishes.set(volume, { epoch: 0, isWriter: false, softwareLock: true, cause: 'end', ...this.lastWish(volume) });
    }
    return wishes;
  }

  /** Of an agent that ends: another one of its name is left what is read-only. */
  private lastWish(volume: string): Pick<Wish, 'mode' | 'force'> {
    const { reason, force } = this.ending!;
    const isLeft = reason === 'elsewhere' && this.mounts.stateOf(volume).mode !== 'none';
    return { mode: isLeft ? 'ro' : 'none', force };
  }

  private causeOf({ volume, yields, desired, since }: VolumeView): string {
    if (this.ending !== null) return this.ending.force ? 'end!' : 'end';
    const answer = this.answering.causeOf(volume);
    if (answer !== null) return answer;
    if (yields === null) return `${desired}@${since}`;
    const asked = this.view.requests.get(`${volume}/${yields.to}`)?.asked ?? 0;
    return `yield ${yields.to}@${asked}${yields.force ? '!' : ''}`;
  }

  private obstacle({ volume, kind }: MountStep): string | null {
    if (this.alarm !== null) return 'nothing is mounted until the database was looked at';
    if (kind !== 'take') return null;
    if (this.givingUp.holds(volume)) return 'the right to write it is being given up';
    if (this.view.former < this.formerLease()) return 'whether this client was found gone is being asked';
    if (this.isBehind()) {
      const most = this.watch.mostReleased();
      return (
        `a lease acknowledges generation ${most}, and the newest here is ${this.view.generation}; if this stays, the directory was ` +
        'set back: end all agents, remove what is in leases/, start them again'
      );
    }
    return this.renewals.startObstacle();
  }

  /** Everything that is to be told to the cluster by what was read and done so far. */
  private tell(snapshot: Snapshot): void {
    const { generation } = this.view;
    if (!this.renewals.isLive() || this.ending !== null) return;
    this.logon(generation);
    this.givingUp.step(generation);
    this.answering.step(generation);
    // An answer that was agreed on a moment ago is a wish of this turn.
    this.mounts.step(this.wishes(), (step) => this.obstacle(step));
    this.expiring.step(generation);
    this.refreshing.step(generation);
    const rights = new Map<string, number>();
    for (const { volume, since, isWriter } of this.view.volumes.values()) if (isWriter) rights.set(volume, since);
    const isWriting = (volume: string, since: number): boolean => this.mounts.isWriting(volume, since);
    this.marks.step(rights, isWriting, { intervalMs: settingOf(snapshot, 'lease.interval'), generation });
  }

  /**
   * Logs on: once at the start, and whenever it was found gone meanwhile; and says by it that leases before this row of renewals mean
   * nothing any more. That generation is what makes it safe to write: whoever found the client gone by such a lease, and has not
   * committed that yet, has to decide anew and leaves it alone, however long the commit was under way.
   */
  private logon(generation: number): void {
    const { view, asking } = this;
    const { client } = this.options;
    if (!view.isKnown || !asking.isIdle || !asking.mayAsk('client-logon', generation)) return;
    const lease = this.formerLease();
    const mustLogOn = view.isLoggedOn ? view.former < lease : !this.wasLoggedOn || view.wasFoundGone;
    if (mustLogOn) void asking.ask('client-logon', { client, ...(lease < 1 ? {} : { lease }) });
  }

  /** The last lease before the unbroken row of renewals that goes on; -1: there was none. */
  private formerLease(): number {
    const former = this.renewals.firstSeq - 1;
    return former < 1 ? -1 : former;
  }

  private acknowledge(): void {
    const { view, mounts } = this;
    for (const [volume, { epoch }] of mounts.writable()) {
      const item = view.volumes.get(volume);
      if (item?.desired !== 'rw' || item.since !== epoch) return;
    }
    this.renewals.released(view.generation);
    if (!mounts.isIdle || this.ending !== null) return;
    for (const item of view.volumes.values()) {
      const { volume, desired, since } = item;
      const { mode, epoch } = mounts.stateOf(volume);
      if (mode !== desired || (mode === 'rw' && epoch !== since) || this.refreshing.isOlderThanSaid(item)) return;
    }
    for (const volume of mounts.volumes()) if (!view.volumes.has(volume)) return;
    this.renewals.applied(view.generation);
  }

  /** Brings the end nearer, once it was asked for. */
  private end(): void {
    const { ending, mounts } = this;
    if (ending === null) return;
    if (ending.reason === 'elsewhere') {
      if (!mounts.holdsAnything && mounts.isIdle) this.ended = { reason: 'elsewhere', says: ending.says };
      return;
    }
    if (!mounts.isIdle || [...mounts.volumes()].length > 0) return;
    if (ending.logoff === 'no') {
      ending.logoff = this.mustLogOff() ? 'asked' : 'done';
      if (ending.logoff === 'asked') void this.logoff(ending);
    }
    // Where it could not be done, the others do it by the last lease.
    if (ending.logoff === 'asked' && !ending.isHurried) return;
    this.troubles.attempt('leave', () => this.renewals.leave());
    this.ended = { reason: ending.reason, says: ending.says };
  }

  private mustLogOff(): boolean {
    const writes = [...this.view.volumes.values()].some(({ isWriter }) => isWriter);
    return this.view.isKnown && (this.view.isLoggedOn || writes);
  }

  private async logoff(ending: Ending): Promise<void> {
    const { client } = this.options;
    await this.asking.ask('client-logoff', { client, readOnly: true, reason: 'its agent ended' });
    ending.logoff = 'done';
    this.waker.wake();
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
