/** The second half of `--wait DURATION`: the agents of the clients whose mounts the change concerns. */
import { type ClientProgress, clientProgress, concernedClients } from '../core/access/wait.js';
import { CfsError } from '../core/errors.js';
import { clientLeasesOf } from '../core/membership/agents.js';
import { formatDuration } from '../core/model/units.js';
import type { Change } from '../core/store/store.js';
import type { DirectoryCluster } from '../open.js';

/** Between two looks, ms. A look is one listing, and the newest generation where there is a newer one. */
const POLL_MS = 100;

export interface ClientWait {
  generation: number;
  changes: readonly Change[];
  timeoutMs: number;
}

/** Clients that had an agent, each with where it is; nothing where the change concerns no client. @throws what reading throws */
export async function waitForClients(
  cluster: DirectoryCluster,
  { generation, changes, timeoutMs }: ClientWait,
): Promise<ClientProgress[]> {
  const clients = concernedClients(cluster.snapshot(generation), changes);
  if (clients.length === 0) return [];
  const { platform, paths } = cluster.store.place;
  const endMs = platform.clock.monotonicMs() + timeoutMs;
  const awaited = new Set<string>();
  for (;;) {
    const leases = clientLeasesOf(platform, paths.leases);
    const progress = clientProgress(cluster.snapshot(), generation, clients, leases);
    for (const { client, isAwaited } of progress) if (isAwaited) awaited.add(client);
    const isOver = progress.every(({ isAwaited }) => !isAwaited) || platform.clock.monotonicMs() >= endMs;
    if (isOver) return progress.filter(({ client, applied }) => awaited.has(client) || applied !== null);
    await platform.clock.sleep(POLL_MS);
  }
}

/** The last line of a wait that succeeded. */
export function clientsText(clients: readonly ClientProgress[], generation: number): string {
  const [one] = clients;
  const whose =
    clients.length === 1 ? `The agent of client ${one!.client} has` : `The agents of ${clients.length} clients have`;
  return `${whose} applied generation ${generation}.`;
}

/** Clients that are named of those that are waited for. */
const NAMED = 5;

export function clientsTimeout(
  clients: readonly ClientProgress[],
  wait: ClientWait,
  committed: number | null,
): CfsError {
  const late = clients.filter(({ isAwaited }) => isAwaited);
  const named = late.slice(0, NAMED).map(({ client, givesUp, applied }) => {
    const what =
      givesUp.length > 0 ? `still has to give ${givesUp.slice(0, NAMED).join(', ')} up` : `applied ${applied ?? '-'}`;
    return `${client} (${what})`;
  });
  if (late.length > NAMED) named.push(`${late.length - NAMED} more`);
  const stands = committed === null ? 'Nothing was to be changed' : `Generation ${committed} is committed`;
  return new CfsError(
    'WAIT_TIMEOUT',
    `${stands}, but after ${formatDuration(wait.timeoutMs)} not all clients have applied it: ${named.join(', ')}`,
    {
      hint: `Their agents go on by themselves. See what keeps them: cfs client show ${late[0]?.client ?? 'CLIENT'}`,
      details: { generation: wait.generation, committed, clients: late.map(({ client }) => client) },
    },
  );
}
