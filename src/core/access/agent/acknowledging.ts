/** What the lease may say of the newest generation read, by what is mounted (membership/leases.ts). */
import type { ClientMounts } from './client-mounts.js';
import type { ClientView, VolumeView } from './client-view.js';

/** Whether nothing may be mounted for writing that the tables do not give: RELEASED. */
export function hasReleased(view: ClientView, mounts: ClientMounts): boolean {
  for (const [volume, { epoch }] of mounts.writable()) {
    const item = view.volumes.get(volume);
    if (item?.desired !== 'rw' || item.since !== epoch) return false;
  }
  return true;
}

/** Whether everything is mounted as the tables wish, and nothing else: APPLIED. */
export function hasApplied(view: ClientView, mounts: ClientMounts, isOld: (item: VolumeView) => boolean): boolean {
  if (!mounts.isIdle) return false;
  for (const item of view.volumes.values()) {
    const { mode, epoch } = mounts.stateOf(item.volume);
    if (mode !== item.desired || (mode === 'rw' && epoch !== item.since) || isOld(item)) return false;
  }
  for (const volume of mounts.volumes()) if (!view.volumes.has(volume)) return false;
  return true;
}

/** A volume that may be mounted for writing, is not this client's to write, and could not be helped; null: there is none. */
export function lostVolume(view: ClientView, mounts: ClientMounts): string | null {
  for (const [volume, { epoch }] of mounts.writable()) {
    const item = view.volumes.get(volume);
    const isOurs = item?.isWriter === true && item.since === epoch;
    if (!isOurs && mounts.hasFailed(volume) && !mounts.isBusy(volume)) return volume;
  }
  return null;
}
