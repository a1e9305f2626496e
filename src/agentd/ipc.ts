/**
 * What supervisor and worker say to each other over Node's ipc channel: JSON, kept in order. What was sent before the worker
 * died still arrives; the end of the channel tells that nothing more will.
 */
import type { ClientStatus } from '../core/access/agent/ports.js';
import type { AgentStatus, Holding } from '../core/agent/ports.js';
import type { AgentConfig } from './config.js';
import type { Served } from './served.js';

/** What a worker needs to begin with. */
export interface WorkerStart extends Served {
  /** Absolute. */
  dir: string;
  stateDir: string;
  config: AgentConfig;
}

export type ToWorker =
  | ({ kind: 'start' } & WorkerStart)
  /** The configuration file was read again; everything but whom it serves, dir and stateDir may differ. */
  | { kind: 'reload'; config: AgentConfig }
  /** End in order: drain if asked, stop everything, leave the lease as `left`. */
  | { kind: 'leave'; drain: boolean }
  /** End without draining, as quickly as stopping everything allows; a client's mounts are made read-only by force. */
  | { kind: 'hurry' };

export type ToSupervisor =
  /** See Supervisor in core/agent/ports.ts. */
  | { kind: 'renewed'; beganMs: number; timeoutMs: number }
  | { kind: 'holds'; holding: Holding }
  | { kind: 'released'; volume: string }
  | { kind: 'status'; status: AgentStatus | ClientStatus }
  /** Everything is stopped and the lease says so. */
  | { kind: 'left' }
  /** Why the worker is about to end: for the person at the supervisor's terminal. */
  | { kind: 'fatal'; error: FatalError };

/** A CfsError's JSON. */
export interface FatalError {
  code: string;
  message: string;
  hint?: string;
  errno?: string;
  details?: Record<string, unknown>;
}
