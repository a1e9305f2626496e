/**
 * The format of a generation: which records it may hold, so that programs of different versions can work on one cluster. Every
 * manifest says its own; a change keeps that of its base; `cfs cluster upgrade` raises it. See docs/FORMAT.md, "Versions of the format".
 */
import { CfsError } from '../errors.js';
import type { Processes } from '../platform/processes.js';
import type { Snapshot } from '../store/store.js';
import type { TableName } from './tables.js';

/** Newest format that this program reads and writes. */
export const FORMAT = 3;
/** Oldest format that it reads and writes. */
export const OLDEST_FORMAT = 1;

/** From this format on: table `fencing`, and what membership says of leases, of joining and of holding volumes back. */
export const AGENT_FORMAT = 2;
/** From this format on: the tables of access control. */
export const ACCESS_FORMAT = 3;

/** What each format brought, a sentence each, as `cfs cluster upgrade` says it. */
export const FORMAT_NEWS: ReadonlyMap<number, readonly string[]> = new Map([
  [
    2,
    [
      'Fencing before takeover is recorded (cfs fence, and the setting fencing.policy=required).',
      'A failed node is recorded with its lease, so that others start its volumes at once.',
      'Agents bring their nodes in by themselves, also after they left.',
      'Volumes wait until a node that was failed has stayed up (the setting failback.hold).',
    ],
  ],
  [3, ['Clients mount volumes, and each volume has at most one writer (cfs client, cfs volume request-write).']],
]);

const FIELDS: Partial<Record<TableName, readonly string[]>> = { membership: ['lease', 'mayJoin', 'held'] };
const TABLES: ReadonlyMap<TableName, number> = new Map<TableName, number>([
  ['fencing', AGENT_FORMAT],
  ...(['clients', 'logons', 'access', 'mounts', 'volumeAccess', 'writers', 'requests'] as const).map(
    (table): [TableName, number] => [table, ACCESS_FORMAT],
  ),
]);

/** Oldest format that may hold this record. */
export function formatOf(table: TableName, record: object): number {
  const needed = TABLES.get(table);
  if (needed !== undefined) return needed;
  return FIELDS[table]?.some((field) => Object.hasOwn(record, field)) ? AGENT_FORMAT : OLDEST_FORMAT;
}

/** Whether the cluster may hold `membership.lease`, `.mayJoin`, `.held` and the table `fencing`. */
export function allowsFormat2(snapshot: Pick<Snapshot, 'format'>): boolean {
  return snapshot.format >= AGENT_FORMAT;
}

/**
 * The newest format that this process knows. CFS_FORMAT_LIMIT in the environment lowers it: a rehearsal of an upgrade, in
 * which this program stands for an older one.
 * @throws CfsError BAD_VALUE for a limit that is no format of this program
 */
export function formatLimit(processes: Pick<Processes, 'env'>): number {
  const text = processes.env('CFS_FORMAT_LIMIT');
  if (text === undefined || text === '') return FORMAT;
  const limit = /^\d{1,3}$/.test(text) ? Number(text) : 0;
  if (limit >= OLDEST_FORMAT && limit <= FORMAT) return limit;
  throw new CfsError('BAD_VALUE', `CFS_FORMAT_LIMIT is ${JSON.stringify(text.slice(0, 40))}, which is no format`, {
    hint: `It is a number from ${OLDEST_FORMAT} to ${FORMAT}; without it this cfs knows all of them.`,
  });
}

/**
 * For operations that an older format has no room for.
 * @param what the sentence's subject: `Fencing`
 * @throws CfsError FORMAT_TOO_OLD
 */
export function requireFormat(snapshot: Pick<Snapshot, 'format'>, format: number, what: string): void {
  if (snapshot.format >= format) return;
  throw new CfsError(
    'FORMAT_TOO_OLD',
    `${what} needs format ${format}; the cluster is written in format ${snapshot.format}`,
    {
      hint: 'When all nodes have this cfs: cfs cluster upgrade',
      details: { format: snapshot.format, needed: format },
    },
  );
}
