/** `cfs failover --sweep` for clients: fences them where this host has a command for it, logs them off, and says so. */
import type { NodeFencing } from '../agentd/fencing.js';
import { clientsLapsed, type LapsedRequest, type LapsedResult, type QuietClient } from '../core/access/logon.js';
import { listClientLeases } from '../core/membership/leases.js';
import { settingOf } from '../core/model/settings.js';
import type { Operation } from '../core/operation.js';
import type { TransactOutcome } from '../core/store/store.js';
import type { DirectoryCluster } from '../open.js';

export interface SweepClientsParts {
  cluster: DirectoryCluster;
  /** This host's command, for clients. */
  fencing: NodeFencing | null;
  /** The node that this is. */
  self: string;
  /** The client that this host is, which does not turn itself off; null: none. */
  ownClient: string | null;
  isDryRun: boolean;
  onStep: (text: string) => void;
}

export interface SweptClients {
  /** For `clientsLapsed`. */
  quiet: QuietClient[];
  fenced: { client: string; ok: boolean; message: string }[];
  /** On a dry run: who would be fenced. */
  wouldFence: string[];
  /** Clients that must be fenced first, and are not. */
  waits: { client: string; why: string }[];
}

/** Fences whoever is to be fenced; those that left in order are not. */
export async function fenceClients(quiet: readonly QuietClient[], parts: SweepClientsParts): Promise<SweptClients> {
  const swept: SweptClients = { quiet: [], fenced: [], wouldFence: [], waits: [] };
  if (quiet.length === 0) return swept;
  const isRequired = settingOf(parts.cluster.snapshot(), 'fencing.policy') === 'required';
  // At once: one that takes its whole time must not keep the others waiting.
  const done = await Promise.all(quiet.map((item) => (item.left ? item : fencedClient(item, parts, swept))));
  for (const item of done) {
    const { client, why, left, fenced } = item;
    // Held back whatever the policy is, as with nodes.
    const hasFailed = swept.fenced.some((result) => result.client === client && !result.ok);
    const reason = isRequired ? ' (fencing.policy=required)' : hasFailed ? ': the command failed' : null;
    if (left || fenced !== undefined || reason === null) swept.quiet.push(item);
    else swept.waits.push({ client, why: `${why}; waits to be fenced${reason}` });
  }
  return swept;
}

async function fencedClient(quiet: QuietClient, parts: SweepClientsParts, swept: SweptClients): Promise<QuietClient> {
  const { cluster, fencing, self, ownClient, isDryRun, onStep } = parts;
  const { client } = quiet;
  if (fencing === null || client === ownClient) return quiet;
  if (isDryRun) {
    swept.wouldFence.push(client);
    return { ...quiet, fenced: `fenced by node ${self}` };
  }
  onStep(`Fencing client ${client}`);
  const result = await fencing.fence(client).then(
    (message) => ({ ok: true, message }),
    (error: Error) => ({ ok: false, message: error.message }),
  );
  swept.fenced.push({ client, ...result });
  if (!result.ok) return quiet;
  // It may have renewed until it was off.
  const { platform, paths } = cluster.store.place;
  const lease = listClientLeases(platform, paths.leases).get(client)?.seq ?? quiet.lease;
  return { ...quiet, lease, fenced: `fenced by node ${self}: ${result.message}` };
}

/** `clientsLapsed`, which looks at the leases again under the lock. */
export function logOffQuiet(cluster: DirectoryCluster): Operation<LapsedRequest, LapsedResult> {
  const { platform, paths } = cluster.store.place;
  const stillQuiet = (client: string, seq: number) => listClientLeases(platform, paths.leases).get(client)?.seq === seq;
  return {
    ...clientsLapsed,
    run: (draft, request, context) => clientsLapsed.run(draft, { ...request, stillQuiet }, context),
  };
}

/** What was done before the commit, a line each. */
export function describeFencedClients({ fenced, wouldFence }: SweptClients): string[] {
  return [
    ...fenced.map(
      ({ client, ok, message }) => `client ${client} ${ok ? 'is fenced' : 'could not be fenced'}: ${message}`,
    ),
    ...wouldFence.map((client) => `client ${client} would be fenced first.`),
  ];
}

/** A line per client: `c3 logged off: lease quiet for 10.2 s; v1 may be written by c2 now`. */
export function describeLapsed({ quiet, waits }: SweptClients, { lapsed, leftAlone }: LapsedResult): string[] {
  const lines = lapsed.map(({ client, writers }) => {
    const why = quiet.find((item) => item.client === client)?.why;
    const volumes = writers.map(({ volume, writer }) =>
      writer === null ? `${volume} has no writer now` : `${volume} may be written by ${writer} now`,
    );
    return [`${client} logged off: ${why}`, ...volumes].join('; ');
  });
  for (const { client, why } of leftAlone) lines.push(`client ${client}: ${why}`);
  for (const { client, why } of waits) {
    lines.push(`client ${client}: ${why}; cfs client logoff ${client} --fenced says that it is off`);
  }
  return lines;
}

/** What two changes of one command come to. */
export function bothOf<A, B>(first: TransactOutcome<A>, second: TransactOutcome<B>): TransactOutcome<null> {
  return {
    value: null,
    changes: [...first.changes, ...second.changes],
    base: first.committed ? first.base : second.base,
    generation: second.generation,
    committed: first.committed || second.committed,
    txid: second.committed ? second.txid : first.txid,
  };
}
