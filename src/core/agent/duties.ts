/**
 * What the cluster needs done and any agent may do: whoever notices first asks for it, and everybody else finds it done (FIG. 9B,
 * 10B–C). What there is to be done says membership/attention.ts; the decisions themselves are operations, which look once more
 * under the lock. In between the agent waits a random moment and looks again, so that twenty agents that notice the same do not
 * all queue for the lock.
 */
import { type Attention, attentionOf } from '../membership/attention.js';
import { NO_MEMORY } from '../membership/attention-memory.js';
import { breakLockOfDead } from '../membership/dead-lock.js';
import type { QuietNode } from '../membership/failed.js';
import type { FenceClaimRequest } from '../membership/fencing.js';
import { joinRefusal } from '../membership/join.js';
import { listTickets, removeTickets, writeTicket } from '../membership/tickets.js';
import { settingOf } from '../model/settings.js';
import type { Snapshot } from '../store/store.js';
import type { DecisionRequest, DecisionResult } from './decisions.js';
import { isSituation, messageOf } from './guard.js';
import type { WorkerOptions } from './options.js';
import type { Peers } from './peers.js';
import type { DecisionName, HookEvent } from './ports.js';

/** The random delay before asking, as a part of lease.interval. */
const DELAY_SHARE = 0.25;

export interface DutyTools {
  peers: Peers;
  hook: (event: HookEvent, variables: Record<string, string>) => void;
  /** A decision was made: read the head, and go on. */
  decided: () => void;
}

export class Duties {
  private memory = NO_MEMORY;
  private waits: string[] = [];
  private askDueMs = Number.POSITIVE_INFINITY;
  private isAsking = false;
  /** Decisions go one after the other. */
  private last: Promise<unknown> = Promise.resolve();
  /** Nodes that this agent is fencing now. */
  private readonly fencing = new Set<string>();
  private trouble: string | null = null;

  constructor(
    private readonly options: WorkerOptions,
    private readonly tools: DutyTools,
  ) {}

  /** After a look at the leases: sees to the own ticket, and whether anything is to be asked for. @throws SystemCallError */
  look(snapshot: Snapshot): void {
    const attention = this.attention(snapshot, true);
    this.waits = attention.waits.map(({ node, why }) => `node ${node}: ${why}`);
    if (this.isAsking || this.askDueMs !== Number.POSITIVE_INFINITY || isNothing(attention)) return;
    const delayMs = settingOf(snapshot, 'lease.interval') * DELAY_SHARE * this.options.platform.random.fraction();
    this.askDueMs = this.nowMs() + delayMs;
  }

  nextDueMs(): number {
    return this.askDueMs;
  }

  isDue(): boolean {
    return this.nowMs() >= this.askDueMs;
  }

  /** After another look: asks for what is still to be done. @throws SystemCallError */
  ask(snapshot: Snapshot): void {
    const attention = this.attention(snapshot, false);
    if (isNothing(attention)) return;
    this.isAsking = true;
    void this.askAll(attention).finally(() => {
      this.isAsking = false;
      this.tools.decided();
    });
  }

  /** What was to be asked for is not due any more: it is looked at now, or at the next look. */
  forgo(): void {
    this.askDueMs = Number.POSITIVE_INFINITY;
  }

  /** Gives this node's volumes to others. Resolves in any case. */
  async leave(): Promise<void> {
    await this.decide('leave', { node: this.options.node, drain: true });
  }

  problems(): string[] {
    return this.trouble === null ? this.waits : [this.trouble, ...this.waits];
  }

  private nowMs(): number {
    return this.options.platform.clock.monotonicMs();
  }

  private attention(snapshot: Snapshot, seesToTicket: boolean): Attention {
    const { node, platform, store, fencing } = this.options;
    const { peers } = this.tools;
    const tickets = listTickets(platform, store.place.paths.joins);
    if (seesToTicket) this.seeToTicket(snapshot, tickets.has(node));
    const attention = attentionOf({
      self: node,
      snapshot,
      observer: peers.observer,
      timeoutOf: (other) => peers.timeoutOf(other),
      tickets,
      fencingTimeoutMs: fencing?.timeoutMs ?? null,
      nowMs: this.nowMs(),
      wallMs: platform.clock.nowMs(),
      memory: this.memory,
    });
    this.memory = attention.memory;
    return { ...attention, claims: attention.claims.filter((claim) => !this.fencing.has(claim.node)) };
  }

