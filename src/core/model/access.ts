/** Schemas of the tables `access` and `mounts` (FIG. 13B), one record for a volume and a client. */
import * as v from 'valibot';
import { ruled } from './schema.js';
import type { AccessRecord, MountRecord } from './tables.js';
import { booleanRule, generationRule, intervalRule, timeRule } from './values.js';

export const accessSchema: v.GenericSchema<AccessRecord> = v.strictObject({
  mount: ruled<boolean>(booleanRule),
  lockout: ruled<boolean>(booleanRule),
  autoUpdate: ruled<boolean>(booleanRule),
  autoUpdateIntervalMs: ruled<number>(intervalRule),
});

export const mountSchema: v.GenericSchema<MountRecord> = v.strictObject({
  refreshed: ruled<number>(generationRule),
  lastRefresh: ruled<string>(timeRule),
});
