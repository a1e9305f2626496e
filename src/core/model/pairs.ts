/** Names of records that belong to a volume and a client: `VOLUME/CLIENT`. No name holds a `/`. */
import { nameRule } from './schema.js';
import type { TableName } from './tables.js';

const PAIR_TABLES: ReadonlySet<TableName> = new Set<TableName>(['access', 'mounts', 'requests']);

export function isPairTable(table: TableName): boolean {
  return PAIR_TABLES.has(table);
}

/** Null where it is a volume's and a client's name; else what is allowed. */
export function pairRule(name: string): string | null {
  const parts = name.split('/');
  if (parts.length !== 2) return 'it is named VOLUME/CLIENT';
  return nameRule(parts[0]) ?? nameRule(parts[1]);
}
