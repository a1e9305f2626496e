/** Random configuration operations for property tests. Requests may be refused; what is accepted must hold. */
import fc from 'fast-check';
import { releaseWrite, respond } from '../../src/core/access/answers.js';
import { clientAdd, clientRemove, clientSet } from '../../src/core/access/clients.js';
import { clientLogoff, clientLogon } from '../../src/core/access/logon.js';
import { volumeMount, volumeUnmount } from '../../src/core/access/mounts.js';
import { requestWrite } from '../../src/core/access/requests.js';
import { volumeAllow, volumeControl, volumeDeny, volumeLockout } from '../../src/core/access/rights.js';
import { domainOperations, groupOperations } from '../../src/core/config/declared.js';
import { nodeAdd, nodeRemove, nodeRename, nodeSet } from '../../src/core/config/nodes.js';
import { clusterFreeze, clusterSet, clusterUnfreeze, clusterUnset } from '../../src/core/config/settings.js';
import { volumeCreate, volumeRemove, volumeRename, volumeSet } from '../../src/core/config/volumes.js';
import { CfsError } from '../../src/core/errors.js';
import type { Operation } from '../../src/core/operation.js';
import { giveState, place } from './clusters.js';
import type { MemoryCluster } from './memory.js';

const node = fc.constantFrom('n1', 'n2', 'n3', 'n4', 'n5', 'n6', 'N1', 'caf\u00e9', 'cafe\u0301', '__proto__');
const volume = fc.constantFrom('v1', 'v2', 'v3', 'v4', 'v5', 'v6', 'V1', 'constructor');
const group = fc.constantFrom('Eng.', 'eng.', 'Sales', 'web', 'WEB', 'idle', 'new', 'NEW');
const domain = fc.constantFrom('CA', 'ca', 'NY', 'tx', 'TX', 'FL', 'fl');
const weight = fc.constantFrom(0, 1, 0.1, 2.5, 3, 2 ** 53 - 1);
const folded = { maxLength: 2, selector: (name: string) => name.toLowerCase() };
const groups = fc.uniqueArray(group, folded);
const domains = fc.uniqueArray(fc.oneof(domain, fc.constant('all')), folded);
const some = { requiredKeys: ['name'] as ['name'] };

const nodeFields = {
  name: node,
  weight,
  groups,
  domains,
  threshold: fc.constantFrom(0, 0.5, 1),
  updateIntervalMs: fc.constantFrom(100, 5000),
};
const volumeFields = {
  name: volume,
  weight,
  group: fc.oneof(group, fc.constantFrom('any', null)),
  domains,
  preferredNode: fc.option(fc.constantFrom('n1', 'n2', 'n4', 'café')),
  canGroupMigrate: fc.boolean(),
};

export interface Step {
  operation: Operation<unknown, unknown>;
  request: unknown;
}

function step<R>(operation: Operation<R, unknown>, request: fc.Arbitrary<R>): fc.Arbitrary<Step> {
  return request.map((value) => ({ operation: operation as Operation<unknown, unknown>, request: value }));
}

function declared(operations: typeof groupOperations, name: fc.Arbitrary<string>): fc.Arbitrary<Step>[] {
  const description = fc.constantFrom(null, 'x');
  return [
    step(
      operations.add,
      fc.record({ name, description }).map((input) => ({ names: [input] })),
    ),
    step(operations.set, fc.record({ name, description })),
    step(operations.remove, fc.record({ name })),
    step(operations.rename, fc.record({ name, newName: name })),
  ];
}

const client = fc.constantFrom('c1', 'c2', 'c3', 'C1');
const pair = { volume: fc.constantFrom('v1', 'v2', 'v5'), client };
const clientFields = { name: client, refreshNotify: fc.boolean(), autoRespond: fc.boolean(), lockedOut: fc.boolean() };

