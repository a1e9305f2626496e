/** Schemas of the tables `clients` and `logons` (FIG. 13A). */
import * as v from 'valibot';
import { sequenceRule } from './membership.js';
import { ruled } from './schema.js';
import type { ClientRecord, LogonRecord } from './tables.js';
import { booleanRule, descriptionRule, timeRule } from './values.js';

export const clientSchema: v.GenericSchema<ClientRecord> = v.strictObject({
  refreshNotify: ruled<boolean>(booleanRule),
  autoRespond: ruled<boolean>(booleanRule),
  lockedOut: ruled<boolean>(booleanRule),
});

export const logonSchema: v.GenericSchema<LogonRecord> = v.strictObject({
  loggedOn: ruled<boolean>(booleanRule),
  lastSeen: ruled<string>(timeRule),
  reason: ruled<string | null>(descriptionRule),
  lease: v.optional(ruled<number>(sequenceRule)),
  host: v.optional(ruled<string>((value) => (value === null ? 'it is the name of a host' : descriptionRule(value)))),
}) as v.GenericSchema<LogonRecord>;
