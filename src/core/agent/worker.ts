/**
 * The agent's worker: renews this node's lease, follows the generations, stops and starts what they take and give, and sees
 * to what the cluster needs done (duties.ts). It holds no decision of its own: it asks for the operations that commands run.
 *
 * One loop of turns. A turn is synchronous, as the store is, and short; whatever takes long (drivers, decisions, fencing, hooks)
 * runs beside it and wakes it when it ends. So renewals keep their cadence whatever else goes on.
 *
 *   turn:  follow the head -> renew -> look at the others -> stop and start -> renew at once if more is acknowledged -> status
 *
 * Cost when nothing happens: per second one or two look-ups by name; per lease interval one listing of leases/, one of joins/, one
 * creation, one removal. Nothing depends on the number of volumes.
 *
 * Who may run what is ownership.ts. The promise of one owner needs the supervisor as well: it stops what runs here when no
 * renewal was reported for 0.7 x lease.timeout (ports.ts).
 */
import { stateOf } from '../membership/states.js';
import { quoteName } from '../model/names.js';
import { settingOf } from '../model/settings.js';
import type { NodeState } from '../model/tables.js';
import type { Snapshot } from '../store/store.js';
import { Duties } from './duties.js';
import { messageOf } from './guard.js';
import { HeadFollower } from './head-follower.js';
import { Holdings } from './holdings.js';
import { Housekeeping } from './housekeeping.js';
import { tellMembership } from './membership-news.js';
import type { StopRequest, WorkerEnd, WorkerOptions } from './options.js';
import { OwnLease } from './own-lease.js';
import { Peers } from './peers.js';
import { PlacementsView } from './placements-view.js';
import type { AgentStatus, HookEvent } from './ports.js';
import { Renewals } from './renewals.js';
import { checkFormer, rivalOnThisHost, stopWhatIsFound } from './startup.js';
import { StatusTeller } from './status-teller.js';
import { Troubles } from './troubles.js';
import { Waker } from './waker.js';

const HEAD_INTERVAL_MS = 1000;
const JITTER = 0.1;
const LEAST_PAUSE_MS = 1;
/** A hint comes with the first of the names that a commit makes; the generation is there a moment later. */
const HINT_MS = 15;
const STATES_WITH_VOLUMES: readonly NodeState[] = ['online', 'suspect', 'standby'];

export class Worker {
  private readonly waker: Waker;
  private readonly follower: HeadFollower;
  private readonly view: PlacementsView;
  private readonly holdings: Holdings;
  private readonly renewals: Renewals;
  private readonly housekeeping: Housekeeping;
  private readonly teller: StatusTeller<AgentStatus>;
  /** There from the first look at the newest generation on. */
  private snapshot: Snapshot | null = null;
  private peers: Peers | null = null;
  private duties: Duties | null = null;
  private headDueMs = 0;
  private headTriedMs = Number.NEGATIVE_INFINITY;
  private headReadMs = Number.NEGATIVE_INFINITY;
  private lookDueMs = 0;
  /** The database went back or is damaged: what runs goes on, nothing is started or decided. */
  private alarm: string | null = null;
  /** The cluster has no node of this name (any more). */
  private isUnknown = false;
  private readonly troubles: Troubles;
  private ending: { drain: boolean; isLeaving: boolean; reason: WorkerEnd['reason']; says: string } | null = null;
  private ended: WorkerEnd | null = null;

  constructor(private readonly options: WorkerOptions) {
    const { platform, store, node, driver, supervisor, config, log } = options;
    this.waker = new Waker(platform.clock);
    this.troubles = new Troubles(log);
    this.follower = new HeadFollower(store, platform.clock);
    this.view = new PlacementsView(node);
    this.holdings = new Holdings({
      driver,
      supervisor,
      log,
      clock: platform.clock,
      parallelStarts: config.parallelStarts ?? 16,
      parallelStops: config.parallelStops ?? 64,
      wake: () => this.waker.wake(),
      onEvent: (event, { volume, epoch }, why) => {
        this.hook(event, {
          CFS_VOLUME: volume,
          CFS_EPOCH: String(epoch),
          ...(why === null ? {} : { CFS_REASON: why }),
        });
      },
    });
    const lease = new OwnLease(store.place, node, config.version);
    this.renewals = new Renewals(lease, platform.clock, supervisor);
    this.housekeeping = new Housekeeping(options, (event, variables) => this.hook(event, variables));
    this.teller = new StatusTeller(platform.clock, supervisor);
  }