/** Operations on what is wished of clients and of what they may do. */
const accessSteps: fc.Arbitrary<Step>[] = [
  step(
    clientAdd,
    fc.record(clientFields, some).map((input) => ({ clients: [input] })),
  ),
  step(clientSet, fc.record(clientFields, some)),
  step(clientRemove, fc.record({ name: client })),
  step(
    volumeAllow,
    fc.record({ ...pair, autoUpdate: fc.boolean(), autoUpdateIntervalMs: fc.constantFrom(100, 86_400_000) }),
  ),
  step(volumeDeny, fc.record({ ...pair, readOnly: fc.subarray(['c1', 'c2']) })),
  step(volumeLockout, fc.record({ ...pair, lockout: fc.boolean() })),
  step(
    volumeControl,
    fc
      .record(
        { ...pair, enabled: fc.boolean(), softwareLock: fc.boolean(), readOnlyMedia: fc.boolean() },
        { requiredKeys: ['volume'] },
      )
      .map(({ client: of, ...fields }) => ({ ...fields, readOnly: of === undefined ? [] : [of] })),
  ),
];

/** One operation on configuration, of any kind. */
export const configurationStep: fc.Arbitrary<Step> = fc.oneof(
  step(
    nodeAdd,
    fc
      .array(fc.record({ ...nodeFields, state: fc.constantFrom('online' as const, 'offline' as const) }, some), {
        minLength: 1,
        maxLength: 3,
      })
      .map((nodes) => ({ nodes })),
  ),
  step(
    nodeSet,
    fc.record(
      { ...nodeFields, addGroups: groups, removeGroups: groups, addDomains: domains, removeDomains: domains },
      some,
    ),
  ),
  step(nodeRemove, fc.record({ name: node, force: fc.boolean() })),
  step(nodeRename, fc.record({ name: node, newName: node })),
  step(
    volumeCreate,
    fc
      .array(fc.record({ ...volumeFields, currentNode: fc.option(fc.constantFrom('n1', 'n3', 'n4')) }, some), {
        minLength: 1,
        maxLength: 2,
      })
      .map((volumes) => ({ volumes })),
  ),
  step(volumeSet, fc.record({ ...volumeFields, addDomains: domains, removeDomains: domains }, some)),
  step(volumeRemove, fc.record({ name: volume })),
  step(volumeRename, fc.record({ name: volume, newName: volume })),
  ...declared(groupOperations, group),
  ...declared(domainOperations, domain),
  ...accessSteps,
  step(
    clusterSet,
    fc.constantFrom({ settings: { 'lease.interval': '1s' } }, { settings: { name: 'x', 'lock.stale': '5s' } }),
  ),
  step(clusterUnset, fc.constant({ names: ['lease.interval'] })),
  step(clusterFreeze, fc.constant({ until: null, reason: 'test' })),
  step(clusterUnfreeze, fc.constant({})),
);

const readOnly = fc.boolean();

/** One thing that happens beside configuration: a node changes its state, a volume is moved, a client mounts, asks, gives up. */
export const otherStep: fc.Arbitrary<Step> = fc.oneof(
  step(clientLogon, fc.record({ client })),
  step(clientLogoff, fc.record({ client, readOnly })),
  step(volumeMount, fc.record({ ...pair, rw: fc.boolean() })),
  step(volumeUnmount, fc.record({ ...pair, readOnly })),
  step(requestWrite, fc.record(pair)),
  step(respond, fc.record({ ...pair, grant: fc.boolean(), by: fc.constant(null), readOnly })),
  step(releaseWrite, fc.record({ ...pair, readOnly })),
  step(
    giveState,
    fc.record({ name: fc.constantFrom('n1', 'n2', 'n3'), state: fc.constantFrom('online', 'failed', 'offline') }),
  ),
  step(
    place,
    fc.record({
      by: fc.constantFrom('staged', 'failover'),
      moves: fc.dictionary(fc.constantFrom('v1', 'v2', 'v3', 'v4'), fc.constantFrom('n1', 'n2', 'n3'), {
        noNullPrototype: true,
      }),
    }),
  ),
);

/** Takes the step if it is accepted; false where it is refused, or would place what is not there. */
export function attempt(cluster: MemoryCluster, { operation, request }: Step): boolean {
  if (operation.name === 'rebalance' || operation.name === 'test.state') {
    const { moves = {}, name } = request as { moves?: Record<string, string>; name?: string };
    const at = cluster.snapshot();
    if (name !== undefined && !at.table('nodes').has(name)) return false;
    const there = ([v, n]: [string, string]): boolean => at.table('volumes').has(v) && at.table('nodes').has(n);
    if (!Object.entries(moves).every(there)) return false;
  }
  try {
    cluster.change(operation, request);
    return true;
  } catch (error) {
    if (error instanceof CfsError) return false;
    throw error;
  }
}
