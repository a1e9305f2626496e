/**
 * What an agent should ask for now, from what the tables and the leases say: failures to confirm, nodes to fence, tickets to take
 * in, suspects that renewed, nodes whose hold-down is over (ports.ts, DecisionName). Pure; the agent waits a random moment, looks
 * again, and asks for what is still so. Costs what there are nodes, not volumes.
 */
import { allowsFormat2 } from '../model/format.js';
import { settingOf } from '../model/settings.js';
import type { MembershipRecord } from '../model/tables.js';
import type { Snapshot } from '../store/store.js';
import { fencingAttention, staleClaim } from './attention-fencing.js';
import { type AttentionMemory, Lasting } from './attention-memory.js';
import type { QuietNode } from './failed.js';
import type { FenceClaimRequest } from './fencing.js';
import { joinRefusal, type NotDone } from './join.js';
import type { Lease } from './leases.js';
import type { LeaseObserver } from './observer.js';
import { frozenReason, leftReason, quietReason, unreleasedReason } from './reasons.js';
import { higherLease } from './records.js';
import type { RecoveredRequest } from './return.js';
import { stateOf } from './states.js';

export interface AttentionInput {
  /** The node whose agent asks. */
  self: string;
  /** The newest generation. */
  snapshot: Snapshot;
  /** After a look at the leases just now. */
  observer: LeaseObserver;
  /** After how long without a renewal the node has surely fenced itself, ms. */
  timeoutOf: (node: string) => number;
  /** Every node's newest ticket (tickets.ts). */
  tickets: ReadonlyMap<string, number>;
  /** How long the fencing command may take, ms; null: this node has none. */
  fencingTimeoutMs: number | null;
  /** Monotonic time of this host, ms. */
  nowMs: number;
  /** Wall-clock time, ms; only says whether a freeze holds. */
  wallMs: number;
  /** From the look before; NO_MEMORY at first. */
  memory: AttentionMemory;
}

export interface Attention {
  /** For the next look. */
  memory: AttentionMemory;
  /** Decision `join`: these nodes, or none. */
  join: string[];
  /** Decision `failed`: these nodes in one request, or none. */
  failed: QuietNode[];
  /** Decision `fence-claim`, one each. Also the agent's own claims that stand: it ended while it fenced, unless it still does. */
  claims: FenceClaimRequest[];
  /** Decision `recovered`, one each. */
  recovered: RecoveredRequest[];
  /** Decision `return`: these nodes, or none. */
  returns: string[];
  /** What is not done now and what it waits for, for the log and the status. */
  waits: NotDone[];
}

/** A node as one look sees it. */
export interface Seen {
  node: string;
  record: MembershipRecord;
  lease: Lease;
  quietMs: number;
  isLapsed: boolean;
  hasLeft: boolean;
}

/** What this agent should ask for. Empty for one that has no say: its node is failed, offline, or not taken in yet. */
export function attentionOf(input: AttentionInput): Attention {
  const { self, observer, nowMs, memory } = input;
  const lasting = new Lasting(memory, nowMs, observer.maxGapMs);
  const attention: Attention = {
    memory,
    ...{ join: [], failed: [], claims: [], recovered: [], returns: [], waits: [] },
  };
  for (const seen of seenNodes(input)) {
    const { state } = seen.record;
    if (state === 'suspect') lookForRecovery(seen, input, lasting, attention);
    if (state === 'online') lookAtHoldDown(seen, input, lasting, attention);
    if (seen.node === self) continue;
    if (state === 'online') lookForAcknowledgement(seen, input, lasting, attention);
    if (seen.isLapsed && state !== 'offline' && state !== 'joining') lookAtQuiet(seen, input, lasting, attention);
  }
  lookAtTickets(input, lasting, attention);
  return { ...permitted(input, attention), memory: lasting.remembered() };
}

function* seenNodes({ snapshot, observer, timeoutOf }: AttentionInput): Iterable<Seen> {
  const nodes = snapshot.table('nodes');
  for (const [node, record] of snapshot.table('membership').entries()) {
    const lease = observer.lease(node);
    if (lease === undefined || !nodes.has(node)) continue;
    const quietMs = observer.quietMs(node);
    const isLapsed = observer.isLapsed(node, timeoutOf(node));
    yield { node, record, lease, quietMs, isLapsed, hasLeft: lease.applied === null };
  }
}

/** What the agent may ask for by the state of its node, and while the cluster is frozen. */
function permitted({ self, snapshot, wallMs }: AttentionInput, attention: Attention): Attention {
  const { recovered, waits } = attention;
  const nothing = { ...attention, join: [], failed: [], claims: [], recovered: [], returns: [], waits: [] };
  const state = stateOf(snapshot, self);
  const hasSay = state === 'online' || state === 'suspect' || state === 'standby';
  // A node that comes up takes the lock itself where nobody else does (FIG. 10B).
  if (!hasSay && !attention.join.includes(self)) return nothing;
  const frozen = frozenReason(snapshot, wallMs);
  if (frozen !== null) {
    const nodes = [...attention.join, ...attention.failed.map(({ node }) => node), ...attention.returns];
    const frozenWaits = nodes.map((node) => ({ node, why: frozen }));
    return { ...nothing, recovered: hasSay ? recovered : [], waits: [...waits, ...frozenWaits] };
  }
  return hasSay ? attention : { ...nothing, join: attention.join };
}

