/** Schema of table `groups`: the declared kinds of volumes. Keyed by the name as declared. */
import * as v from 'valibot';
import { ruled } from './schema.js';
import type { GroupRecord } from './tables.js';
import { descriptionRule } from './values.js';

export const groupSchema: v.GenericSchema<GroupRecord> = v.strictObject({
  description: ruled<string | null>(descriptionRule),
});
