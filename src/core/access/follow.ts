/**
 * What follows when records of `access` and `volumeAccess` were put in place as a whole (a document, undo, restore) and not by the
 * operations that change one of them. As there: whoever may not mount loses its mount and its request, a volume that nobody may write
 * has no requests; and a writer that may not write any more stays recorded until its host has made the mount read-only (mustGiveUp).
 */
import { CfsError } from '../errors.js';
import { quoteName } from '../model/names.js';
import type { Draft, Snapshot } from '../store/store.js';
import { denyAll, endRequest } from './handover.js';
import { accessOf, isMounted, volumeAccessOf, writerOf } from './look.js';
import { pairName, pairOf } from './pair.js';

export interface ChangedRights {
  /** Names in the table `access`. */
  pairs: Iterable<string>;
  /** Names in the table `volumeAccess`. */
  volumes: Iterable<string>;
}

/** Costs a few look-ups for each right that changed. */
export function followRights(draft: Draft, { pairs, volumes }: ChangedRights, nowMs: number): void {
  const deny = (volume: string, client: string, message: string): void =>
    endRequest(draft, volume, client, { response: 'denied', message, nowMs });
  for (const name of pairs) {
    const { volume, client } = pairOf(name);
    const { mount, lockout } = accessOf(draft, volume, client);
    if (!mount) {
      deny(volume, client, 'it may not mount the volume any more');
      if (isMounted(draft, volume, client)) draft.remove('mounts', pairName(volume, client));
    } else if (lockout) deny(volume, client, 'it was locked out from asking for changes');
  }
  for (const volume of volumes) {
    const { enabled, readOnlyMedia } = volumeAccessOf(draft, volume);
    if (!enabled) denyAll(draft, volume, 'the volume was disabled', nowMs);
    else if (readOnlyMedia) denyAll(draft, volume, 'its media are read-only', nowMs);
  }
}

/** Before a volume becomes one of read-only media. @throws CfsError VOLUME_HAS_WRITER */
export function requireNoWriter(snapshot: Snapshot, volume: string): void {
  const { writer } = writerOf(snapshot, volume);
  if (writer === null) return;
  throw new CfsError('VOLUME_HAS_WRITER', `Volume ${quoteName(volume)} has the writer ${quoteName(writer)}`, {
    hint: `Take its right first: cfs volume disable ${volume}`,
    details: { volume, writer },
  });
}
