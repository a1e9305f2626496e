/** What an agent sees to besides volumes and members: messages to its node, and the ballast for all. */
import { firstOf } from '../ballast/keeper.js';
import { SWEEP_INTERVAL_MS } from '../mail/sweeper.js';
import { isActive } from '../membership/states.js';
import type { Snapshot } from '../store/store.js';
import { messageOf } from './guard.js';
import type { WorkerOptions } from './options.js';
import type { Peers } from './peers.js';
import type { HookEvent } from './ports.js';

const BALLAST_INTERVAL_MS = 10_000;

export class Housekeeping {
  private isPolling = false;
  private ballastDueMs = Number.NEGATIVE_INFINITY;
  private sweepDueMs = Number.NEGATIVE_INFINITY;
  private isFull = false;

  constructor(
    private readonly options: WorkerOptions,
    private readonly hook: (event: HookEvent, variables: Record<string, string>) => void,
  ) {}

  /** Once per lease interval. */
  look(snapshot: Snapshot, peers: Peers): void {
    this.pollMail();
    const nowMs = this.options.platform.clock.monotonicMs();
    const [isBallastDue, isSweepDue] = [nowMs >= this.ballastDueMs, nowMs >= this.sweepDueMs];
    if (!isBallastDue && !isSweepDue) return;
    const first = firstOf(liveMembers(snapshot, peers));
    // Not even this agent itself was seen yet.
    if (first === undefined) return;
    if (isBallastDue) this.ballastDueMs = nowMs + BALLAST_INTERVAL_MS;
    if (isSweepDue) this.sweepDueMs = nowMs + SWEEP_INTERVAL_MS;
    if (first !== this.options.node) return;
    if (isBallastDue) this.lookAtBallast();
    if (isSweepDue) this.sweepMail();
  }

  /** The own lease met a full disk. */
  diskIsFull(): void {
    if (this.isFull) return;
    this.isFull = true;
    this.tellFull('the lease could be renewed only without content, or with the ballast');
    this.ballastDueMs = Number.NEGATIVE_INFINITY;
  }

  /** The own lease was renewed as usual again. */
  diskHasSpace(): void {
    this.isFull = false;
  }

  private pollMail(): void {
    const { mailbox, log } = this.options;
    if (mailbox === undefined || this.isPolling) return;
    this.isPolling = true;
    mailbox
      .poll()
      .catch((error: unknown) => log.error({}, `cannot receive messages: ${messageOf(error)}`))
      .finally(() => {
        this.isPolling = false;
      });
  }

  private sweepMail(): void {
    try {
      this.options.sweeper?.sweep();
    } catch (error) {
      this.options.log.error({}, `cannot clear up messages that nobody reads: ${messageOf(error)}`);
    }
  }

  private lookAtBallast(): void {
    const { ballast, log } = this.options;
    try {
      const report = ballast?.ballastDuty();
      if (report === undefined || report.event === null) return;
      if (report.event === 'disk-full') this.tellFull(report.says ?? '');
      else log.info({ event: report.event }, report.says ?? report.event);
    } catch (error) {
      log.error({}, `cannot look after the ballast: ${messageOf(error)}`);
    }
  }

  private tellFull(says: string): void {
    this.options.log.error({}, `the shared file system is full: ${says}`);
    this.hook('disk-full', { CFS_REASON: says });
  }
}

function* liveMembers(snapshot: Snapshot, peers: Peers): Iterable<string> {
  for (const [node, { state }] of snapshot.table('membership').entries()) {
    if (isActive(state) && peers.lease(node) !== undefined && !peers.isLapsed(node)) yield node;
  }
}