function lookForRecovery(seen: Seen, input: AttentionInput, lasting: Lasting, to: Attention): void {
  const { node, record, lease, isLapsed, hasLeft } = seen;
  if (isLapsed || hasLeft) return;
  const fencing = input.snapshot.table('fencing').get(node);
  const quietAt = higherLease(record.lease, fencing?.lease);
  // Format 1 does not say at which number it was found quiet.
  if (quietAt === undefined ? !input.observer.isRenewing(node) : lease.seq <= quietAt) return;
  const stale = fencing?.state === 'running' ? staleClaim(node, fencing, input, lasting) : undefined;
  if (stale === null) to.waits.push({ node, why: `renews, but is being fenced by ${fencing!.by}` });
  else to.recovered.push({ node, lease: lease.seq, ...(stale === undefined ? {} : { stale }) });
}

function lookAtHoldDown(
  { node, record, quietMs, isLapsed, hasLeft }: Seen,
  input: AttentionInput,
  lasting: Lasting,
  to: Attention,
): void {
  if (record.held !== true || isLapsed || hasLeft) return;
  // Up to its last renewal: it may have died since, and would be given volumes before anybody can know.
  const upMs = lasting.ms(`held ${node}`) - quietMs;
  const isRenewing = quietMs < 2 * settingOf(input.snapshot, 'lease.interval');
  if (isRenewing && upMs >= settingOf(input.snapshot, 'failback.hold')) to.returns.push(node);
}

/** An agent that renews but does not release: FIG. 10C, processes 1090 to 1092. */
function lookForAcknowledgement(seen: Seen, input: AttentionInput, lasting: Lasting, to: Attention): void {
  const { node, lease, isLapsed, hasLeft } = seen;
  const { snapshot } = input;
  if (isLapsed || hasLeft || lease.released >= snapshot.generation) return;
  // From the first look at which a generation above its RELEASED was there; progress begins a new term.
  const behindMs = lasting.ms(`behind ${node} ${lease.released}`);
  const timeoutMs = settingOf(snapshot, 'apply.timeout');
  if (behindMs < timeoutMs) return;
  const unreleased = lease.released + 1;
  const why = unreleasedReason(unreleased, timeoutMs);
  if (settingOf(snapshot, 'fencing.policy') === 'required') to.waits.push({ node, why: `${why}; it still renews` });
  else to.failed.push({ node, lease: null, unreleased, why });
}

function lookAtQuiet(seen: Seen, input: AttentionInput, lasting: Lasting, to: Attention): void {
  const { node, record, lease, quietMs, hasLeft } = seen;
  const { state } = record;
  if (hasLeft) {
    if (state === 'online' || state === 'suspect') {
      to.failed.push({ node, lease: lease.seq, left: true, why: leftReason(quietMs) });
    }
    return;
  }
  const isRequired = settingOf(input.snapshot, 'fencing.policy') === 'required';
  // Failed already (by hand), or drained: only where nobody trusts self-fencing is there anything to be found out.
  if (state === 'failed' && (record.lease !== undefined || !isRequired)) return;
  if (state === 'standby' && (record.lease ?? -1) >= lease.seq) return;
  const why = quietReason(quietMs, input.self);
  const step = allowsFormat2(input.snapshot)
    ? fencingAttention(seen, input, lasting, why, isRequired)
    : { claim: null, obstacle: null };
  if (step.claim !== null) to.claims.push(step.claim);
  else if (step.obstacle === null || state === 'online') to.failed.push({ node, lease: lease.seq, why });
  if (step.obstacle !== null && step.claim === null) to.waits.push({ node, why: step.obstacle });
}

/** Tickets are taken in when no new one came for `join.settle`, at most ten times as long after the first. */
function lookAtTickets(input: AttentionInput, lasting: Lasting, to: Attention): void {
  const { snapshot, observer, self } = input;
  const nodes: string[] = [];
  let oldestMs = 0;
  let newestMs = Number.POSITIVE_INFINITY;
  for (const [node, seq] of input.tickets) {
    if (joinRefusal(snapshot, node) !== null || observer.isLapsed(node, input.timeoutOf(node))) continue;
    const lease = observer.lease(node);
    if (lease === undefined || lease.applied === null) continue;
    const lastedMs = lasting.ms(`ticket ${node} ${seq}`);
    newestMs = Math.min(newestMs, lastedMs);
    // An agent long dead may have left a ticket: who is not known to live is waited for, but not taken in.
    if (node !== self && !observer.isRenewing(node)) continue;
    // Failed since it could not stop something: it would only fail again. Where generations come fast, RELEASED follows them.
    const isReleased =
      lease.released >= snapshot.generation || lasting.ms(`ticket ${node} released ${lease.released}`) < lastedMs;
    if (!isReleased) {
      to.waits.push({ node, why: 'joins when it has released what was taken from it' });
      continue;
    }
    oldestMs = Math.max(oldestMs, lastedMs);
    nodes.push(node);
  }
  if (nodes.length === 0) return;
  const settleMs = settingOf(snapshot, 'join.settle');
  if (newestMs >= settleMs || oldestMs >= 10 * settleMs) to.join.push(...nodes);
  else for (const node of nodes) to.waits.push({ node, why: 'joins when no other node has come for join.settle' });
}
