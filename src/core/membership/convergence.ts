/**
 * How far the agents are with a generation: what `--wait` waits for and `cfs watch` shows (FIG. 10C, the acknowledgements of
 * process 1086). Pure: from the newest snapshot, the leases, and whoever is known to have lapsed.
 *
 * Waited for is every live agent of an active node, until it runs what the generation gives it; and every live agent of a
 * node that was taken out, until it has released. A failed node is not waited for: others do not need its word any more.
 */
import { naturalCompare } from '../model/names.js';
import type { NodeState } from '../model/tables.js';
import type { Snapshot } from '../store/store.js';
import type { Lease } from './leases.js';
import { isActive, stateOf } from './states.js';

/**
 * `applied`: runs all that the generation gives it. `released`: runs nothing that it takes away. `waiting`: has not said either.
 * `lapsed`: its lease is quiet. `left`: its agent ended in order. `no-agent`: it has no lease.
 */
export type AgentProgress = 'applied' | 'released' | 'waiting' | 'lapsed' | 'left' | 'no-agent';

export interface NodeConvergence {
  node: string;
  /** The node's state in the tables. */
  membership: NodeState;
  state: AgentProgress;
  /** The newest generation that its agent runs all of; null where it has no lease, or left. */
  generation: number | null;
  /** The newest generation that its agent has released; null where it has no lease. */
  released: number | null;
  /** Whether convergence still waits for it. */
  isAwaited: boolean;
}

export interface Convergence {
  generation: number;
  /** Every node of the tables, in natural order. */
  nodes: NodeConvergence[];
  isConverged: boolean;
}

export interface ConvergenceInput {
  /** The newest snapshot: who is online is its to say, also when a later generation took a node out. */
  snapshot: Snapshot;
  /** The generation that is to be applied. */
  generation: number;
  /** Every node's newest lease (`listLeases`). */
  leases: ReadonlyMap<string, Lease>;
  /** Whether the node's lease is known to have lapsed (LeaseObserver.isLapsed); default: none has. */
  isLapsed?: (node: string) => boolean;
}

/** What the lease says of the generation. */
export function progressOf(lease: Lease | undefined, generation: number, isLapsed: boolean): AgentProgress {
  if (lease === undefined) return 'no-agent';
  if (lease.applied === null) return 'left';
  if (isLapsed) return 'lapsed';
  if (lease.applied >= generation) return 'applied';
  return lease.released >= generation ? 'released' : 'waiting';
}

function isAwaited(membership: NodeState, state: AgentProgress): boolean {
  if (isActive(membership)) return state === 'waiting' || state === 'released';
  return membership !== 'failed' && state === 'waiting';
}

/** How far each node is with a generation, and whether all that are awaited are there. */
export function convergenceOf({ snapshot, generation, leases, isLapsed }: ConvergenceInput): Convergence {
  const nodes = [...snapshot.table('nodes').names()].sort(naturalCompare).map((node): NodeConvergence => {
    const lease = leases.get(node);
    const membership = stateOf(snapshot, node);
    const state = progressOf(lease, generation, isLapsed?.(node) ?? false);
    return {
      node,
      membership,
      state,
      generation: lease?.applied ?? null,
      released: lease?.released ?? null,
      isAwaited: isAwaited(membership, state),
    };
  });
  return { generation, nodes, isConverged: !nodes.some((node) => node.isAwaited) };
}
