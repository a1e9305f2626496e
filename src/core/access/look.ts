/** Reading the tables of access control, with what holds where there is no record. Each costs one record. */
import type { AccessRecord, LogonRecord, RequestRecord, VolumeAccessRecord, WriterRecord } from '../model/tables.js';
import type { Snapshot } from '../store/store.js';
import { pairName } from './pair.js';

export const ACCESS_DEFAULTS: AccessRecord = {
  mount: false,
  lockout: false,
  autoUpdate: false,
  autoUpdateIntervalMs: 30_000,
};

export const VOLUME_ACCESS_DEFAULTS: VolumeAccessRecord = { enabled: true, softwareLock: false, readOnlyMedia: false };

const NO_WRITER: WriterRecord = { writer: null, since: 1, queue: [], modified: 0, lastModified: null };

export function accessOf(snapshot: Snapshot, volume: string, client: string): AccessRecord {
  return snapshot.table('access').get(pairName(volume, client)) ?? ACCESS_DEFAULTS;
}

export function volumeAccessOf(snapshot: Snapshot, volume: string): VolumeAccessRecord {
  return snapshot.table('volumeAccess').get(volume) ?? VOLUME_ACCESS_DEFAULTS;
}

export function writerOf(snapshot: Snapshot, volume: string): WriterRecord {
  return snapshot.table('writers').get(volume) ?? NO_WRITER;
}

export function logonOf(snapshot: Snapshot, client: string): LogonRecord | undefined {
  return snapshot.table('logons').get(client);
}

export function isLoggedOn(snapshot: Snapshot, client: string): boolean {
  return logonOf(snapshot, client)?.loggedOn ?? false;
}

export function isMounted(snapshot: Snapshot, volume: string, client: string): boolean {
  return snapshot.table('mounts').has(pairName(volume, client));
}

/** The request of this client for this volume that waits for an answer. */
export function pendingRequest(snapshot: Snapshot, volume: string, client: string): RequestRecord | undefined {
  const request = snapshot.table('requests').get(pairName(volume, client));
  return request?.response === 'pending' ? request : undefined;
}

/**
 * The host on which commands mount for the client, as long as something may be mounted there: it is logged on, or still a writer. Null:
 * there is none.
 */
export function mountingHost(snapshot: Snapshot, client: string): string | null {
  const logon = logonOf(snapshot, client);
  if (logon?.host === undefined) return null;
  return logon.loggedOn || volumesWrittenBy(snapshot, client).length > 0 ? logon.host : null;
}

/** Volumes whose writer is the client. Reads the whole table: for logging off, never for looking up. */
export function volumesWrittenBy(snapshot: Snapshot, client: string): string[] {
  const volumes: string[] = [];
  for (const [volume, { writer }] of snapshot.table('writers').entries()) if (writer === client) volumes.push(volume);
  return volumes;
}

/** Volumes that the client has mounted. Reads the whole table. */
export function volumesMountedBy(snapshot: Snapshot, client: string): string[] {
  const volumes: string[] = [];
  const end = `/${client}`;
  for (const name of snapshot.table('mounts').names()) {
    if (name.endsWith(end)) volumes.push(name.slice(0, -end.length));
  }
  return volumes;
}

/** Volumes for which the client waits. Reads the whole table of writers. */
export function volumesAwaitedBy(snapshot: Snapshot, client: string): string[] {
  const volumes: string[] = [];
  for (const [volume, { queue }] of snapshot.table('writers').entries())
    if (queue.includes(client)) volumes.push(volume);
  return volumes;
}
