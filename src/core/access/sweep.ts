/**
 * The clients in `cfs failover --sweep`: who is gone, from the same observations as the nodes (core/membership/sweep.ts). As an agent
 * judges them (agent/client-watch.ts), without its random delay. Where no client ever logged on it costs one look into a table that is empty.
 */
import { clientHolder } from '../membership/leases.js';
import { leftReason, quietReason } from '../membership/reasons.js';
import type { SweepFindings, SweepLook, SweepObservations } from '../membership/sweep.js';
import { settingOf } from '../model/settings.js';
import type { QuietClient } from './logon.js';

/** An agent that left in order is back after a restart within so many lease intervals. */
const LEFT_INTERVALS = 2;

export interface ClientFindings {
  /** For `clientsLapsed`, in natural order of the table. */
  lapsed: QuietClient[];
  /** Clients whose lease was quiet up to now, but not for long enough; by holder. */
  watching: SweepFindings['watching'];
}

/**
 * Clients that are logged on, or still recorded as writers, and whose lease lapsed or says `left`. One that never had a lease is never
 * found, nor one that has logged on without an agent since.
 * @param look leases by holder @param observations of this look
 */
export function sweepClients(
  { snapshot, leases, timeoutOf }: Pick<SweepLook, 'snapshot' | 'leases' | 'timeoutOf'>,
  observations: SweepObservations,
): ClientFindings {
  const findings: ClientFindings = { lapsed: [], watching: [] };
  const logons = snapshot.table('logons');
  if (logons.count === 0) return findings;
  let writers: Set<string | null> | undefined;
  const writes = (client: string): boolean => {
    writers ??= new Set([...snapshot.table('writers').entries()].map(([, { writer }]) => writer));
    return writers.has(client);
  };
  for (const [client, logon] of logons.entries()) {
    const node = clientHolder(client);
    const lease = leases.get(node);
    if (lease === undefined) continue;
    const isNamed = lease.seq > (logon.lease ?? -1) && (logon.loggedOn || writes(client));
    if (!isNamed) continue;
    const hasLeft = lease.applied === null;
    const { quietMs } = observations.nodes[node]!;
    const timeoutMs = hasLeft ? LEFT_INTERVALS * settingOf(snapshot, 'lease.interval') : timeoutOf(node);
    if (quietMs < timeoutMs) findings.watching.push({ node, quietMs, timeoutMs });
    else if (hasLeft) findings.lapsed.push({ client, lease: lease.seq, why: leftReason(quietMs), left: true });
    else findings.lapsed.push({ client, lease: lease.seq, why: quietReason(quietMs, null) });
  }
  return findings;
}
