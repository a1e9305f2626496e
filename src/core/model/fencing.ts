/** Schema of table `fencing`: what is known of the fencing of a node that others take over from. */
import * as v from 'valibot';
import { sequenceRule } from './membership.js';
import { nameRule, ruled } from './schema.js';
import { FENCING_STATES, type FencingRecord, type FencingState } from './tables.js';
import { descriptionRule } from './values.js';

export const fencingSchema: v.GenericSchema<FencingRecord> = v.strictObject({
  state: ruled<FencingState>((value) =>
    FENCING_STATES.includes(value as FencingState) ? null : `a state is one of ${FENCING_STATES.join(', ')}`,
  ),
  by: ruled<string | null>((value) => (value === null ? null : nameRule(value as string))),
  lease: ruled<number | null>((value) => (value === null ? null : sequenceRule(value))),
  attempts: ruled<number>(sequenceRule),
  message: ruled<string | null>(descriptionRule),
});
