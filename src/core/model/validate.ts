/**
 * Validation at commit: each changed record against the schema of its table. Reads trust the checksum instead
 * (DESIGN.md, "Tables"). This is the last gate: operations refuse bad requests earlier, with better words.
 */
import * as v from 'valibot';
import { CfsError } from '../errors.js';
import type { Change } from '../store/store.js';
import { accessSchema, mountSchema } from './access.js';
import { clientSchema, logonSchema } from './clients.js';
import { settingSchema } from './cluster.js';
import { domainSchema } from './domains.js';
import { fencingSchema } from './fencing.js';
import { FORMAT, formatOf } from './format.js';
import { groupSchema } from './groups.js';
import { membershipSchema } from './membership.js';
import { quoteName } from './names.js';
import { nodeSchema } from './nodes.js';
import { isPairTable, pairRule } from './pairs.js';
import { placementSchema } from './placements.js';
import { requestSchema } from './requests.js';
import { nameRule } from './schema.js';
import { SETTINGS } from './settings.js';
import { TABLE_NAMES, type TableName } from './tables.js';
import { volumeAccessSchema, writerSchema } from './volume-access.js';
import { volumeSchema } from './volumes.js';

const SCHEMAS: Record<Exclude<TableName, 'cluster'>, v.GenericSchema<unknown>> = {
  groups: groupSchema,
  domains: domainSchema,
  nodes: nodeSchema,
  membership: membershipSchema,
  fencing: fencingSchema,
  volumes: volumeSchema,
  placements: placementSchema,
  clients: clientSchema,
  logons: logonSchema,
  access: accessSchema,
  mounts: mountSchema,
  volumeAccess: volumeAccessSchema,
  writers: writerSchema,
  requests: requestSchema,
};

function refuse(table: string, name: string, field: string | null, what: string): never {
  const at = field === null ? '' : `, field ${field}`;
  throw new CfsError('BAD_VALUE', `Table ${table}, record ${quoteName(name)}${at}: ${what}`, {
    details: { table, name, ...(field === null ? {} : { field }) },
  });
}

/** @throws CfsError BAD_VALUE naming table, record, field and what is allowed; TABLE_NOT_FOUND for an unknown table */
export function validateRecord(table: TableName, name: string, record: unknown): void {
  if (!TABLE_NAMES.includes(table)) {
    throw new CfsError('TABLE_NOT_FOUND', `There is no table ${quoteName(table)}`, {
      hint: `Tables: ${TABLE_NAMES.join(', ')}.`,
    });
  }
  if (table === 'cluster') {
    if (name !== 'freeze' && !SETTINGS.some((setting) => setting.name === name)) {
      refuse(table, name, null, 'there is no such setting');
    }
  } else {
    const wrong = isPairTable(table) ? pairRule(name) : nameRule(name);
    if (wrong !== null) refuse(table, name, null, wrong);
  }
  const schema = table === 'cluster' ? settingSchema(name) : SCHEMAS[table];
  const result = v.safeParse(schema, record, { abortEarly: true });
  if (result.success) return;
  const issue = result.issues[0];
  const field = v.getDotPath(issue);
  if (issue.type === 'strict_object') {
    const unknown = issue.expected === 'never';
    refuse(table, name, field, unknown ? 'there is no such field' : field === null ? issue.message : 'it is missing');
  }
  refuse(table, name, field, issue.message);
}

/**
 * Validates what a change leaves behind; a removal leaves nothing.
 * @param format that of the generation to be
 * @throws CfsError as validateRecord; FORMAT_TOO_OLD for what an older cfs could not keep
 */
export function validateChange(change: Change, format: number = FORMAT): void {
  const { table, name, after } = change;
  if (after === null) return;
  validateRecord(table, name, after);
  const needed = formatOf(table, after);
  if (needed <= format) return;
  throw new CfsError(
    'FORMAT_TOO_OLD',
    `Table ${table}, record ${quoteName(name)} needs format ${needed}, the cluster has ${format}`,
    {
      hint: 'When all nodes have this cfs: cfs cluster upgrade',
      details: { table, name, format, needed },
    },
  );
}