  /** The own ticket is there exactly while the node may join by itself. */
  private seeToTicket(snapshot: Snapshot, hasTicket: boolean): void {
    const { node, store } = this.options;
    const wants = joinRefusal(snapshot, node) === null;
    if (wants && !hasTicket) writeTicket(store.place, node);
    else if (!wants && hasTicket) removeTickets(store.place, node);
  }

  private async askAll({ recovered, claims, failed, join, returns }: Attention): Promise<void> {
    for (const request of recovered) await this.decide('recovered', request);
    for (const claim of claims) await this.claim(claim);
    if (failed.length > 0) {
      this.breakLock(failed);
      await this.decide('failed', { nodes: failed });
    }
    if (join.length > 0) await this.decide('join', { nodes: join });
    if (returns.length > 0) await this.decide('return', { nodes: returns });
  }

  private breakLock(failed: readonly QuietNode[]): void {
    const { store, log } = this.options;
    const quiet = failed.flatMap(({ node, lease }) => {
      const known = this.tools.peers.lease(node);
      return known !== undefined && known.seq === lease ? [known] : [];
    });
    const host = breakLockOfDead(store.place, quiet);
    if (host !== null) log.warn({ host }, `the lock was held on ${host}, which is taken over from: it is broken`);
  }

  /** Claims a node's fencing; the command then runs beside everything else. */
  private async claim(request: FenceClaimRequest): Promise<void> {
    const result = await this.decide('fence-claim', request);
    if (result?.claimed) void this.fence(request.node, result.attempt);
  }

  private async fence(other: string, attempt: number): Promise<void> {
    const { fencing, log, node } = this.options;
    if (fencing === null || this.fencing.has(other)) return;
    this.fencing.add(other);
    log.warn({ other, attempt }, `fencing node ${other}`);
    const { ok, message } = await fencing.fence(other).then(
      (says) => ({ ok: true, message: says }),
      (error: unknown) => ({ ok: false, message: messageOf(error) }),
    );
    if (ok) log.info({ other }, `node ${other} is fenced: ${message}`);
    else log.error({ other, attempt }, `node ${other} could not be fenced: ${message}`);
    const lease = ok ? this.leaseAfterFencing(other) : undefined;
    await this.decide('fence-result', {
      node: other,
      by: node,
      ok,
      message,
      ...(lease === undefined ? {} : { lease }),
    });
    this.fencing.delete(other);
    if (ok) this.tools.hook('fenced', { CFS_OTHER_NODE: other, CFS_REASON: message });
    this.tools.decided();
  }

  /** It may have renewed until it was off. Where that cannot be seen now, a later lease has to be judged anew. */
  private leaseAfterFencing(other: string): number | undefined {
    try {
      return this.tools.peers.look().get(other)?.seq;
    } catch (error) {
      if (!isSituation(error)) throw error;
      return undefined;
    }
  }

  /** @returns what the operation gave; null when it could not be run, which the next look makes up for */
  private decide<N extends DecisionName>(name: N, request: DecisionRequest<N>): Promise<DecisionResult<N> | null> {
    const { decider, log } = this.options;
    const made = this.last.then(async () => {
      try {
        const { committed, generation, value } = await decider.decide(name, request);
        if (committed) log.info({ decision: name, generation, value: value as object }, `decided: ${name}`);
        this.trouble = null;
        return value as DecisionResult<N>;
      } catch (error) {
        this.trouble = `the decision ${name} could not be made: ${messageOf(error)}`;
        log.warn({ decision: name }, this.trouble);
        return null;
      }
    });
    this.last = made;
    return made;
  }
}

function isNothing({ join, failed, claims, recovered, returns }: Attention): boolean {
  return join.length + failed.length + claims.length + recovered.length + returns.length === 0;
}
