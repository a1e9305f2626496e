/** The states of a node: which take volumes, which change into which, and the operation that puts nodes online. */
import { CfsError } from '../errors.js';
import { requireNode } from '../model/find.js';
import { quoteName } from '../model/names.js';
import type { NodeState } from '../model/tables.js';
import type { Operation } from '../operation.js';
import type { Snapshot } from '../store/store.js';

/** Whether a node in this state administers volumes: a suspect one still does, until its failure is confirmed. */
export function isActive(state: NodeState): boolean {
  return state === 'online' || state === 'suspect';
}

/** The state of a node; one that never had a state is offline. */
export function stateOf(snapshot: Snapshot, node: string): NodeState {
  return snapshot.table('membership').get(node)?.state ?? 'offline';
}

/** Names of the active nodes, in no particular order. */
export function activeNodes(snapshot: Snapshot): Set<string> {
  const nodes = snapshot.table('nodes');
  const active = new Set<string>();
  for (const [name, record] of snapshot.table('membership').entries()) {
    if (isActive(record.state) && nodes.has(name)) active.add(name);
  }
  return active;
}

/** What may follow each state, and by whose doing. Absent: refused, with the sentence below. */
const TRANSITIONS: Record<NodeState, readonly NodeState[]> = {
  // Its agent has come up, or an administrator says so.
  joining: ['online', 'offline', 'failed'],
  // Lease overdue; drained; taken out; or declared failed by an administrator who knows better than the leases.
  online: ['suspect', 'standby', 'offline', 'failed'],
  // Renewed after all; confirmed; taken out.
  suspect: ['online', 'failed', 'standby', 'offline'],
  standby: ['online', 'offline', 'failed'],
  offline: ['online', 'joining', 'standby'],
  failed: ['online', 'joining', 'offline'],
};

/** Why a transition is refused, for those somebody may ask for. */
const REFUSALS: Partial<Record<`${NodeState}>${NodeState}`, string>> = {
  'failed>standby': 'a failed node has nothing left to drain; put it online or offline',
  'failed>suspect': 'its failure is confirmed already',
  'offline>failed': 'an offline node runs nothing that could fail',
  'offline>suspect': 'an offline node holds no lease that could lapse',
  'standby>suspect': 'a drained node is not suspected; it is failed, or it is not',
  'joining>standby': 'it is not a member yet; it can go online or offline',
  'joining>suspect': 'it is not a member yet; it can go online or fail',
  'online>joining': 'it is a member already',
  'suspect>joining': 'it is a member already',
  'standby>joining': 'it is a member already',
};

/** Null where the state may follow, else why not, one sentence. A state may always follow itself: nothing changes. */
export function transitionRefusal(from: NodeState, to: NodeState): string | null {
  if (from === to || TRANSITIONS[from].includes(to)) return null;
  return REFUSALS[`${from}>${to}`] ?? `a node does not go from ${from} to ${to}`;
}

/** @throws CfsError NODE_STATE when the state may not follow the one the node has */
export function checkTransition(node: string, from: NodeState, to: NodeState): void {
  const refusal = transitionRefusal(from, to);
  if (refusal === null) return;
  throw new CfsError('NODE_STATE', `Node ${quoteName(node)} is ${from} and cannot become ${to}: ${refusal}`, {
    details: { node, from, to },
  });
}

export interface NodeOnlineRequest {
  name: string | readonly string[];
  reason?: string | null;
}

/** Puts nodes online; they take volumes from the next rebalance or failback on. Those online stay as they are. */
export const nodeOnline: Operation<NodeOnlineRequest, { online: string[]; already: string[] }> = {
  name: 'node.online',
  run(draft, request) {
    const online: string[] = [];
    const already: string[] = [];
    for (const input of typeof request.name === 'string' ? [request.name] : request.name) {
      const name = requireNode(draft, input);
      const from = stateOf(draft, name);
      checkTransition(name, from, 'online');
      if (from === 'online') {
        already.push(name);
        continue;
      }
      draft.put('membership', name, { state: 'online', reason: request.reason ?? null });
      // Whatever was tried to make sure that it was off is over.
      if (draft.table('fencing').has(name)) draft.remove('fencing', name);
      online.push(name);
    }
    return { online, already };
  },
};
