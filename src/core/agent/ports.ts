/**
 * What an agent's worker needs from outside: interfaces only. Real ones are in src/agentd/, simulated ones in the test kit, so
 * that whole clusters of agents run in one process under a simulated clock.
 */
import type { MailMessage } from '../mail/message.js';

/** A volume that this node runs, or is about to run. */
export interface Holding {
  volume: string;
  /** The volume's fencing token: the generation that gave it to this node. */
  epoch: number;
}

/**
 * Touches the system for one volume: our code for one kind of object, or the administrator's program.
 * Every call is repeatable, and may find its work done. A failure is an Error with a sentence.
 */
export interface Driver {
  readonly name: string;
  start(holding: Holding): Promise<void>;
  /** Must not return before the volume is stopped for certain. */
  stop(holding: Holding): Promise<void>;
  /** What runs on this node, whoever started it: asked when an agent starts. */
  running(): Promise<Holding[]>;
}

/**
 * The supervisor, as the worker sees it. It never touches the shared directory; it stops what the node runs when it has not
 * been told of a renewal for 0.7 x lease.timeout. Messages are kept in order.
 */
export interface Supervisor {
  /**
   * A renewal is durable in the directory; it began at this monotonic time of the host, ms (CLOCK_MONOTONIC: both processes
   * read the same). The time limit counts from there, with the lease timeout that now holds.
   */
  renewed(beganMs: number, timeoutMs: number): void;
  /** About to start this, or it was found running. Told before the driver is called, so that nothing runs unknown to the supervisor. */
  holds(holding: Holding): void;
  /** It is stopped. */
  released(volume: string): void;
  /** What `cfs agentd status` shows; plain JSON. */
  status(status: AgentStatus): void;
}

export interface AgentStatus {
  node: string;
  /** Newest generation read; released and applied as in the lease. */
  generation: number;
  released: number;
  applied: number;
  leaseSeq: number;
  state: string;
  volumes: {
    volume: string;
    epoch: number;
    state: 'running' | 'starting' | 'stopping' | 'waiting' | 'failed';
    why: string | null;
  }[];
  problems: string[];
  /** What this agent knows of the others: lease, and for how long it has watched it without a renewal, ms. */
  nodes: { node: string; seq: number; released: number; applied: number | null; quietMs: number }[];
}

/** Names of the decisions that an agent may ask for; `src/core/agent/decisions.ts` maps them to operations. */
export type DecisionName = 'join' | 'failed' | 'recovered' | 'return' | 'fence-claim' | 'fence-result' | 'leave';

/**
 * Makes a decision: an operation run by the store under its lock, outside of the worker's event loop (a thread), so that
 * renewals go on while it is planned. Gives what the operation gave, and the generation (unchanged: nothing was to be done).
 */
export interface Decider {
  decide(name: DecisionName, request: unknown): Promise<{ committed: boolean; generation: number; value: unknown }>;
}

/** The administrator's hooks: `hooks.d/EVENT/*`, run one after the other; failures are told, never in the way. */
export interface Hooks {
  run(event: HookEvent, variables: Record<string, string>): Promise<void>;
}

/** Documented in the manual of `cfs agentd`; a hook gets CFS_EVENT, CFS_NODE, CFS_DIR and the variables of its event. */
export const HOOK_EVENTS = [
  'joined',
  'left',
  'state',
  'volume-started',
  'volume-stopped',
  'volume-failed',
  'node-failed',
  'node-joined',
  'fenced',
  'self-fenced',
  'disk-full',
  'mail',
  'alarm',
  // Of a client's agent (core/access/agent), with the variables:
  // CFS_VOLUME, CFS_FROM, CFS_MESSAGE: a client waits for an answer, and autoRespond is off.
  'write-request',
  // CFS_VOLUME, CFS_EPOCH: this client is the writer now; `mounted` follows.
  'write-granted',
  // CFS_VOLUME, CFS_MODE (ro, rw), CFS_EPOCH (of rw).
  'mounted',
  // CFS_VOLUME.
  'unmounted',
  // CFS_VOLUME: a read-only mount was made anew, since the volume was modified.
  'refreshed',
  // CFS_VOLUME, CFS_CLIENT (whose; empty: everybody's), CFS_WRITER (empty: nobody). With refreshNotify.
  'privileges-changed',
  // CFS_CLIENT, CFS_REASON: this agent has logged off a client that is gone. Of a node's agent, too.
  'client-gone',
] as const;
export type HookEvent = (typeof HOOK_EVENTS)[number];

/** The node's own fencing command (`fence_*` agent or script). Null in the worker's options: none is configured. */
export interface Fencing {
  /** How long `fence` may take at most, ms. */
  readonly timeoutMs: number;
  /** Turns the node off or cuts it off from the storage. Resolves with what the command said; rejects when it failed or took too long. */
  fence(node: string): Promise<string>;
}

/** A logger as pino has it; the worker logs sentences with facts beside them. */
export interface Log {
  debug(facts: object, sentence: string): void;
  info(facts: object, sentence: string): void;
  warn(facts: object, sentence: string): void;
  error(facts: object, sentence: string): void;
}

/** Receives messages to this node that no part of cfs handles itself. */
export type MailHandler = (message: MailMessage) => Promise<void>;
