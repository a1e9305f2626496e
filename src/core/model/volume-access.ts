/** Schemas of the tables `volumeAccess` and `writers` (FIG. 13B), one record for a volume. */
import * as v from 'valibot';
import { nameRule, ruled } from './schema.js';
import type { VolumeAccessRecord, WriterRecord, Yield } from './tables.js';
import { booleanRule, descriptionRule, generationRule, timeRule } from './values.js';

export const volumeAccessSchema: v.GenericSchema<VolumeAccessRecord> = v.strictObject({
  enabled: ruled<boolean>(booleanRule),
  softwareLock: ruled<boolean>(booleanRule),
  readOnlyMedia: ruled<boolean>(booleanRule),
});

const client = (value: unknown) => (value === null || nameRule(value) === null ? null : 'it is a client, or null');

function queueRule(value: unknown): string | null {
  const allowed = 'it is a list of different clients';
  if (!Array.isArray(value) || new Set(value).size !== value.length) return allowed;
  return value.every((name) => nameRule(name) === null) ? null : allowed;
}

const yieldSchema: v.GenericSchema<Yield> = v.strictObject({
  to: ruled<string | null>(client),
  force: ruled<boolean>(booleanRule),
  message: ruled<string | null>(descriptionRule),
});

export const writerSchema: v.GenericSchema<WriterRecord> = v.pipe(
  v.strictObject({
    writer: ruled<string | null>(client),
    since: ruled<number>(generationRule),
    yields: v.optional(yieldSchema),
    queue: ruled<string[]>(queueRule),
    modified: ruled<number>((value) => (value === 0 ? null : generationRule(value))),
    lastModified: ruled<string | null>((value) => (value === null ? null : timeRule(value))),
  }) as v.GenericSchema<WriterRecord>,
  v.check((record) => record.writer !== null || record.queue.length === 0, 'nobody waits where there is no writer'),
  v.check((record) => record.writer !== null || record.yields === undefined, 'where there is no writer, none yields'),
  v.check(
    (record) => record.writer === null || record.yields !== undefined || !record.queue.includes(record.writer),
    'a writer waits for itself only while it yields',
  ),
);
