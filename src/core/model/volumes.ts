/** Schema of table `volumes` (FIG. 5B). Keyed by the volume's name, 440A. Where the volume is (440F–G) stands in `placements`. */
import * as v from 'valibot';
import { isAnyGroup } from './declared.js';
import { ANY_GROUP } from './defaults.js';
import { nameRule, namesField, ruled } from './schema.js';
import type { VolumeRecord } from './tables.js';
import { booleanRule, weightRule } from './values.js';

export const volumeSchema: v.GenericSchema<VolumeRecord> = v.strictObject({
  /** 440H */
  weight: ruled<number>(weightRule),
  /** 440B–C */
  group: ruled<string | null>((value) =>
    value === null || value === ANY_GROUP || (!isAnyGroup(value as string) && nameRule(value) === null)
      ? null
      : 'it is a declared group, Any, or null',
  ),
  /** 440J–K */
  domains: namesField('domains'),
  /** 440D–E */
  preferredNode: ruled<string | null>((value) =>
    value === null || nameRule(value) === null ? null : 'it is the name of a node, or null',
  ),
  /** 440I */
  canGroupMigrate: ruled<boolean>(booleanRule),
});
