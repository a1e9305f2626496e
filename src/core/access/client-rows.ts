/** What `cfs client list` and `cfs client show` say of clients: records joined by client. One pass over each table. */
import { naturalCompare } from '../model/names.js';
import type { AccessRecord, ClientRecord, LogonRecord } from '../model/tables.js';
import type { Snapshot } from '../store/store.js';
import { desiredMode, type MountMode } from './desired.js';
import { accessOf, isMounted, logonOf, writerOf } from './look.js';
import { pairName, pairOf } from './pair.js';

export interface ClientRow extends ClientRecord {
  name: string;
  loggedOn: boolean;
  lastSeen: string | null;
  /** Why it is not logged on; null when nothing is to be said. */
  reason: string | null;
  mounted: string[];
  writes: string[];
  waits: string[];
}

/** Every client in natural order, with what it has mounted, writes and waits for. */
export function clientRows(snapshot: Snapshot): ClientRow[] {
  const rows = new Map<string, ClientRow>();
  const logons = snapshot.table('logons');
  for (const [name, record] of snapshot.table('clients').entries()) {
    rows.set(name, { name, ...record, ...logonFields(logons.get(name)), mounted: [], writes: [], waits: [] });
  }
  for (const name of snapshot.table('mounts').names()) {
    const { volume, client } = pairOf(name);
    rows.get(client)?.mounted.push(volume);
  }
  for (const [volume, { writer, queue }] of snapshot.table('writers').entries()) {
    if (writer !== null) rows.get(writer)?.writes.push(volume);
    for (const client of queue) rows.get(client)?.waits.push(volume);
  }
  for (const { mounted, writes, waits } of rows.values())
    for (const volumes of [mounted, writes, waits]) volumes.sort(naturalCompare);
  return [...rows.values()].sort((a, b) => naturalCompare(a.name, b.name));
}

function logonFields(logon: LogonRecord | undefined): Pick<ClientRow, 'loggedOn' | 'lastSeen' | 'reason'> {
  return { loggedOn: logon?.loggedOn ?? false, lastSeen: logon?.lastSeen ?? null, reason: logon?.reason ?? null };
}

/** What one client may do with one volume, and does. */
export interface ClientVolume extends AccessRecord {
  volume: string;
  mounted: boolean;
  /** What its host must have mounted. */
  mode: MountMode;
  isWriter: boolean;
  /** Its right to write is about to pass on: its mount is made read-only first. */
  givesUp: boolean;
  /** Place among those who wait for the right to write, from 1; null: it does not wait. */
  place: number | null;
  /** When its mount was made, or made anew; RFC 3339. */
  lastRefresh: string | null;
}

export interface ClientView extends ClientRecord, Pick<ClientRow, 'loggedOn' | 'lastSeen' | 'reason'> {
  name: string;
  /** In natural order: those that it has a right for, has mounted, writes or waits for. */
  volumes: ClientVolume[];
}

/** One client with its volumes. Reads the tables of rights, mounts and writers. @param name of a client that exists */
export function clientView(snapshot: Snapshot, name: string): ClientView {
  const volumes = new Set<string>();
  for (const table of ['access', 'mounts'] as const) {
    for (const pair of snapshot.table(table).names()) {
      const { volume, client } = pairOf(pair);
      if (client === name) volumes.add(volume);
    }
  }
  for (const [volume, { writer, queue }] of snapshot.table('writers').entries()) {
    if (writer === name || queue.includes(name)) volumes.add(volume);
  }
  return {
    name,
    ...snapshot.table('clients').get(name)!,
    ...logonFields(logonOf(snapshot, name)),
    volumes: [...volumes].sort(naturalCompare).map((volume) => clientVolume(snapshot, volume, name)),
  };
}

/** What the records say of a client and a volume. Costs a few look-ups. */
export function clientVolume(snapshot: Snapshot, volume: string, client: string): ClientVolume {
  const { writer, queue } = writerOf(snapshot, volume);
  const mode = desiredMode(snapshot, volume, client);
  const place = queue.indexOf(client) + 1;
  return {
    volume,
    ...accessOf(snapshot, volume, client),
    mounted: isMounted(snapshot, volume, client),
    mode,
    isWriter: writer === client,
    givesUp: writer === client && mode !== 'rw',
    place: place === 0 ? null : place,
    lastRefresh: snapshot.table('mounts').get(pairName(volume, client))?.lastRefresh ?? null,
  };
}
