/** Refuses what must not be done to a node whose agent lives. */
import { CfsError } from '../core/errors.js';
import type { Lease } from '../core/membership/leases.js';
import { quoteName } from '../core/model/names.js';
import { settingOf } from '../core/model/settings.js';
import type { Clock } from '../core/platform/clock.js';
import type { Snapshot } from '../core/store/store.js';

export interface LiveOptions {
  snapshot: () => Snapshot;
  leases: () => ReadonlyMap<string, Lease>;
  clock: Pick<Clock, 'monotonicMs' | 'sleep'>;
}

/** Between two looks, ms. */
const POLL_MS = 100;

/**
 * Watches a node's lease for one and a half intervals of renewal.
 * @returns the lease, which was not renewed; undefined: it has none
 * @throws CfsError NODE_STATE when it was
 */
export async function refuseLive(node: string, options: LiveOptions): Promise<Lease | undefined> {
  const { clock, leases } = options;
  const first = leases().get(node);
  if (first === undefined || first.applied === null) return first;
  const untilMs = clock.monotonicMs() + 1.5 * settingOf(options.snapshot(), 'lease.interval');
  while (clock.monotonicMs() < untilMs) {
    await clock.sleep(POLL_MS);
    const lease = leases().get(node);
    if (lease === undefined || lease.seq === first.seq) continue;
    throw new CfsError('NODE_STATE', `Node ${quoteName(node)} is not off: its agent has renewed its lease just now`, {
      hint: 'Turn it off first, or stop its agent. Nothing needs to be confirmed while it runs.',
      details: { node, lease: lease.seq },
    });
  }
  return first;
}
