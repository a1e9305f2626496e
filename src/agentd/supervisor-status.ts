/** What `cfs agentd status` gets from the supervisor: a promise, as every JSON of cfs. */
import type { ClientStatus } from '../core/access/agent/ports.js';
import type { AgentStatus, Holding } from '../core/agent/ports.js';

/**
 * - starting   no renewal yet
 * - running    the lease is renewed
 * - fencing    everything is being stopped, because it was not renewed in time or the worker ended
 * - waiting    all is stopped; the next worker starts soon, or when the former is really gone
 * - leaving    told to end
 *
 * For a client read "made read-only" where it says stopped.
 */
export type Phase = 'starting' | 'running' | 'fencing' | 'waiting' | 'leaving';

export interface FenceReport {
  /** RFC 3339. */
  time: string;
  why: string;
  /** Volumes stopped so far, and how long that took, ms; null while it goes on. */
  stopped: number;
  tookMs: number | null;
  /** Everything was stopped by 0.95 x lease.timeout after the last renewal began; null: not known yet. */
  inTime: boolean | null;
}

interface CommonStatus {
  dir: string;
  stateDir: string;
  pid: number;
  /** RFC 3339. */
  since: string;
  phase: Phase;
  worker: { pid: number; state: string; since: string; restarts: number } | null;
  /** Of the worker that runs; null: it has not renewed yet. */
  lease: { renewedMsAgo: number; timeoutMs: number; fencesInMs: number } | null;
  /** What runs on this node, or is mounted for writing on this client, by the supervisor's knowledge. */
  holdings: Holding[];
  /** What it cannot stop. */
  notStopped: { volume: string; epoch: number; why: string; attempts: number }[];
  lastFence: FenceReport | null;
  problems: string[];
  /** How long ago the worker told what stands in `agent`, ms. */
  agentMsAgo: number | null;
}

/** Of a node's agent. */
export interface SupervisorStatus extends CommonStatus {
  node: string;
  client?: undefined;
  /** What the worker told last. */
  agent: AgentStatus | null;
}

/** Of a client's agent. */
export interface ClientSupervisorStatus extends CommonStatus {
  client: string;
  node?: undefined;
  agent: ClientStatus | null;
}

export type AnyStatus = SupervisorStatus | ClientSupervisorStatus;
