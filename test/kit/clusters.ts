/** Named clusters that tests begin with. */
import { clientLogon } from '../../src/core/access/logon.js';
import { requestWrite } from '../../src/core/access/requests.js';
import { apply } from '../../src/core/config/apply.js';
import { init } from '../../src/core/config/init.js';
import type { NodeState } from '../../src/core/model/tables.js';
import type { Operation } from '../../src/core/operation.js';
import { MemoryCluster } from './memory.js';

/**
 * Three online nodes and four volumes: `v1` on n1 (which it prefers), `v2` on n2, `v3` on n3, `v4` not yet placed.
 * Groups `Eng.` and `Sales`; domains `CA` (n1, n2) and `NY` (n2, n3). `v3` may not leave its group.
 */
export function smallCluster(): MemoryCluster {
  const cluster = new MemoryCluster();
  cluster.change(init, {
    document: {
      settings: { name: 'small' },
      groups: [{ name: 'Eng.', description: 'engineering' }, { name: 'Sales' }],
      domains: [{ name: 'CA' }, { name: 'NY' }],
      nodes: [
        { name: 'n1', weight: 2, groups: ['Eng.'], domains: ['CA'], state: 'online' },
        { name: 'n2', groups: ['Eng.', 'Sales'], domains: ['CA', 'NY'], state: 'online' },
        { name: 'n3', groups: ['Sales'], domains: ['NY'], state: 'online' },
      ],
      volumes: [
        { name: 'v1', weight: 5, group: 'Eng.', domains: ['CA'], preferredNode: 'n1', currentNode: 'n1' },
        { name: 'v2', weight: 3, group: 'Any', domains: ['CA'], currentNode: 'n2' },
        { name: 'v3', weight: 1.5, group: 'Sales', domains: ['NY'], canGroupMigrate: false, currentNode: 'n3' },
        { name: 'v4' },
      ],
    },
  });
  return cluster;
}

/** The small cluster with more to take away: two nodes that administer nothing, a volume, a group and a domain that some use. */
export function wideCluster(): MemoryCluster {
  const cluster = smallCluster();
  cluster.change(apply, {
    document: {
      groups: [{ name: 'web' }, { name: 'idle' }],
      domains: [{ name: 'TX' }],
      nodes: [{ name: 'n4', groups: ['web'], domains: ['TX'], state: 'online' }, { name: 'n5' }],
      volumes: [
        { name: 'v4', preferredNode: 'n4' },
        { name: 'v5', group: 'Eng.', domains: ['TX'] },
      ],
    },
  });
  return cluster;
}

/**
 * The wide cluster with clients: `c1` and `c2` are logged on and have `v1` and `v2` mounted, `c1` writes `v1` and `c2` waits for it;
 * `c3` may mount `v2` and `v5`, which is disabled, and is not logged on.
 */
export function clientCluster(): MemoryCluster {
  const cluster = wideCluster();
  const may = (client: string, ...volumes: string[]) => volumes.map((volume) => ({ volume, client, mount: true }));
  cluster.change(apply, {
    document: {
      volumes: [{ name: 'v5', enabled: false }],
      clients: [{ name: 'c1', autoRespond: true }, { name: 'c2' }, { name: 'c3', lockedOut: true }],
      access: [...may('c1', 'v1', 'v2'), ...may('c2', 'v1', 'v2'), ...may('c3', 'v2', 'v5')],
    },
  });
  for (const client of ['c1', 'c2']) cluster.change(clientLogon, { client });
  for (const client of ['c1', 'c2']) cluster.change(requestWrite, { volume: 'v1', client });
  return cluster;
}

/** Gives a node a state, as membership would. */
export const giveState: Operation<{ name: string; state: NodeState }, void> = {
  name: 'test.state',
  run: (draft, { name, state }) => draft.put('membership', name, { state, reason: null }),
};

/** Puts volumes on nodes, as a decision of the placement would (`by` says which). */
export const place: Operation<{ by: string; moves: Record<string, string | null> }, void> = {
  name: 'rebalance',
  run(draft, { by, moves }) {
    for (const [volume, node] of Object.entries(moves)) {
      const unplaced = node === null ? 'no-common-domain' : null;
      draft.put('placements', volume, { node, since: draft.nextGeneration, by, stage: null, rule: null, unplaced });
    }
  },
};
