/**
 * Who may do what with which volume, and does: the rows of `cfs volume access`. Sparse: a client and a volume that no record joins are
 * no pair, so the cost follows the records, not clients times volumes.
 */
import { naturalCompare } from '../model/names.js';
import type { Snapshot } from '../store/store.js';
import { type ClientVolume, clientVolume } from './client-rows.js';
import { isLoggedOn, pendingRequest, volumeAccessOf, writerOf } from './look.js';
import { pairName, pairOf } from './pair.js';

export interface MatrixVolume {
  name: string;
  enabled: boolean;
  readOnlyMedia: boolean;
  softwareLock: boolean;
}

export interface MatrixClient {
  name: string;
  loggedOn: boolean;
}

export interface MatrixPair extends ClientVolume {
  client: string;
  /** Its mount was made before the last modification that is known of. */
  stale: boolean;
}

/** A write request without an answer. */
export interface WaitingRequest {
  volume: string;
  client: string;
  /** Who has to answer; null: nobody writes. */
  writer: string | null;
  place: number;
  askedAt: string;
  message: string | null;
}

export interface GivingUp {
  volume: string;
  writer: string;
  /** Who gets the right, as far as it is agreed; null: nobody in particular. */
  to: string | null;
}

export interface AccessMatrix {
  volumes: MatrixVolume[];
  clients: MatrixClient[];
  /** By volume, then by client, in natural order. */
  pairs: MatrixPair[];
  /** Exist, but nothing is to be said of them. */
  leftOut: { volumes: number; clients: number };
  /** By volume, then in the order of asking. */
  waiting: WaitingRequest[];
  givingUp: GivingUp[];
}

/** Names of volumes and clients that exist; empty: all that have to do with the others. */
export interface MatrixWish {
  volumes: readonly string[];
  clients: readonly string[];
  /** Volumes and clients too of which nothing is to be said. */
  all?: boolean;
}

/** As many pairs are looked up one by one rather than found by reading the tables whole. */
const FEW_PAIRS = 1000;

export function accessMatrix(snapshot: Snapshot, wish: MatrixWish): AccessMatrix {
  const found = pairsOf(snapshot, wish);
  const volumes = new Set(wish.volumes);
  const clients = new Set(wish.clients);
  if (wish.volumes.length === 0) {
    for (const volume of found.keys()) volumes.add(volume);
    for (const volume of wish.all ? snapshot.table('volumes').names() : unusualVolumes(snapshot)) volumes.add(volume);
  }
  if (wish.clients.length === 0) {
    for (const names of found.values()) for (const client of names) clients.add(client);
    if (wish.all) for (const client of snapshot.table('clients').names()) clients.add(client);
  }
  const matrix: AccessMatrix = {
    volumes: [...volumes].sort(naturalCompare).map((name) => ({ name, ...volumeAccessOf(snapshot, name) })),
    clients: [...clients].sort(naturalCompare).map((name) => ({ name, loggedOn: isLoggedOn(snapshot, name) })),
    pairs: [],
    leftOut: {
      volumes: wish.volumes.length > 0 ? 0 : snapshot.table('volumes').count - volumes.size,
      clients: wish.clients.length > 0 ? 0 : snapshot.table('clients').count - clients.size,
    },
    waiting: [],
    givingUp: [],
  };
  for (const { name: volume } of matrix.volumes) addVolume(snapshot, matrix, volume, found.get(volume) ?? new Set());
  return matrix;
}

function addVolume(snapshot: Snapshot, matrix: AccessMatrix, volume: string, clients: ReadonlySet<string>): void {
  const { writer, yields, queue, modified } = writerOf(snapshot, volume);
  for (const client of [...clients].sort(naturalCompare)) {
    const pair = clientVolume(snapshot, volume, client);
    const refreshed = snapshot.table('mounts').get(pairName(volume, client))?.refreshed;
    const stale = pair.mode === 'ro' && refreshed !== undefined && refreshed < modified;
    matrix.pairs.push({ client, ...pair, stale });
    if (pair.givesUp) matrix.givingUp.push({ volume, writer: client, to: yields?.to ?? null });
  }
  for (const [at, client] of queue.entries()) {
    const request = clients.has(client) ? pendingRequest(snapshot, volume, client) : undefined;
    if (request === undefined) continue;
    const { askedAt, message } = request;
    matrix.waiting.push({ volume, client, writer, place: at + 1, askedAt, message });
  }
}

/** Volumes that differ from what holds where there is no record. */
function* unusualVolumes(snapshot: Snapshot): Iterable<string> {
  for (const [volume, { enabled, readOnlyMedia, softwareLock }] of snapshot.table('volumeAccess').entries()) {
    if (!enabled || readOnlyMedia || softwareLock) yield volume;
  }
}

/** The clients that records join with each volume. */
function pairsOf(snapshot: Snapshot, wish: MatrixWish): Map<string, Set<string>> {
  const found = new Map<string, Set<string>>();
  const add = (volume: string, client: string): void => {
    const known = found.get(volume);
    if (known === undefined) found.set(volume, new Set([client]));
    else known.add(client);
  };
  const asked = wish.volumes.length * wish.clients.length;
  if (asked > 0 && asked <= FEW_PAIRS) {
    for (const volume of wish.volumes) {
      for (const client of wish.clients) if (isJoined(snapshot, volume, client)) add(volume, client);
    }
    return found;
  }
  const volumes = new Set(wish.volumes);
  const clients = new Set(wish.clients);
  const note = (volume: string, client: string): void => {
    if (volumes.size > 0 && !volumes.has(volume)) return;
    if (clients.size === 0 || clients.has(client)) add(volume, client);
  };
  for (const table of ['access', 'mounts'] as const) {
    for (const name of snapshot.table(table).names()) {
      const { volume, client } = pairOf(name);
      note(volume, client);
    }
  }
  for (const volume of volumes.size > 0 ? volumes : snapshot.table('writers').names()) {
    const { writer, queue } = writerOf(snapshot, volume);
    if (writer !== null) note(volume, writer);
    for (const client of queue) note(volume, client);
  }
  return found;
}

function isJoined(snapshot: Snapshot, volume: string, client: string): boolean {
  const name = pairName(volume, client);
  if (snapshot.table('access').has(name) || snapshot.table('mounts').has(name)) return true;
  const { writer, queue } = writerOf(snapshot, volume);
  return writer === client || queue.includes(client);
}
