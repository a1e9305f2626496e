/**
 * The library: what the commands do, for scripts.
 *
 *     import { openCluster, nodeSet, rebalance } from '@cfs-cluster/cfs';
 *     const cluster = await openCluster({ dir: '/shared/cfs' });
 *     await cluster.change(nodeSet, { name: 'n1', weight: 2 }, { message: 'new disks' });
 *     const { generation, value } = await cluster.change(rebalance, { strategy: 'staged' });
 */
export { givenUp, releaseWrite, respond } from './core/access/answers.js';
export { clientAdd, clientRemove, clientSet } from './core/access/clients.js';
export { desiredMode } from './core/access/desired.js';
export { clientLogoff, clientLogon, clientsLapsed } from './core/access/logon.js';
export { accessOf, volumeAccessOf, writerOf } from './core/access/look.js';
export { mountsRefreshed, volumeMount, volumeRefresh, volumeTouch, volumeUnmount } from './core/access/mounts.js';
export { endRequests, requestWrite, withdraw } from './core/access/requests.js';
export { volumeAllow, volumeControl, volumeDeny, volumeLockout } from './core/access/rights.js';
export type { ChangeOptions, Cluster } from './core/cluster.js';
export { apply } from './core/config/apply.js';
export { domainOperations, groupOperations } from './core/config/declared.js';
export type { ClusterDocument } from './core/config/document.js';
export { exportDocument } from './core/config/export.js';
export { parseDocument, readDocument } from './core/config/file.js';
export { templateDocument } from './core/config/init.js';
export { nodeAdd, nodeRemove, nodeRename, nodeSet } from './core/config/nodes.js';
export { restore } from './core/config/restore.js';
export { clusterFreeze, clusterSet, clusterUnfreeze, clusterUnset, freezeOf } from './core/config/settings.js';
export { undo, undoRequest } from './core/config/undo.js';
export { volumeCreate, volumeRemove, volumeRename, volumeSet } from './core/config/volumes.js';
export { CfsError, type ErrorCode, EXIT_CODES } from './core/errors.js';
export { nodeOnline } from './core/membership/states.js';
export type * from './core/model/tables.js';
export type { Operation, OperationContext } from './core/operation.js';
export { explain } from './core/placement/explain.js';
export { drainTo, failback, failover, rebalance } from './core/placement/operations.js';
export type { PlacementResult } from './core/placement/result.js';
export { clusterLoads } from './core/status/loads.js';
export { clusterStatus, healthOf } from './core/status/status.js';
export type {
  Actor,
  Change,
  Draft,
  GenerationInfo,
  Snapshot,
  Store,
  TableView,
  TransactOptions,
  TransactOutcome,
} from './core/store/store.js';
export { type CreateOptions, createCluster, type OpenOptions, openCluster } from './open.js';
