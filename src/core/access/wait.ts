/**
 * What `--wait` waits for on the side of clients: until the agents of those that a change concerns have mounted what it says, and
 * writers that lost their right have given it up. Pure, from the newest snapshot and the leases.
 */
import type { Lease } from '../membership/leases.js';
import { naturalCompare } from '../model/names.js';
import type { RequestRecord, WriterRecord } from '../model/tables.js';
import type { Change, Snapshot } from '../store/store.js';
import { modeUnlessYielding, mustGiveUp } from './desired.js';
import { logonOf, writerOf } from './look.js';
import { pairName, pairOf } from './pair.js';

/** A client whose mounts a change concerns, and the volumes in question. */
export interface ConcernedClient {
  client: string;
  volumes: string[];
}

/** @param snapshot the one that the change led to */
export function concernedClients(snapshot: Snapshot, changes: readonly Change[]): ConcernedClient[] {
  const concerned = new Map<string, Set<string>>();
  const note = (client: string, volume: string | null): void => {
    const known = concerned.get(client) ?? new Set<string>();
    if (volume !== null) known.add(volume);
    concerned.set(client, known);
  };
  for (const { table, name, before, after } of changes) {
    if (table === 'access' || table === 'mounts') note(pairOf(name).client, pairOf(name).volume);
    else if (table === 'logons') note(name, null);
    else if (table === 'volumeAccess') noteWriter(name, writerOf(snapshot, name));
    else if (table === 'writers' && isOtherRight(before as WriterRecord | null, after as WriterRecord | null)) {
      for (const record of [before, after]) noteWriter(name, record as WriterRecord | null);
    }
  }
  return [...concerned]
    .map(([client, volumes]) => ({ client, volumes: [...volumes].sort(naturalCompare) }))
    .sort((a, b) => naturalCompare(a.client, b.client));

  function noteWriter(volume: string, record: WriterRecord | null): void {
    if (record !== null && record.writer !== null) note(record.writer, volume);
  }
}

/** Who only joins or leaves the queue, or marks the volume as modified, changes no mount. */
function isOtherRight(before: WriterRecord | null, after: WriterRecord | null): boolean {
  if (before?.writer !== after?.writer || before?.since !== after?.since) return true;
  return (before?.yields === undefined) !== (after?.yields === undefined);
}

export interface ClientProgress {
  client: string;
  /** Null: it has no lease. */
  released: number | null;
  /** Null: it has no lease, or its agent left. */
  applied: number | null;
  /** Volumes whose right to write it still has to give up. */
  givesUp: string[];
  isAwaited: boolean;
}

/**
 * How far the agents of clients are with a generation. One without a lease, whose agent left, or that was found gone is not waited for.
 * @param leases of clients, by client
 */
export function clientProgress(
  snapshot: Snapshot,
  generation: number,
  clients: readonly ConcernedClient[],
  leases: ReadonlyMap<string, Lease>,
): ClientProgress[] {
  return clients.map(({ client, volumes }) => {
    const lease = leases.get(client);
    const applied = lease?.applied ?? null;
    const isGone = lease !== undefined && lease.seq <= (logonOf(snapshot, client)?.lease ?? -1);
    const givesUp = volumes.filter((volume) => mustGiveUp(snapshot, volume, client));
    const hasAgent = lease !== undefined && applied !== null && !isGone;
    const isAwaited = hasAgent && (applied < generation || givesUp.length > 0);
    return { client, released: lease?.released ?? null, applied, givesUp, isAwaited };
  });
}

/** A right that was to be given up and was not. */
export interface KeptRight {
  volume: string;
  /** The writer, as before. */
  client: string;
  /** The request that was agreed to, as it was answered then; null: there was none, or its client has asked anew by now. */
  request: (RequestRecord & { from: string }) | null;
}

/**
 * Of a change by which writers agree to give up what they might keep (respond, releaseWrite): the rights that they keep after all, as
 * their agents found programs with files open, or the request ended otherwise.
 * @param then the generation that the change made @param now the newest
 */
export function keptRights(then: Snapshot, now: Snapshot, changes: readonly Change[]): KeptRight[] {
  const kept: KeptRight[] = [];
  for (const { table, name: volume } of changes) {
    if (table !== 'writers') continue;
    const { writer: client, since, yields } = writerOf(then, volume);
    const current = writerOf(now, volume);
    if (client === null || yields === undefined || modeUnlessYielding(then, volume, client) !== 'rw') continue;
    if (current.writer !== client || current.since !== since || current.yields !== undefined) continue;
    const from = yields.to;
    const request = from === null ? undefined : now.table('requests').get(pairName(volume, from));
    const asked = from === null ? undefined : then.table('requests').get(pairName(volume, from))?.asked;
    const isSame = from !== null && request !== undefined && request.asked === asked;
    kept.push({ volume, client, request: isSame ? { ...request, from } : null });
  }
  return kept;
}