  /**
   * Works until stopped. @returns how it ended; nothing runs here any more then
   * @throws Error when the lease was not renewed in time, or for a bug: the process must exit, and the supervisor fences
   */
  async run(signal: AbortSignal): Promise<WorkerEnd> {
    const onAbort = (): void => this.stop({ drain: false });
    if (signal.aborted) onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
    const unhint = this.options.hint?.(this.options.store.place.paths.manifests, () => {
      this.headDueMs = Math.min(this.headDueMs, this.now() + HINT_MS);
      this.waker.wake();
    });
    const who = `node ${this.options.node}`;
    try {
      const rival = await rivalOnThisHost(who, this.options, this.renewals, () => this.ending !== null);
      if (rival !== null) return { reason: 'elsewhere', says: rival };
      await stopWhatIsFound(this.options, () => this.ending !== null);
      const elsewhere = await checkFormer(who, this.options, this.renewals, () => this.ending !== null);
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

  /** Asks it to end in order; `run` then returns. With `drain` the volumes are given to others first. */
  stop({ drain }: StopRequest): void {
    if (this.ending !== null) {
      if (!drain) this.ending.drain = false;
    } else {
      this.ending = { drain, isLeaving: false, reason: 'stopped', says: 'stopped in order' };
      this.hook('left', {});
    }
    this.waker.wake();
  }

  private now(): number {
    return this.options.platform.clock.monotonicMs();
  }

  private turn(): void {
    this.renewals.checkFresh(!this.holdings.isEmpty);
    // Somebody else may have done meanwhile what this agent is about to ask for.
    if (this.now() >= this.nextHeadMs() || this.duties?.isDue())
      this.attempt('read the newest generation', () => this.followHead());
    const { snapshot, peers } = this;
    if (snapshot === null || peers === null) {
      this.endUnborn();
      return;
    }
    if (this.renewals.isDue()) this.attempt('renew the lease', () => this.renew(snapshot));
    if (this.now() >= this.lookDueMs) this.attempt('look at the leases', () => this.look(snapshot, peers));
    if (this.duties?.isDue()) this.attempt('look at what is to be done', () => this.ask(snapshot, peers));
    this.own(snapshot, peers);
    if (this.renewals.isBehind()) this.attempt('renew the lease', () => this.renew(snapshot));
    this.end();
    this.tellStatus(snapshot, peers);
  }

  private attempt(what: string, work: () => void): void {
    this.troubles.attempt(what, work);
  }

  private followHead(): void {
    const { platform, config } = this.options;
    const beganMs = this.now();
    this.headTriedMs = beganMs;
    const intervalMs = config.headIntervalMs ?? HEAD_INTERVAL_MS;
    this.headDueMs = beganMs + intervalMs * (1 + JITTER * (2 * platform.random.fraction() - 1));
    const news = this.follower.look();
    if (news.kind === 'alarm') {
      this.raise(news.says);
      // What this node acknowledged is of another history: nobody could tell by it what runs here.
      if (news.isOtherHistory) throw new Error(`${news.says}: what runs here is given up`);
      return;
    }
    if (this.alarm !== null) this.options.log.info({}, 'the database is sound again');
    this.alarm = null;
    this.headReadMs = beganMs;
    this.renewals.headWasRead(beganMs);
    if (news.kind === 'same') return;
    this.take(news.snapshot);
    if (news.kind === 'resync') {
      this.view.reset(news.snapshot);
      return;
    }
    for (const { generation, changes } of news.steps) {
      this.view.apply(generation, changes);
      const { node, log } = this.options;
      tellMembership({ node, log, hook: (event, variables) => this.hook(event, variables) }, generation, changes);
    }
  }

  private take(snapshot: Snapshot): void {
    const { platform, store, node } = this.options;
    this.snapshot = snapshot;
    const isUnknown = !snapshot.table('nodes').has(node);
    if (isUnknown && !this.isUnknown) this.options.log.warn({}, unknownNode(node));
    this.isUnknown = isUnknown;
    this.renewals.follow(snapshot);
    this.peers ??= new Peers(platform, store.place.paths.leases, node, snapshot);
    this.peers.follow(snapshot);
    this.duties ??= new Duties(this.options, {
      peers: this.peers,
      hook: (event, variables) => this.hook(event, variables),
      decided: () => {
        this.headDueMs = 0;
        this.waker.wake();
      },
    });
  }

  private raise(says: string): void {
    if (this.alarm === says) return;
    this.alarm = says;
    this.options.log.error({ generation: this.view.generation }, `alarm: ${says}`);
    this.hook('alarm', { CFS_REASON: says });
  }

  private renew(snapshot: Snapshot): void {
    const unwantedMs = this.holdings.longestUnwantedMs();
    const limitMs = settingOf(snapshot, 'apply.timeout');
    if (unwantedMs >= limitMs) {
      // Others count on what they watch: a node that cannot stop something must go quiet, so that its supervisor fences.
      this.renewals.mute();
      this.troubles.set(
        'stop',
        `something could not be stopped for ${Math.round(limitMs / 1000)} s; the lease is let go`,
      );
      return;
    }
    const { isDiskFull } = this.renewals.renew(this.problems());
    if (isDiskFull) this.housekeeping.diskIsFull();
    else this.housekeeping.diskHasSpace();
  }

  private look(snapshot: Snapshot, peers: Peers): void {
    const intervalMs = settingOf(snapshot, 'lease.interval');
    this.lookDueMs = this.now() + (this.holdings.isWaiting ? Math.max(intervalMs / 4, 100) : intervalMs);
    const leases = peers.look();
    // Not a whole interval later than it can be known that a node is gone.
    this.lookDueMs = Math.min(this.lookDueMs, this.now() + peers.untilLapse(intervalMs));
    const rival = this.renewals.rivalIn(leases);
    if (rival !== null) this.giveWay();
    this.view.moves.forget(Math.min(peers.leastReleased(), this.view.generation));
    if (this.mayDecide()) {
      this.duties?.look(snapshot);
      this.options.clients?.look(snapshot);
    }
    this.housekeeping.look(snapshot, peers);
  }

  /** What was found a moment ago is looked at once more before it is asked for. */
  private ask(snapshot: Snapshot, peers: Peers): void {
    this.duties?.forgo();
    peers.look();
    if (this.mayDecide()) this.duties?.ask(snapshot);
  }

  private mayDecide(): boolean {
    if (this.alarm !== null || this.ending !== null || !this.renewals.isLive()) return false;
    return this.peers !== null && this.peers.mostReleased() <= this.view.generation;
  }

  /** Another agent has this node's name, and it was started later. */
  private giveWay(): void {
    const says = `another agent of node ${this.options.node} renews its lease`;
    if (this.ending?.reason === 'elsewhere') return;
    this.options.log.error({}, `${says}: this one stops everything and ends`);
    this.ending = { drain: false, isLeaving: false, reason: 'elsewhere', says };
    this.renewals.mute();
  }

  /** Stops what is not ours, starts what is; then what can be acknowledged. */
  private own(snapshot: Snapshot, peers: Peers): void {
    const isMember = STATES_WITH_VOLUMES.includes(stateOf(snapshot, this.options.node));
    const given = this.view.desired(isMember && snapshot.table('nodes').has(this.options.node));
    const isStopping = this.ending !== null && !this.ending.drain;
    const desired: ReadonlyMap<string, number> = isStopping ? new Map() : given;
    // Who is clear must be judged by leases that are not older than the generation (see `recorded` in ownership.ts).
    const isStale = peers.lastLookMs < this.headReadMs && !this.holdings.hasAll(desired);
    if (isStale) this.attempt('look at the leases', () => peers.look());
    this.holdings.step(desired, (volume, epoch) => this.obstacle(volume, epoch, peers));
    if (this.holdings.hasReleased(given)) this.renewals.released(this.view.generation);
    if (!isStopping && this.holdings.hasApplied(given)) this.renewals.applied(this.view.generation);
  }

  private obstacle(volume: string, epoch: number, peers: Peers): string | null {
    if (this.alarm !== null) return 'nothing is started until the database was looked at';
    if (peers.mostReleased() > this.view.generation) return this.behind(peers);
    if (peers.lastLookMs < this.headReadMs) return 'the leases cannot be read';
    if (!peers.hasLookedTwice) return 'this agent came up a moment ago';
    const own = this.renewals.startObstacle();
    if (own !== null) return own;
    const nodes = peers.inTheWay(volume, epoch, this.view.moves);
    if (nodes.length === 0) return null;
    return `node ${nodes.slice(0, 3).join(', ')} may still run it`;
  }

  /**
   * A lease acknowledges a generation that was not read here: it is read next. Where it is not there even then, somebody set
   * the directory back, and the leases are of another history: they say nothing of who runs what.
   */
  private behind(peers: Peers): string {
    if (this.headReadMs <= peers.lastLookMs) this.headDueMs = 0;
    return (
      `a lease acknowledges generation ${peers.mostReleased()}, and the newest here is ${this.view.generation}; if this stays, ` +
      'the directory was set back: end all agents, remove what is in leases/, start them again'
    );
  }

  /** Brings the end nearer, once it was asked for. */
  private end(): void {
    const { ending } = this;
    if (ending === null) return;
    if (ending.drain) {
      if (ending.isLeaving) return;
      ending.isLeaving = true;
      // A refusal (frozen, not a member) or a failure ends the draining, not the ending.
      void this.duties?.leave().finally(() => {
        ending.drain = false;
        this.headDueMs = 0;
        this.waker.wake();
      });
      return;
    }
    if (!this.holdings.isEmpty) return;
    if (ending.reason === 'stopped') this.attempt('leave', () => this.renewals.leave());
    this.ended = { reason: ending.reason, says: ending.says };
  }

  /** Asked to end before anything was begun. */
  private endUnborn(): void {
    if (this.ending !== null && this.holdings.isEmpty) this.ended = { reason: 'stopped', says: this.ending.says };
  }

  private nextDueMs(): number {
    if (this.snapshot === null) return this.headDueMs;
    return Math.min(
      this.nextHeadMs(),
      this.lookDueMs,
      this.renewals.nextDueMs(),
      this.duties?.nextDueMs() ?? Number.POSITIVE_INFINITY,
      this.holdings.nextRetryMs(),
      this.teller.nextDueMs(),
    );
  }

  /** As usual; and once when starts are waiting for it, unless that was tried already. */
  private nextHeadMs(): number {
    const wantedMs = this.renewals.headDueMs();
    return wantedMs > this.headTriedMs ? Math.min(this.headDueMs, wantedMs) : this.headDueMs;
  }

  private problems(): string[] {
    const alarm = this.alarm === null ? [] : [this.alarm];
    if (this.isUnknown) alarm.push(unknownNode(this.options.node));
    return [
      ...alarm,
      ...this.troubles.says(),
      ...this.holdings.problems(),
      ...(this.duties?.problems() ?? []),
      ...(this.options.clients?.problems() ?? []),
    ];
  }

  private tellStatus(snapshot: Snapshot, peers: Peers): void {
    const { node } = this.options;
    this.teller.tell(() => {
      const news = {
        generation: this.view.generation,
        ...this.renewals.acknowledged(),
        state: stateOf(snapshot, node),
        volumes: this.holdings.status(),
        problems: this.problems(),
      };
      return { news, status: () => ({ node, leaseSeq: this.renewals.seq, ...news, nodes: peers.status() }) };
    });
  }

  private hook(event: HookEvent, variables: Record<string, string>): void {
    const { hooks, log } = this.options;
    hooks.run(event, variables).catch((error: unknown) => {
      log.error({ event }, `the hooks of ${event} failed: ${messageOf(error)}`);
    });
  }
}

function unknownNode(node: string): string {
  return `the cluster has no node ${quoteName(node)}: was it removed or renamed? (cfs node list; cfs node add)`;
}
