/** `--wait DURATION`: the agents of all nodes, then those of the clients that the change concerns. */
import type { CfsError } from '../core/errors.js';
import type { TransactOutcome } from '../core/store/store.js';
import type { DirectoryCluster } from '../open.js';
import { convergedText, reportOf, type WaitReport, waitAfterChange, waitTimeout } from './wait.js';
import { clientsText, clientsTimeout, waitForClients } from './wait-clients.js';

export interface WaitEnd {
  report: WaitReport;
  /** The last line of a wait that succeeded. */
  text: string;
  /** Not all were there in time. */
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
  if (clients.length === 0) return { report, text, error: null };
  const isConverged = clients.every(({ isAwaited }) => !isAwaited);
  return {
    report: { ...report, converged: isConverged, clients: clients.map(({ isAwaited: _, ...client }) => client) },
    text: [...(look.nodes.length > 0 ? [text] : []), clientsText(clients, generation)].join('\n'),
    error: isConverged ? null : clientsTimeout(clients, { generation, changes, timeoutMs }, committed),
  };
}
