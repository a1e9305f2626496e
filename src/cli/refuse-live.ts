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
  /** What is refused, and what to do: `Node "n1" …: its agent has renewed its lease just now`. */
  refusal?: { says: string; hint: string };
}

const NOT_OFF = {
  says: 'is not off',
  hint: 'Turn it off first, or stop its agent. Nothing needs to be confirmed while it runs.',
};

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
    const { says, hint } = options.refusal ?? NOT_OFF;
    throw new CfsError('NODE_STATE', `Node ${quoteName(node)} ${says}: its agent has renewed its lease just now`, {
      hint,
      details: { node, lease: lease.seq },
    });
  }
  return first;
}
