/** What a new generation says of the members, as log lines and hooks: this node's state, and others that failed or joined. */
import { isActive } from '../membership/states.js';
import type { MembershipRecord, NodeState } from '../model/tables.js';
import type { Change } from '../store/store.js';
import type { HookEvent, Log } from './ports.js';

export interface NewsTeller {
  node: string;
  log: Log;
  /** Runs hooks; returns at once. */
  hook: (event: HookEvent, variables: Record<string, string>) => void;
}

/** Tells what generation `generation` changed in table `membership`. */
export function tellMembership({ node, log, hook }: NewsTeller, generation: number, changes: readonly Change[]): void {
  for (const change of changes) {
    if (change.table !== 'membership') continue;
    const before = (change.before as MembershipRecord | null)?.state ?? 'offline';
    const record = change.after as MembershipRecord | null;
    const after = record?.state ?? 'offline';
    if (before === after) continue;
    const reason = record?.reason ?? '';
    const because = reason === '' ? '' : `: ${reason}`;
    const variables = { CFS_GENERATION: String(generation), CFS_REASON: reason };
    if (change.name === node) {
      log.info({ generation, state: after, before }, `this node is ${after} now${because}`);
      hook('state', { ...variables, CFS_STATE: after, CFS_STATE_BEFORE: before });
      if (hasJoined(before, after)) hook('joined', variables);
      continue;
    }
    log.info({ generation, other: change.name, state: after, before }, `node ${change.name} is ${after} now${because}`);
    const others = { ...variables, CFS_OTHER_NODE: change.name };
    if (after === 'failed') hook('node-failed', others);
    else if (hasJoined(before, after)) hook('node-joined', others);
  }
}

function hasJoined(before: NodeState, after: NodeState): boolean {
  return isActive(after) && !isActive(before) && before !== 'standby';
}
