/** What `cfs agentd status` shows of a client's volumes. */
import type { ClientMounts } from './client-mounts.js';
import type { ClientView } from './client-view.js';
import type { ClientStatus } from './ports.js';

/** Volumes that are mounted, or should be, or that the client writes. */
export function statusOf(view: ClientView, mounts: ClientMounts): ClientStatus['volumes'] {
  const names = new Set([...view.volumes.keys(), ...mounts.volumes()]);
  return [...names].map((volume) => {
    const item = view.volumes.get(volume);
    const { mode } = mounts.stateOf(volume);
    return {
      volume,
      // What nobody knows may be for writing.
      mode: mode === 'unknown' ? 'rw' : mode,
      desired: item?.desired ?? 'none',
      epoch: item?.isWriter === true ? item.since : null,
      why: mounts.whyOf(volume),
    };
  });
}
