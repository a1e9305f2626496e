/** What a generation changed of who may do what with volumes, and does. For `cfs watch` and `cfs history`. */
import type {
  AccessRecord,
  AnyRecord,
  LogonRecord,
  RequestRecord,
  RequestResponse,
  TableName,
  VolumeAccessRecord,
  WriterRecord,
} from '../model/tables.js';
import type { Change } from '../store/store.js';
import { ACCESS_DEFAULTS, VOLUME_ACCESS_DEFAULTS } from './look.js';
import { pairOf } from './pair.js';

/** The tables that say it; a generation that changed none of them is no change of access. */
export const ACCESS_TABLES = [
  'clients',
  'logons',
  'access',
  'mounts',
  'volumeAccess',
  'writers',
  'requests',
] as const satisfies readonly TableName[];

/** One thing that happened. */
export type AccessEvent =
  | { kind: 'client'; client: string; what: 'added' | 'changed' | 'removed' }
  /** `gone`: it was found gone, or said to be off. */
  | { kind: 'logon'; client: string; what: 'on' | 'off' | 'gone'; reason: string | null }
  | {
      kind: 'right';
      volume: string;
      client: string;
      what: 'allowed' | 'denied' | 'locked-out' | 'unlocked' | 'refreshing';
    }
  | { kind: 'mount'; volume: string; client: string; what: 'mounted' | 'unmounted' | 'refreshed' }
  | { kind: 'volume'; volume: string; what: 'enabled' | 'disabled' | 'controlled' }
  | { kind: 'writer'; volume: string; from: string | null; to: string | null }
  | { kind: 'yield'; volume: string; writer: string; to: string | null; force: boolean }
  | { kind: 'kept'; volume: string; writer: string }
  | { kind: 'modified'; volume: string; writer: string | null }
  | { kind: 'asked'; volume: string; client: string; writer: string; message: string | null }
  | {
      kind: 'answered';
      volume: string;
      client: string;
      response: Exclude<RequestResponse, 'pending'>;
      message: string | null;
    };

/** Whether a generation with these counts changed anything of access. */
export function changesAccess(counts: Partial<Record<TableName, number>>): boolean {
  return ACCESS_TABLES.some((table) => (counts[table] ?? 0) > 0);
}

type Teller = (name: string, before: AnyRecord | null, after: AnyRecord | null) => AccessEvent[];

/** In the order of the changes. What follows from another event (the mount of a new writer) is told once. */
export function accessEvents(changes: readonly Change[]): AccessEvent[] {
  const events = changes.flatMap(({ table, name, before, after }) => TELLERS[table]?.(name, before, after) ?? []);
  const logged = new Set(events.flatMap((event) => (event.kind === 'logon' ? [event.client] : [])));
  const writers = events.flatMap((event) => (event.kind === 'writer' ? [event] : []));
  const gained = new Set(writers.map(({ volume, to }) => `${volume}/${to}`));
  const lost = new Set(writers.map(({ volume, from }) => `${volume}/${from}`));
  const removed = new Set(
    events.flatMap((event) => (event.kind === 'client' && event.what === 'removed' ? [event.client] : [])),
  );
  return events.filter((event) => {
    if (event.kind === 'right') return !removed.has(event.client);
    if (event.kind !== 'mount') return true;
    if (removed.has(event.client) || logged.has(event.client)) return false;
    const pair = `${event.volume}/${event.client}`;
    return !gained.has(pair) && !(event.what === 'refreshed' && lost.has(pair));
  });
}

