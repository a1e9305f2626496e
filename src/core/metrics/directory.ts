/** What the shared directory tells beside the tables: leases, the lock, the ballast, mail, free space. */
import { ballastState } from '../ballast/ballast.js';
import { spaceOf } from '../ballast/keeper.js';
import { countMail } from '../mail/list.js';
import { type AgentSeen, readAgents } from '../membership/agents.js';
import { naturalCompare } from '../model/names.js';
import { showLock } from '../store/lock-info.js';
import type { SharedDirectoryStore } from '../store/shared-directory-store.js';
import type { Snapshot } from '../store/store.js';
import { type Families, sample } from './exposition.js';

/** @throws CfsError of the system */
export function directoryMetrics(
  families: Families,
  store: SharedDirectoryStore,
  snapshot: Snapshot,
  nowMs: number,
): void {
  const nodes = [...snapshot.table('nodes').names()].sort(naturalCompare);
  leaseMetrics(families, store, snapshot.generation, nodes);
  lockMetrics(families, store, nowMs);
  const { place } = store;
  const ballast = ballastState(place);
  families.gauge('cfs_ballast_bytes', 'Size of the ballast; 0: it is missing.', sample(ballast.bytes));
  families.gauge(
    'cfs_ballast_intact',
    'Whether the ballast is whole. Where agents run and it is not, the shared volume is, or was, full.',
    sample(ballast.state === 'whole'),
  );
  const mail = countMail(place);
  families.gauge(
    'cfs_mail_waiting',
    'Messages that wait in the mailbox of each node.',
    ...nodes.map((node) => sample(mail.get(node) ?? 0, { node })),
  );
  const space = spaceOf(place);
  families.gauge('cfs_filesystem_free_bytes', 'Free space of the shared volume.', sample(space.freeBytes));
  families.gauge('cfs_filesystem_size_bytes', 'Size of the shared volume.', sample(space.totalBytes));
  families.gauge(
    'cfs_filesystem_free_inodes',
    'Free inodes of the shared volume; 0 of 0 where it has no fixed number.',
    sample(space.freeInodes),
  );
  families.gauge(
    'cfs_filesystem_inodes',
    'Inodes of the shared volume; 0: it has no fixed number.',
    sample(space.totalInodes),
  );
}

/**
 * A node that never had an agent has no lease: it stays visible by cfs_node_agent 0. One that failed keeps its last lease.
 * Leases of nodes that are not in the cluster any more are not told.
 */
function leaseMetrics(
  families: Families,
  store: SharedDirectoryStore,
  generation: number,
  nodes: readonly string[],
): void {
  const { paths, platform } = store.place;
  const agents = readAgents(platform, paths.leases);
  const gauge = (name: string, help: string, value: (agent: AgentSeen) => number | null): void => {
    const samples = nodes.flatMap((node) => {
      const agent = agents.get(node);
      const number = agent === undefined ? null : value(agent);
      return number === null ? [] : [sample(number, { node })];
    });
    families.gauge(name, help, ...samples);
  };
  families.gauge(
    'cfs_node_agent',
    'Whether the agent of each node has a lease and has not left in order. It may have failed: see the age of its lease.',
    ...nodes.map((node) => sample((agents.get(node)?.lease.applied ?? null) !== null, { node })),
  );
  families.gauge(
    'cfs_node_agent_info',
    'The cfs of the agent of each node, and the newest format that it can read and write.',
    ...nodes.flatMap((node) => {
      const info = agents.get(node)?.info;
      return info == null ? [] : [sample(1, { node, version: info.version, format: String(info.format) })];
    }),
  );
  gauge('cfs_node_problems', 'What the agent of each node could not do.', ({ info }) => info?.problems.length ?? null);
  gauge(
    'cfs_node_lease_sequence',
    'Sequence number of the lease of each node; it rises with every renewal.',
    ({ lease }) => lease.seq,
  );
  gauge(
    'cfs_node_lease_age_seconds',
    'Time since each node renewed its lease. An estimate: the time of the file against the clock of this host. Agents decide ' +
      'nothing by it.',
    // It went while we looked: it was renewed this moment.
    ({ ageMs }) => (ageMs ?? 0) / 1000,
  );
  gauge(
    'cfs_node_released_generation',
    'Newest generation of which each node runs nothing that it takes away.',
    ({ lease }) => lease.released,
  );
  gauge(
    'cfs_node_applied_generation',
    'Newest generation of which each node runs everything that it gives.',
    ({ lease }) => lease.applied,
  );
  gauge('cfs_node_generations_behind', 'Generations that each node has not applied yet.', ({ lease }) =>
    lease.applied === null ? null : Math.max(0, generation - lease.applied),
  );
}

function lockMetrics(families: Families, store: SharedDirectoryStore, nowMs: number): void {
  const { held, holder, renewedMsAgo, wanted, stale } = showLock(store);
  const sinceMs = holder === null ? Number.NaN : Date.parse(holder.since);
  const heldMs = Number.isNaN(sinceMs) ? (renewedMsAgo ?? 0) : nowMs - sinceMs;
  families.gauge('cfs_lock_held', 'Whether somebody holds the lock.', sample(held));
  families.gauge(
    'cfs_lock_held_seconds',
    'For how long the lock has been held; 0 while it is free. An estimate: the clock of its holder against that of this host.',
    sample(held ? Math.max(0, heldMs) / 1000 : 0),
  );
  families.gauge('cfs_lock_stale', 'Whether the lock was left behind: the next change takes it over.', sample(stale));
  families.gauge('cfs_lock_wanted', 'Whether somebody waits for the lock.', sample(wanted));
}
