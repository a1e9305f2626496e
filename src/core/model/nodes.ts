/** Schema of table `nodes` (FIG. 5A). Keyed by the node's name, 420A. Rules between records stand in the operations. */
import * as v from 'valibot';
import { namesField, ruled } from './schema.js';
import type { NodeRecord } from './tables.js';
import { thresholdRule, updateIntervalRule, weightRule } from './values.js';

export const nodeSchema: v.GenericSchema<NodeRecord> = v.strictObject({
  /** 420B */
  weight: ruled<number>(weightRule),
  /** 420C */
  updateIntervalMs: ruled<number>(updateIntervalRule),
  /** 420D */
  threshold: ruled<number>(thresholdRule),
  /** 420F */
  groups: namesField('groups'),
  /** 420G */
  domains: namesField('domains'),
});