const TELLERS: Partial<Record<TableName, Teller>> = {
  clients: (client, before, after) => [
    { kind: 'client', client, what: before === null ? 'added' : after === null ? 'removed' : 'changed' },
  ],
  logons: (client, before, after) => logonEvents(client, before as LogonRecord | null, after as LogonRecord | null),
  access: (name, before, after) => rightEvents(name, before as AccessRecord | null, after as AccessRecord | null),
  mounts: (name, before, after) => [
    { kind: 'mount', ...pairOf(name), what: before === null ? 'mounted' : after === null ? 'unmounted' : 'refreshed' },
  ],
  volumeAccess: (volume, before, after) =>
    volumeEvents(volume, before as VolumeAccessRecord | null, after as VolumeAccessRecord | null),
  writers: (volume, before, after) => writerEvents(volume, before as WriterRecord | null, after as WriterRecord | null),
  requests: (name, before, after) => requestEvents(name, before as RequestRecord | null, after as RequestRecord | null),
};

function logonEvents(client: string, before: LogonRecord | null, after: LogonRecord | null): AccessEvent[] {
  if (after === null || (before?.loggedOn ?? false) === after.loggedOn) return [];
  if (after.loggedOn) return [{ kind: 'logon', client, what: 'on', reason: null }];
  const isGone = after.lease !== undefined && after.lease !== before?.lease;
  return [{ kind: 'logon', client, what: isGone ? 'gone' : 'off', reason: after.reason }];
}

function rightEvents(name: string, before: AccessRecord | null, after: AccessRecord | null): AccessEvent[] {
  const pair = pairOf(name);
  const [was, is] = [before ?? ACCESS_DEFAULTS, after ?? ACCESS_DEFAULTS];
  const events: AccessEvent[] = [];
  if (was.mount !== is.mount) events.push({ kind: 'right', ...pair, what: is.mount ? 'allowed' : 'denied' });
  if (was.lockout !== is.lockout) events.push({ kind: 'right', ...pair, what: is.lockout ? 'locked-out' : 'unlocked' });
  const isOther = was.autoUpdate !== is.autoUpdate || was.autoUpdateIntervalMs !== is.autoUpdateIntervalMs;
  return events.length === 0 && isOther && after !== null ? [{ kind: 'right', ...pair, what: 'refreshing' }] : events;
}

function volumeEvents(
  volume: string,
  before: VolumeAccessRecord | null,
  after: VolumeAccessRecord | null,
): AccessEvent[] {
  const [was, is] = [before ?? VOLUME_ACCESS_DEFAULTS, after ?? VOLUME_ACCESS_DEFAULTS];
  const events: AccessEvent[] = [];
  if (was.enabled !== is.enabled) events.push({ kind: 'volume', volume, what: is.enabled ? 'enabled' : 'disabled' });
  const isOther = was.softwareLock !== is.softwareLock || was.readOnlyMedia !== is.readOnlyMedia;
  return isOther ? [...events, { kind: 'volume', volume, what: 'controlled' }] : events;
}

function writerEvents(volume: string, before: WriterRecord | null, after: WriterRecord | null): AccessEvent[] {
  const [from, to] = [before?.writer ?? null, after?.writer ?? null];
  if (from !== to) return [{ kind: 'writer', volume, from, to }];
  const [was, is] = [before?.yields, after?.yields];
  const events: AccessEvent[] = [];
  if (to !== null && is !== undefined && (was === undefined || was.to !== is.to || was.force !== is.force)) {
    events.push({ kind: 'yield', volume, writer: to, to: is.to, force: is.force });
  }
  if (to !== null && was !== undefined && is === undefined) events.push({ kind: 'kept', volume, writer: to });
  const isModified = (after?.modified ?? 0) > (before?.modified ?? 0);
  return isModified ? [...events, { kind: 'modified', volume, writer: to }] : events;
}

function requestEvents(name: string, before: RequestRecord | null, after: RequestRecord | null): AccessEvent[] {
  if (after === null) return [];
  const pair = pairOf(name);
  const { asked, to, message, response, responseMessage } = after;
  const events: AccessEvent[] = [];
  if (before?.asked !== asked) events.push({ kind: 'asked', ...pair, writer: to, message });
  if (response !== 'pending' && (before?.asked !== asked || before.response === 'pending')) {
    events.push({ kind: 'answered', ...pair, response, message: responseMessage });
  }
  return events;
}
