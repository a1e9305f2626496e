/** A person says that a client is off: what `cfs client logoff --fenced` asks for. */
import { clientsLapsed, type LapsedRequest, type LapsedResult } from '../core/access/logon.js';
import { CfsError } from '../core/errors.js';
import { clientLeasesOf } from '../core/membership/agents.js';
import { frozenReason } from '../core/membership/reasons.js';
import { quoteName } from '../core/model/names.js';
import type { Operation } from '../core/operation.js';
import type { DirectoryCluster } from '../open.js';
import { refuseLive } from './refuse-live.js';

export interface GoneWish {
  client: string;
  /** What the person says. */
  message: string | null;
}

/**
 * Watches the client's lease for a moment, and gives what is to be committed; under the lock the lease is looked at again.
 * @throws CfsError AGENT_RUNNING (its lease moves), CLUSTER_FROZEN
 */
export async function confirmedGone(
  cluster: DirectoryCluster,
  { client, message }: GoneWish,
): Promise<{ operation: Operation<LapsedRequest, LapsedResult>; request: LapsedRequest }> {
  const { platform, paths } = cluster.store.place;
  const leases = () => clientLeasesOf(platform, paths.leases);
  const frozen = frozenReason(cluster.snapshot(), platform.clock.nowMs());
  if (frozen !== null) {
    throw new CfsError('CLUSTER_FROZEN', `Client ${quoteName(client)} is not logged off: ${frozen}`, {
      hint: 'End it with: cfs cluster unfreeze',
      details: { client },
    });
  }
  const lease = await refuseLive(client, {
    snapshot: () => cluster.snapshot(),
    leases,
    clock: platform.clock,
    kind: 'client',
  });
  const { user, sudoUser, host } = platform.processes.actor();
  const fenced = `confirmed by ${sudoUser ?? user}@${host}${message === null ? '' : `: ${message}`}`;
  const why = 'it was said to be off';
  // A client that never had an agent has no lease that could show a higher number.
  const request = { clients: [{ client, lease: lease?.seq ?? 0, why, fenced }] };
  const stillQuiet = (name: string, seq: number) => (leases().get(name)?.seq ?? 0) === seq;
  return { operation: refusingWhatLives(stillQuiet), request };
}

function refusingWhatLives(
  stillQuiet: (client: string, seq: number) => boolean,
): Operation<LapsedRequest, LapsedResult> {
  return {
    ...clientsLapsed,
    run(draft, request, context) {
      const result = clientsLapsed.run(draft, { ...request, stillQuiet }, context);
      for (const { client, lease } of request.clients) {
        if (stillQuiet(client, lease)) continue;
        throw new CfsError(
          'AGENT_RUNNING',
          `Client ${quoteName(client)} is not off: its agent has renewed its lease just now`,
          {
            hint: 'Turn it off first, or stop its agent.',
            details: { client },
          },
        );
      }
      return result;
    },
  };
}
