/** What the lease may say of the newest generation read, by what is mounted (membership/leases.ts). */
import type { Renewals } from '../../agent/renewals.js';
import type { ClientMounts } from './client-mounts.js';
import type { ClientView, VolumeView } from './client-view.js';

/** Whether nothing may be mounted for writing that the tables do not give: RELEASED. */
function hasReleased(view: ClientView, mounts: ClientMounts): boolean {
  for (const [volume, { epoch }] of mounts.writable()) {
    const item = view.volumes.get(volume);
    if (item?.desired !== 'rw' || item.since !== epoch) return false;
  }
  return true;
}

/** Volumes that are not mounted as the tables wish, or are being mounted just now; APPLIED waits for them. */
function volumesBehind(view: ClientView, mounts: ClientMounts, isOld: (item: VolumeView) => boolean): string[] {
  const behind: string[] = [];
  for (const item of view.volumes.values()) {
    const { mode, epoch } = mounts.stateOf(item.volume);
    const isAsWished = mode === item.desired && (mode !== 'rw' || epoch === item.since);
    if (!isAsWished || mounts.isBusy(item.volume) || isOld(item)) behind.push(item.volume);
  }
  for (const volume of mounts.volumes()) if (!view.volumes.has(volume)) behind.push(volume);
  return behind;
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

export class Acknowledging {
  /** What APPLIED waits for, by the last step; the lease names it, so that who waits for one volume need not wait for another. */
  behind: string[] = [];

  constructor(
    private readonly parts: {
      view: ClientView;
      mounts: ClientMounts;
      renewals: Pick<Renewals, 'released' | 'applied' | 'tellSoon'>;
      isOld: (item: VolumeView) => boolean;
    },
  ) {}

  /** After everything that was done in a turn. @param isEnding everything is being unmounted: nothing more is applied */
  step(isEnding: boolean): void {
    const { view, mounts, renewals, isOld } = this.parts;
    if (!hasReleased(view, mounts)) return;
    renewals.released(view.generation);
    if (isEnding) return;
    const behind = volumesBehind(view, mounts, isOld);
    if (behind.length === 0 && mounts.isIdle) renewals.applied(view.generation);
    else if (this.behind.some((volume) => !behind.includes(volume))) renewals.tellSoon();
    this.behind = behind;
  }
}
