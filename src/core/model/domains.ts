/** Schema of table `domains`: what nodes and volumes share to reach each other. Keyed by the name as declared. */
import * as v from 'valibot';
import { ruled } from './schema.js';
import type { DomainRecord } from './tables.js';
import { descriptionRule } from './values.js';

export const domainSchema: v.GenericSchema<DomainRecord> = v.strictObject({
  description: ruled<string | null>(descriptionRule),
});
