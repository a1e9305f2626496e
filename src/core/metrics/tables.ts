/** What the tables tell: nodes, volumes, clients, the balance. */
import { freezeOf } from '../config/settings.js';
import { settingOf } from '../model/settings.js';
import { FENCING_STATES, NODE_STATES } from '../model/tables.js';
import { accessStatus } from '../status/access.js';
import type { NodeLoad } from '../status/loads.js';
import { clusterLoads } from '../status/loads.js';
import type { Snapshot } from '../store/store.js';
import { type Families, sample, stateSet } from './exposition.js';

/** @param nowMs wall-clock time, ms; only says whether a freeze still holds */
export function tableMetrics(families: Families, snapshot: Snapshot, nowMs: number): void {
  const loads = clusterLoads(snapshot);
  const { nodes } = loads;
  families.gauge('cfs_cluster_info', 'The name of the cluster.', sample(1, { name: settingOf(snapshot, 'name') }));
  families.gauge(
    'cfs_frozen',
    'Whether the cluster is frozen: no automatic action until it ends.',
    sample(freezeOf(snapshot, nowMs) !== null),
  );
  families.gauge(
    'cfs_nodes',
    'Nodes by state.',
    ...NODE_STATES.map((state) => sample(nodes.filter((node) => node.state === state).length, { state })),
  );
  const fencing = [...snapshot.table('fencing').entries()].map(([, record]) => record.state);
  families.gauge(
    'cfs_fenced_nodes',
    'Nodes that are being fenced or were fenced and have not joined again, by the state of that.',
    ...FENCING_STATES.map((state) => sample(fencing.filter((each) => each === state).length, { state })),
  );
  families.gauge(
    'cfs_node_state',
    'The state of each node: 1 for the one it is in.',
    ...nodes.flatMap(({ name, state }) => stateSet(NODE_STATES, state, { node: name })),
  );
  perNode(families, nodes);
  access(families, snapshot);
  volumes(families, snapshot, loads);
}

function perNode(families: Families, nodes: readonly NodeLoad[]): void {
  const gauge = (name: string, help: string, of: (node: NodeLoad) => number): void =>
    families.gauge(name, help, ...nodes.map((node) => sample(of(node), { node: node.name })));
  gauge('cfs_node_weight', 'Relative capability of each node.', (node) => node.weight);
  gauge('cfs_node_load', 'Weight of the volumes of each node.', (node) => node.load);
  gauge(
    'cfs_node_ideal_capacity',
    'Fair share of all weight of each node; 0 while it is not active.',
    (node) => node.idealCapacity ?? 0,
  );
  gauge(
    'cfs_node_remaining_capacity',
    'Ideal capacity less the load of each node; negative where it has more than its share.',
    (node) => node.remainingCapacity ?? 0 - node.load,
  );
  gauge('cfs_node_volumes', 'Volumes of each node.', (node) => node.volumes.length);
}

function access(families: Families, snapshot: Snapshot): void {
  const { clients, writers, pendingRequests } = accessStatus(snapshot);
  families.gauge(
    'cfs_clients',
    'Clients by whether they are logged on.',
    sample(clients.loggedOn, { state: 'logged_on' }),
    sample(clients.total - clients.loggedOn, { state: 'logged_off' }),
  );
  families.gauge('cfs_volumes_with_writer', 'Volumes that a client may write now.', sample(writers));
  families.gauge('cfs_write_requests', 'Write requests that wait for an answer.', sample(pendingRequests));
}

function volumes(families: Families, snapshot: Snapshot, loads: ReturnType<typeof clusterLoads>): void {
  const { knownVolumes, unplaced, notYetPlaced, homeless, misplaced, volumeWeight, nodeWeight, imbalance } = loads;
  const placed = knownVolumes - unplaced.length - notYetPlaced.length - homeless.length;
  families.gauge(
    'cfs_volumes',
    'Volumes by status: placed on an active node; homeless: on a node that is not active; unplaced: no node can have it; ' +
      'not_yet_placed; and misplaced: those of the placed ones whose node may not have them any more.',
    sample(placed, { status: 'placed' }),
    sample(homeless.length, { status: 'homeless' }),
    sample(unplaced.length, { status: 'unplaced' }),
    sample(notYetPlaced.length, { status: 'not_yet_placed' }),
    sample(misplaced.length, { status: 'misplaced' }),
  );
  families.gauge(
    'cfs_active_volume_weight',
    'Weight of the volumes that an active node can reach.',
    sample(volumeWeight),
  );
  families.gauge('cfs_active_node_weight', 'Weight of the active nodes.', sample(nodeWeight));
  families.gauge(
    'cfs_imbalance',
    'Sum of the remaining capacities of the active nodes, without their signs.',
    sample(imbalance),
  );
  families.gauge(
    'cfs_imbalance_ratio',
    'Imbalance as a part of all volume weight.',
    sample(volumeWeight === 0 ? 0 : imbalance / volumeWeight),
  );
  families.gauge('cfs_generation', 'Number of the newest generation.', sample(snapshot.generation));
}
