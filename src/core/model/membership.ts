/** Schema of table `membership`: the state of each node, apart from its configuration so that undo never touches it. */
import * as v from 'valibot';
import { ruled } from './schema.js';
import { type MembershipRecord, NODE_STATES, type NodeState } from './tables.js';
import { descriptionRule } from './values.js';

/** A lease's sequence number. */
export function sequenceRule(value: unknown): string | null {
  return Number.isSafeInteger(value) && (value as number) >= 0 ? null : 'it is a whole number from 0 on';
}

export const membershipSchema: v.GenericSchema<MembershipRecord> = v.strictObject({
  state: ruled<NodeState>((value) =>
    NODE_STATES.includes(value as NodeState) ? null : `a state is one of ${NODE_STATES.join(', ')}`,
  ),
  reason: ruled<string | null>(descriptionRule),
  lease: v.optional(ruled<number>(sequenceRule)),
  mayJoin: v.optional(v.literal(true)),
  held: v.optional(v.literal(true)),
}) as v.GenericSchema<MembershipRecord>;
