/**
 * What a client's host must have mounted, by the tables alone. The order of things that keeps one writer:
 *
 *   taking   the tables name the writer first, and only then its host mounts for writing
 *   giving   the host's mount is read-only first, and only then the tables name another writer (handover.ts)
 *
 * So whoever dies between two steps leaves a mount that is less than the tables allow, never more. A client that is still named as
 * the writer, and whose desired mode is not `rw`, is one that gives up: its agent makes the mount read-only, then says so (operation
 * `access.given-up`). Without an agent the command does both.
 */
import type { Snapshot } from '../store/store.js';
import { accessOf, isLoggedOn, isMounted, volumeAccessOf, writerOf } from './look.js';

export type MountMode = 'none' | 'ro' | 'rw';

export function desiredMode(snapshot: Snapshot, volume: string, client: string): MountMode {
  const mode = modeUnlessYielding(snapshot, volume, client);
  return mode === 'rw' && writerOf(snapshot, volume).yields !== undefined ? 'ro' : mode;
}

/** The mode if a writer that is about to give its right up kept it. */
export function modeUnlessYielding(snapshot: Snapshot, volume: string, client: string): MountMode {
  if (!snapshot.table('volumes').has(volume) || !snapshot.table('clients').has(client)) return 'none';
  if (!isLoggedOn(snapshot, client) || !isMounted(snapshot, volume, client)) return 'none';
  if (!accessOf(snapshot, volume, client).mount) return 'none';
  if (writerOf(snapshot, volume).writer !== client) return 'ro';
  const { enabled, readOnlyMedia } = volumeAccessOf(snapshot, volume);
  return enabled && !readOnlyMedia ? 'rw' : 'ro';
}

/** Whether the client is named as the writer but must not write any more. */
export function mustGiveUp(snapshot: Snapshot, volume: string, client: string): boolean {
  return writerOf(snapshot, volume).writer === client && desiredMode(snapshot, volume, client) !== 'rw';
}
