/** Schema of table `cluster`: one record per setting that was set. What each may hold says the registry, settings.ts. */
import * as v from 'valibot';
import { ruled } from './schema.js';
import { settingRule } from './settings.js';
import type { SettingRecord } from './tables.js';

/** The schema of the record of one setting. */
export function settingSchema(name: string): v.GenericSchema<SettingRecord> {
  return v.strictObject({ value: ruled<SettingRecord['value']>((value) => settingRule(name, value)) });
}
