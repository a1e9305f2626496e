/** What the agent's worker is made of, and how it ends. The process around it is src/agentd/worker-main.ts; the test kit has another. */
import type { Platform } from '../platform/platform.js';
import type { SharedDirectoryStore } from '../store/index.js';
import type { Snapshot } from '../store/store.js';
import type { Decider, Driver, Fencing, Hooks, Log, Supervisor } from './ports.js';

export interface WorkerOptions {
  /** Name of this node, as in the tables. */
  node: string;
  platform: Platform;
  /** The worker's own store: it reads with it and never commits. `decider` has another one, in another thread. */
  store: SharedDirectoryStore;
  driver: Driver;
  supervisor: Supervisor;
  decider: Decider;
  hooks: Hooks;
  /** Null: this node has no fencing command. */
  fencing: Fencing | null;
  log: Log;
  config: WorkerConfig;
  /** Messages to this node; absent: they stay where they are. */
  mailbox?: MailPoll;
  /** Sees to clients that are gone (core/access/agent/client-watch.ts); absent: this agent leaves them to others. */
  clients?: ClientDuty;
  /** Clears up mailboxes that nobody reads; absent: this agent leaves it to others. */
  sweeper?: MailSweep;
  /** The ballast's keeper; absent: this agent leaves it to others. */
  ballast?: BallastDuty;
  /** Asked for hints that `path` may have changed; returns what ends the hints (src/node/watch-hint.ts). Absent: polling alone. */
  hint?: (path: string, changed: () => void) => () => void;
}

export interface WorkerConfig {
  /** Version of cfs, for the lease. */
  version: string;
  /** Time between looks at the newest generation, ms (plus or minus 10 %); default 1000. */
  headIntervalMs?: number;
  /** Most driver starts at one time; default 16. */
  parallelStarts?: number;
  /** Most driver stops at one time; default 64. */
  parallelStops?: number;
}

/** Called once per lease interval; what it does takes milliseconds. Errors are told, and harm nothing else. */
export interface MailPoll {
  poll(): Promise<unknown>;
}

/** Called once per lease interval. What it does beside that wakes nobody. */
export interface ClientDuty {
  /** One look at the clients' leases, where there are clients. @throws SystemCallError */
  look(snapshot: Snapshot): unknown;
  /** A sentence each. */
  problems(): string[];
}

/** src/core/mail/sweeper.ts. Called every minute or so by the first online agent. */
export interface MailSweep {
  sweep(): unknown;
}

/** src/core/ballast/keeper.ts. Called every 10 s or so by the first online agent, and at once when a lease met a full disk. */
export interface BallastDuty {
  ballastDuty(): { event: 'made' | 'disk-full' | 'space-back' | null; says: string | null };
}

export interface StopRequest {
  /** Give the volumes to others first (decision `leave`); without it they are taken over when the lease has been quiet. */
  drain: boolean;
}

/**
 * How a worker ended by itself. It runs nothing any more then.
 * - `stopped`: it was asked to; its last lease says that it left.
 * - `elsewhere`: another live agent has this node's name (CfsError AGENT_ELSEWHERE says where).
 */
export interface WorkerEnd {
  reason: 'stopped' | 'elsewhere';
  /** A sentence. */
  says: string;
}
