/** `--wait DURATION`: the agents of all nodes, then those of the clients that the change concerns, then whether rights have passed on. */
import { logonOf } from '../core/access/look.js';
import type { CfsError } from '../core/errors.js';
import { clientLeasesOf } from '../core/membership/agents.js';
import type { TransactOutcome } from '../core/store/store.js';
import type { DirectoryCluster } from '../open.js';
import { convergedText, reportOf, type WaitReport, waitAfterChange, waitTimeout } from './wait.js';
import { clientsText, clientsTimeout, waitForClients } from './wait-clients.js';
import { keptError } from './wait-kept.js';

export interface WaitEnd {
  report: WaitReport;
  /** The last line of a wait that succeeded. */
  text: string;
  /** Not all were there in time; or a writer keeps what it was to give up. */
  error: CfsError | null;
}

/**
 * @param outcome of the change: the generation that it led to is waited for, made by it or not
 * @throws what reading the directory throws
 */
export async function waitForAll(
  cluster: DirectoryCluster,
  outcome: Pick<TransactOutcome<unknown>, 'generation' | 'changes' | 'committed'>,
  timeoutMs: number,
  isQuiet: boolean,
): Promise<WaitEnd> {
  const { generation, changes } = outcome;
  const committed = outcome.committed ? generation : null;
  const look = await waitAfterChange(cluster, generation, timeoutMs, isQuiet);
  const report = reportOf(look);
  const text = convergedText(look);
  if (!look.isConverged) return { report, text, error: waitTimeout(look, committed, timeoutMs) };
  const clients = await waitForClients(cluster, { generation, changes, timeoutMs: timeoutMs - look.waitedMs });
  const kept = keptError(cluster, outcome);
  if (clients.length === 0) {
    const isIdle = look.nodes.length === 0 && hasClientAgents(cluster);
    return { report, text: isIdle ? 'No agent has anything to do: nothing to wait for.' : text, error: kept };
  }
  const isConverged = clients.every(({ isAwaited }) => !isAwaited);
  return {
    report: {
      ...report,
      converged: isConverged && kept === null,
      clients: clients.map(({ isAwaited: _, ...client }) => client),
    },
    text: [...(look.nodes.length > 0 ? [text] : []), clientsText(clients, generation)].join('\n'),
    error: kept ?? (isConverged ? null : clientsTimeout(clients, { generation, changes, timeoutMs }, committed)),
  };
}

/** As in clientProgress: by the leases alone. */
function hasClientAgents(cluster: DirectoryCluster): boolean {
  const { platform, paths } = cluster.store.place;
  const snapshot = cluster.snapshot();
  for (const [client, { seq, applied }] of clientLeasesOf(platform, paths.leases)) {
    if (applied !== null && seq > (logonOf(snapshot, client)?.lease ?? -1)) return true;
  }
  return false;
}
