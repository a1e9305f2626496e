/** Refuses what must not be done to a node, or a client, whose agent lives. */
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
  /** Whose lease it is; default: a node's. */
  kind?: 'node' | 'client';
}

const NOT_OFF = {
  says: 'is not off',
  hint: 'Turn it off first, or stop its agent. Nothing needs to be confirmed while it runs.',
};

/** Between two looks, ms. */
const POLL_MS = 100;

/**
 * Watches the lease of a node (a client) for one and a half intervals of renewal.
 * @returns the lease, which was not renewed; undefined: it has none
 * @throws CfsError NODE_STATE (of a client AGENT_RUNNING) when it was
 */
export async function refuseLive(name: string, options: LiveOptions): Promise<Lease | undefined> {
  const { clock, leases } = options;
  const first = leases().get(name);
  if (first === undefined || first.applied === null) return first;
  const untilMs = clock.monotonicMs() + 1.5 * settingOf(options.snapshot(), 'lease.interval');
  while (clock.monotonicMs() < untilMs) {
    await clock.sleep(POLL_MS);
    const lease = leases().get(name);
    if (lease === undefined || lease.seq === first.seq) continue;
    const { says, hint } = options.refusal ?? NOT_OFF;
    const kind = options.kind ?? 'node';
    const who = `${kind === 'node' ? 'Node' : 'Client'} ${quoteName(name)}`;
    throw new CfsError(
      kind === 'node' ? 'NODE_STATE' : 'AGENT_RUNNING',
      `${who} ${says}: its agent has renewed its lease just now`,
      {
        hint,
        details: { [kind]: name, lease: lease.seq },
      },
    );
  }
  return first;
}
