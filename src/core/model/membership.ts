/** Schema of table `membership`: the state of each node, apart from its configuration so that undo never touches it. */
import * as v from 'valibot';
import { ruled } from './schema.js';
import { type MembershipRecord, NODE_STATES, type NodeState } from './tables.js';
import { descriptionRule } from './values.js';

export const membershipSchema: v.GenericSchema<MembershipRecord> = v.strictObject({
  state: ruled<NodeState>((value) =>
    NODE_STATES.includes(value as NodeState) ? null : `a state is one of ${NODE_STATES.join(', ')}`,
  ),
  reason: ruled<string | null>(descriptionRule),
});
