/** What follows in access control when a volume is removed or renamed. Costs nothing where no client has ever been. */
import { CfsError } from '../errors.js';
import { someNames } from '../model/find.js';
import { quoteName } from '../model/names.js';
import type { Draft, Snapshot } from '../store/store.js';
import { writerOf } from './look.js';
import { pairName, pairOf } from './pair.js';

const PAIRS = ['access', 'mounts', 'requests'] as const;

/** Clients that have any of the volumes mounted or for writing, by volume. Reads the tables of mounts and writers. */
export function clientsUsing(snapshot: Snapshot, volumes: ReadonlySet<string>): Map<string, string[]> {
  const using = new Map<string, string[]>();
  const note = (volume: string, client: string): void => {
    if (!volumes.has(volume)) return;
    const known = using.get(volume) ?? [];
    if (!known.includes(client)) using.set(volume, [...known, client]);
  };
  if (snapshot.table('mounts').count > 0) {
    for (const name of snapshot.table('mounts').names()) note(pairOf(name).volume, pairOf(name).client);
  }
  if (snapshot.table('writers').count > 0) {
    for (const volume of volumes) {
      const { writer } = writerOf(snapshot, volume);
      if (writer !== null) note(volume, writer);
    }
  }
  return using;
}

/** @throws CfsError VOLUME_IN_USE naming a volume and the clients that have it mounted */
export function requireUnused(snapshot: Snapshot, volumes: readonly string[]): void {
  for (const [volume, clients] of clientsUsing(snapshot, new Set(volumes))) {
    throw new CfsError('VOLUME_IN_USE', `Volume ${quoteName(volume)} is mounted on ${someNames(clients)}`, {
      hint: `Unmount it first: cfs volume unmount ${volume} --client ${clients[0]}`,
      details: { volume, clients: clients.slice(0, 20) },
    });
  }
}

/** Takes every record of access control away, in one pass over each table, that names a volume which is gone. */
export function removeVolumeAccess(draft: Draft, volumes: readonly string[]): void {
  const gone = new Set(volumes);
  for (const table of PAIRS) {
    if (draft.table(table).count === 0) continue;
    for (const name of [...draft.table(table).names()]) if (gone.has(pairOf(name).volume)) draft.remove(table, name);
  }
  for (const table of ['volumeAccess', 'writers'] as const) {
    if (draft.table(table).count === 0) continue;
    for (const volume of gone) if (draft.table(table).has(volume)) draft.remove(table, volume);
  }
}

/** Moves the records of access control to a volume's other name. */
export function renameVolumeAccess(draft: Draft, from: string, to: string): void {
  for (const table of PAIRS) {
    if (draft.table(table).count === 0) continue;
    for (const [name, record] of [...draft.table(table).entries()]) {
      const { volume, client } = pairOf(name);
      if (volume !== from) continue;
      draft.remove(table, name);
      draft.put(table, pairName(to, client), record);
    }
  }
  const control = draft.table('volumeAccess').get(from);
  const writer = draft.table('writers').get(from);
  if (control !== undefined) draft.put('volumeAccess', to, control);
  if (writer !== undefined) draft.put('writers', to, writer);
  for (const table of ['volumeAccess', 'writers'] as const) if (draft.table(table).has(from)) draft.remove(table, from);
}
