/** Changes as text: one line a record, `+` made, `-` removed, `~` changed field by field. The plan of every dry run. */
import type { AnyRecord, TableName } from '../core/model/tables.js';
import type { Change } from '../core/store/store.js';
import { escapeText } from './format.js';

/** What one record of a table is called. */
const NOUN: Record<TableName, string> = {
  cluster: 'setting',
  groups: 'group',
  domains: 'domain',
  nodes: 'node',
  membership: 'state of',
  fencing: 'fencing of',
  volumes: 'volume',
  placements: 'placement of',
  clients: 'client',
  logons: 'logon of',
  access: 'access',
  mounts: 'mount',
  volumeAccess: 'access to',
  writers: 'writer of',
  requests: 'request',
};

/** A value as one would type it: lists with commas, nothing as `-`, settings and text bare. */
export function valueText(value: unknown): string {
  if (value === null || value === undefined) return '-';
  if (Array.isArray(value)) return value.length === 0 ? '(none)' : value.map(valueText).join(',');
  if (typeof value === 'object') {
    return Object.entries(value)
      .map(([k, v]) => `${k} ${valueText(v)}`)
      .join(', ');
  }
  return escapeText(String(value));
}

/** Fields that say how a placement came about; shown by `cfs why`, they would drown a list of changes. */
const QUIET = new Set(['since', 'by', 'stage', 'rule']);

function fieldsText(record: AnyRecord, table: TableName): string {
  return Object.entries(record)
    .filter(([field, value]) => value !== null && !(table === 'placements' && QUIET.has(field)))
    .map(([field, value]) => `${field} ${valueText(value)}`)
    .join(', ');
}

/** One change as one line (without a line end). */
export function changeLine(change: Change): string {
  const { table, name, before, after } = change;
  const what = `${NOUN[table]} ${escapeText(name)}`;
  if (table === 'placements') {
    const from = (before as { node: string | null } | null)?.node ?? null;
    const placed = after as { node: string | null; unplaced: string | null } | null;
    if (placed === null) return `- ${what}: ${valueText(from)}`;
    const reason = placed.unplaced === null ? '' : ` (${placed.unplaced})`;
    return `~ ${what}: ${valueText(from)} -> ${valueText(placed.node)}${reason}`;
  }
  if (before === null) return `+ ${what}: ${fieldsText(after!, table)}`.replace(/: $/, '');
  if (after === null) return `- ${what}: ${fieldsText(before, table)}`.replace(/: $/, '');
  const old = before as unknown as Record<string, unknown>;
  const now = after as unknown as Record<string, unknown>;
  const parts: string[] = [];
  for (const field of new Set([...Object.keys(old), ...Object.keys(now)])) {
    const left = valueText(old[field]);
    const right = valueText(now[field]);
    if (left !== right) parts.push(`${field} ${left} -> ${right}`);
  }
  return `~ ${what}: ${parts.join('; ')}`;
}

/** Lines for a list of changes, at most `limit`; then one that says how many more there are and how to see them. */
export function changeLines(
  changes: readonly Change[],
  limit = Number.POSITIVE_INFINITY,
  more = '--json lists all',
): string[] {
  const lines = changes.slice(0, limit).map(changeLine);
  if (changes.length > limit) lines.push(`… and ${changes.length - limit} more changes (${more})`);
  return lines;
}

/** `3 volumes, 1 node` for a head line. */
export function countsText(counts: Partial<Record<TableName, number>>): string {
  const PLURAL: Record<TableName, [string, string]> = {
    cluster: ['setting', 'settings'],
    groups: ['group', 'groups'],
    domains: ['domain', 'domains'],
    nodes: ['node', 'nodes'],
    membership: ['node state', 'node states'],
    fencing: ['fencing', 'fencings'],
    volumes: ['volume', 'volumes'],
    placements: ['placement', 'placements'],
    clients: ['client', 'clients'],
    logons: ['logon', 'logons'],
    access: ['access right', 'access rights'],
    mounts: ['mount', 'mounts'],
    volumeAccess: ['write setting', 'write settings'],
    writers: ['writer', 'writers'],
    requests: ['write request', 'write requests'],
  };
  const parts: string[] = [];
  for (const [table, [one, many]] of Object.entries(PLURAL) as [TableName, [string, string]][]) {
    const n = counts[table] ?? 0;
    if (n > 0) parts.push(`${n} ${n === 1 ? one : many}`);
  }
  return parts.length === 0 ? 'nothing' : parts.join(', ');
}
