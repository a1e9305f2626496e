/**
 * What the agent of a client needs from outside: interfaces only. Real ones are in src/agentd/, simulated ones in the test kit. Commands
 * that run on a client's host without an agent use the same mount drivers.
 */
import type { WorkerConfig } from '../../agent/options.js';
import type { Fencing, Hooks, Log, Supervisor } from '../../agent/ports.js';
import type { Platform } from '../../platform/platform.js';
import type { SharedDirectoryStore } from '../../store/index.js';

/** What is really mounted on this host, whoever mounted it. */
export interface RealMount {
  volume: string;
  mode: 'ro' | 'rw';
}

/** A process that keeps a mount busy. */
export interface Holder {
  pid: number;
  user: string;
  command: string;
  /** A file that it has open there, or its working directory. */
  path: string;
  /** It has the file open for writing. */
  isWriting: boolean;
}

/** A mount was not changed because programs use it. The sentence names some of them. */
export class MountBusyError extends Error {
  constructor(
    message: string,
    readonly holders: readonly Holder[],
  ) {
    super(message);
    this.name = 'MountBusyError';
  }
}

export interface MountOptions {
  /** The writer's fencing token (WriterRecord.since); that of the newest generation read for a read-only mount. */
  epoch: number;
  /** Programs that stand in the way are ended (TERM, then KILL), instead of a MountBusyError. */
  force: boolean;
  /** The volume has a software lock: it is put on (rw) or passed over. */
  softwareLock: boolean;
}

/**
 * Touches the host for a client's mounts. Every call is repeatable, and may find its work done. A failure is an Error with a sentence
 * that says what to do.
 */
export interface MountDriver {
  readonly name: string;
  /**
   * Has the volume mounted in this mode when it returns. A mount that exists is made anew, so that the newest directory is seen (FIG. 15B,
   * 1572–1574), except that one in the right mode for writing is left alone. From `rw` to `ro` it has, before it returns, everything
   * written on the device, and nothing of this host can write any more.
   * @throws MountBusyError; Error
   */
  mount(volume: string, mode: 'ro' | 'rw', options: MountOptions): Promise<void>;
  /** Has nothing mounted when it returns; else as mount to `ro`. @throws MountBusyError; Error */
  unmount(volume: string, options: Pick<MountOptions, 'force'>): Promise<void>;
  /** What is mounted of all volumes that this host's configuration knows. Asked when an agent starts, and to reconcile. */
  mounted(): Promise<RealMount[]>;
  /** Something that is another thing when the volume was written to since (a counter of the device); null: it cannot be told. */
  written(volume: string): Promise<string | null>;
}

/** The client's own program that answers write requests where autoRespond is on (FIG. 15C, 1610). */
export interface AutoAnswer {
  /** Never rejects: without a program the answer is yes; a program that fails, or takes too long, says no, with its last line as the message. */
  answer(request: { volume: string; from: string; message: string | null }): Promise<{
    grant: boolean;
    message: string | null;
  }>;
}

/** Names of the decisions that a client's agent may ask for; decisions.ts of this folder maps them to operations. */
export const CLIENT_DECISION_NAMES = [
  'client-logon',
  'client-logoff',
  'clients-lapsed',
  'given-up',
  'respond',
  'touch',
  'refreshed',
  'end-requests',
] as const;
export type ClientDecisionName = (typeof CLIENT_DECISION_NAMES)[number];

/** Whether it is a decision about clients. A node's agent asks for `clients-lapsed`, too. */
export function isClientDecision(name: string): name is ClientDecisionName {
  return (CLIENT_DECISION_NAMES as readonly string[]).includes(name);
}

/** As Decider of core/agent/ports.ts. */
export interface ClientDecider {
  decide(
    name: ClientDecisionName,
    request: unknown,
  ): Promise<{ committed: boolean; generation: number; value: unknown }>;
}

export interface ClientWorkerOptions {
  /** Name of the client, as in the tables. */
  client: string;
  platform: Platform;
  /** The worker's own store: it reads with it and never commits. */
  store: SharedDirectoryStore;
  driver: MountDriver;
  /** What it holds are the mounts for writing: epoch is WriterRecord.since. The supervisor's stop makes them read-only. */
  supervisor: Pick<Supervisor, 'renewed' | 'holds' | 'released'> & { status(status: ClientStatus): void };
  decider: ClientDecider;
  answer: AutoAnswer;
  hooks: Hooks;
  /** Null: this host has no fencing command. */
  fencing: Fencing | null;
  log: Log;
  config: WorkerConfig;
  /** As WorkerOptions.hint. */
  hint?: (path: string, changed: () => void) => () => void;
}

/** What `cfs agentd status` shows of a client's agent; plain JSON. */
export interface ClientStatus {
  client: string;
  /** Newest generation read; released and applied as in the lease. */
  generation: number;
  released: number;
  applied: number;
  leaseSeq: number;
  isLoggedOn: boolean;
  volumes: {
    volume: string;
    /** What is mounted, and what the tables ask for. */
    mode: 'none' | 'ro' | 'rw';
    desired: 'none' | 'ro' | 'rw';
    /** Of a writer: its fencing token. */
    epoch: number | null;
    why: string | null;
  }[];
  problems: string[];
}
