/**
 * Waiting until the agents have applied a generation: `--wait` (DESIGN.md, "Command conventions"). Where an agent that is waited
 * for fails meanwhile, others take over at a later generation, and the wait goes on for that one.
 *
 * A lease that goes quiet does not end the wait: its node may still run what it had. What ends it is the generation that says
 * that the node is failed. Quiet leases are told apart all the same, so that people see why nothing moves.
 */
import { settingOf } from '../model/settings.js';
import type { Clock } from '../platform/clock.js';
import type { Snapshot } from '../store/store.js';
import { convergenceOf, type NodeConvergence } from './convergence.js';
import type { Lease } from './leases.js';
import { LeaseObserver } from './observer.js';

export interface WaitedNode extends NodeConvergence {
  /** For how long we have watched its lease without a renewal, ms. */
  quietMs: number;
  /** So long that the others will call it failed. */
  isLapsed: boolean;
}

export interface WaitLook {
  /** What is waited for: the generation asked for, or the later one that failed a node which was waited for. */
  generation: number;
  waitedMs: number;
  /** Nodes that have an agent, in natural order; failed nodes and agents that left are not among them. */
  nodes: WaitedNode[];
  isConverged: boolean;
}

export interface WaitOptions {
  /** The newest generation. */
  snapshot: () => Snapshot;
  /** Every node's newest lease. */
  leases: () => ReadonlyMap<string, Lease>;
  clock: Pick<Clock, 'monotonicMs'>;
  /** Rests until the next look: at most so long, less after a hint. */
  pause: (ms: number) => Promise<void>;
  generation: number;
  timeoutMs: number;
  /** Called after each look. */
  onLook?: (look: WaitLook) => void;
}

/** Between two looks, ms. A look is one listing and a few look-ups by name. */
const POLL_MS = 150;
/** Looks further apart than so many lease intervals did not watch what was between. */
const MAX_GAP_INTERVALS = 3;

/** Looks until the agents have applied the generation, or time is up; gives the last look. @throws what reading throws */
export async function waitForAgents(options: WaitOptions): Promise<WaitLook> {
  const { clock, timeoutMs, pause, onLook } = options;
  const startMs = clock.monotonicMs();
  let { generation } = options;
  let observer: LeaseObserver | null = null;
  let awaited = new Set<string>();
  for (;;) {
    const beganMs = clock.monotonicMs();
    const leases = options.leases();
    const endedMs = clock.monotonicMs();
    const snapshot = options.snapshot();
    observer ??= new LeaseObserver(MAX_GAP_INTERVALS * settingOf(snapshot, 'lease.interval'));
    observer.look({ leases, beganMs, endedMs });
    const membership = snapshot.table('membership');
    // Its volumes are given to others by a generation not later than the one just read.
    if ([...awaited].some((node) => membership.get(node)?.state === 'failed')) generation = snapshot.generation;
    const { nodes, isConverged } = convergenceOf({ snapshot, generation, leases });
    const leaseTimeoutMs = settingOf(snapshot, 'lease.timeout');
    awaited = new Set(nodes.filter((node) => node.isAwaited).map(({ node }) => node));
    const watched = observer;
    const look: WaitLook = {
      generation,
      waitedMs: Math.round(clock.monotonicMs() - startMs),
      nodes: nodes
        .filter(({ state, membership }) => state !== 'no-agent' && state !== 'left' && membership !== 'failed')
        .map((node) => ({
          ...node,
          quietMs: Math.round(watched.quietMs(node.node)),
          isLapsed: watched.isLapsed(node.node, leaseTimeoutMs),
        })),
      isConverged,
    };
    onLook?.(look);
    if (isConverged || look.waitedMs >= timeoutMs) return look;
    await pause(Math.min(POLL_MS, timeoutMs - look.waitedMs));
  }
}
