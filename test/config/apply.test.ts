import assert from 'node:assert/strict';
import fc from 'fast-check';
import { volumeAccessOf } from '../../src/core/access/look.js';
import { apply } from '../../src/core/config/apply.js';
import type { ClusterDocument } from '../../src/core/config/document.js';
import { exportDocument, exportYaml } from '../../src/core/config/export.js';
import { parseDocument, readDocument } from '../../src/core/config/file.js';
import { init, templateDocument } from '../../src/core/config/init.js';
import { restore } from '../../src/core/config/restore.js';
import { sampleDocument } from '../../src/core/config/sample.js';
import { clusterFreeze, clusterSet } from '../../src/core/config/settings.js';
import { volumeCreate } from '../../src/core/config/volumes.js';
import { memorySnapshot } from '../../src/core/store/draft.js';
import { attempt, configurationStep, otherStep } from '../kit/arbitrary.js';
import { clientCluster, giveState, place, smallCluster, wideCluster } from '../kit/clusters.js';
import { configurationOf, MemoryCluster, tablesOf } from '../kit/memory.js';

/** The cluster's own document, through JSON, as a file would hold it. */
function ownDocument(cluster: MemoryCluster): ClusterDocument {
  return readDocument(JSON.parse(JSON.stringify(exportDocument(cluster.snapshot()))), 'export');
}

describe('applying a document', () => {
  it('adds, changes and leaves alone, and counts each', () => {
    const cluster = smallCluster();
    const result = cluster.change(apply, {
      document: {
        settings: { 'lease.interval': 1000 },
        nodes: [
          { name: 'n1', weight: 4 },
          { name: 'n4', groups: ['sales'], domains: ['TX'], state: 'online' },
        ],
        volumes: [{ name: 'v1', group: 'archive' }, { name: 'v2' }],
      },
    });
    assert.deepEqual(result, {
      added: { cluster: 1, domains: 1, nodes: 1, groups: 1 },
      changed: { nodes: 1, volumes: 1 },
      removed: {},
      kept: [],
    });
    const at = cluster.snapshot();
    assert.deepEqual(at.table('nodes').get('n1'), { ...cluster.snapshot(1).table('nodes').get('n1'), weight: 4 });
    assert.deepEqual(at.table('nodes').get('n4')?.groups, ['Sales'], 'in the declared spelling');
    assert.equal(at.table('volumes').get('v1')?.group, 'archive', 'declared by its use');
    assert.equal(at.table('volumes').count, 4, 'what is not listed stays');
  });

  it('gives state and current node to new records only', () => {
    const cluster = smallCluster();
    cluster.change(apply, {
      document: {
        nodes: [
          { name: 'n1', state: 'offline' },
          { name: 'n4', state: 'online' },
        ],
        volumes: [
          { name: 'v1', currentNode: 'n4' },
          { name: 'v9', currentNode: 'n4' },
        ],
      },
    });
    const at = cluster.snapshot();
    assert.equal(at.table('membership').get('n1')?.state, 'online');
    assert.equal(at.table('membership').get('n4')?.state, 'online');
    assert.equal(at.table('placements').get('v1')?.node, 'n1');
    assert.equal(at.table('placements').get('v9')?.node, 'n4');
  });

  it('is refused with every unknown reference, and changes nothing', () => {
    const document = {
      volumes: [
        { name: 'v1', preferredNode: 'n7' },
        { name: 'v2', preferredNode: 'n8' },
        { name: 'v9', currentNode: 'n9' },
      ],
    };
    const error = smallCluster().refuses(
      apply,
      { document },
      'NODE_NOT_FOUND',
      /^3 problems:\n.*"n7".*\n.*"n8".*\n.*"n9"/,
    );
    assert.equal(error.exitStatus, 3);
  });

  it('is refused when a script lists a name twice, in any form', () => {
    const cluster = smallCluster();
    const nodes = [{ name: 'caf\u00e9' }, { name: 'cafe\u0301' }];
    cluster.refuses(apply, { document: { nodes } }, 'BAD_VALUE', /lists the node "café" twice/);
    cluster.refuses(
      apply,
      { document: { groups: [{ name: 'a' }, { name: 'A' }] } },
      'BAD_VALUE',
      /lists the group "a" twice/,
    );
    cluster.refuses(apply, { document: { settings: { 'lease.interval': 9000 } } }, 'BAD_VALUE', /more than twice/);
  });

  it('keeps the counts of a document in history', () => {
    const request = { document: { nodes: [{ name: 'a' }], volumes: [] }, prune: true, source: 'c.yaml' };
    assert.deepEqual(apply.recorded?.(request), { prune: true, source: 'c.yaml', document: { nodes: 1, volumes: 0 } });
  });
});

describe('pruning', () => {
  it('removes what the document does not list, section by section', () => {
    const cluster = wideCluster();
    cluster.change(clusterSet, { settings: { 'lease.interval': '1s' } });
    const document: ClusterDocument = {
      settings: { name: 'small' },
      groups: [{ name: 'Eng.' }],
      nodes: [{ name: 'n1' }, { name: 'n2' }, { name: 'n3' }, { name: 'n4' }],
    };
    const result = cluster.change(apply, { document, prune: true });
    assert.deepEqual(result.removed, { nodes: 1, groups: 1, cluster: 1 });
    assert.deepEqual(result.kept, [
      { table: 'groups', name: 'Sales' },
      { table: 'groups', name: 'web' },
    ]);
    const at = cluster.snapshot();
    assert.equal(at.table('volumes').count, 5, 'a section that is absent is left alone');
    assert.equal(at.table('domains').count, 3);
    assert.equal(at.table('cluster').has('lease.interval'), false);
    assert.equal(at.table('membership').has('n5'), false);
  });

  it('removes volumes with their placements, and the nodes they were on in the same generation', () => {
    const cluster = smallCluster();
    cluster.change(giveState, { name: 'n3', state: 'offline' });
    const document = { nodes: [{ name: 'n1' }, { name: 'n2' }], volumes: [{ name: 'v1' }, { name: 'v2' }] };
    cluster.change(apply, { document, prune: true });
    assert.equal(cluster.snapshot().table('placements').count, 2);
    assert.equal(cluster.snapshot().table('nodes').count, 2);
  });

  it('is refused for nodes that administer volumes, are preferred or are active, all at once', () => {
    const cluster = wideCluster();
    cluster.change(giveState, { name: 'n5', state: 'online' });
    const document = { nodes: [{ name: 'n1' }, { name: 'n2' }] };
    const error = cluster.refuses(apply, { document, prune: true }, 'NODE_IN_USE', /^3 problems:/);
    assert.match(error.message, /"n3", which the document does not list, administers 1 volume: "v3"/);
    assert.match(error.message, /"n4", which the document does not list, is preferred by 1 volume: "v4"/);
    assert.match(error.message, /"n5", which the document does not list, is online/);
    assert.equal(error.exitStatus, 4);
  });

  it('leaves the freeze and the name alone', () => {
    const cluster = smallCluster();
    cluster.change(clusterFreeze, { until: null });
    cluster.change(apply, { document: { settings: {} }, prune: true });
    assert.equal(cluster.generation, 2);
  });
});

describe('an export', () => {
  it('lists every field, in natural order of names', () => {
    const cluster = smallCluster();
    cluster.change(volumeCreate, { volumes: [{ name: 'v10' }, { name: 'v9' }] });
    const document = exportDocument(cluster.snapshot());
    assert.deepEqual(
      document.volumes.map(({ name }) => name),
      ['v1', 'v2', 'v3', 'v4', 'v9', 'v10'],
    );
    assert.deepEqual(document.nodes[0], {
      name: 'n1',
      weight: 2,
      groups: ['Eng.'],
      domains: ['CA'],
      threshold: 0.8,
      updateInterval: '10s',
      state: 'online',
    });
    assert.deepEqual(document.groups, [{ name: 'Eng.', description: 'engineering' }, 'Sales']);
  });

  it('makes the same cluster again, placements included', async () => {
    const cluster = smallCluster();
    cluster.change(clusterSet, { settings: { 'history.keepFor': '90d', 'history.keep': '500' } });
    const copy = new MemoryCluster();
    copy.change(init, { document: await parseDocument(await exportYaml(cluster.snapshot()), 'export.yaml') });
    const tables = ['cluster', 'groups', 'domains', 'nodes', 'membership', 'volumes', 'placements'] as const;
    assert.deepEqual(tablesOf(copy.snapshot(), tables), tablesOf(cluster.snapshot(), tables));
  });

  it('applied to the same cluster changes nothing, pruned or not, whatever was done before', async () => {
    const steps = fc.array(fc.oneof({ weight: 4, arbitrary: configurationStep }, otherStep), { maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(steps, fc.boolean(), fc.boolean(), async (done, prune, yaml) => {
        const cluster = clientCluster();
        for (const step of done) attempt(cluster, step);
        const { generation } = cluster;
        const document = yaml
          ? await parseDocument(await exportYaml(cluster.snapshot()), 'export.yaml')
          : ownDocument(cluster);
        cluster.change(apply, { document, prune });
        assert.equal(cluster.generation, generation);
      }),
      { numRuns: 300 },
    );
  });

  it('of any state, applied with prune to any other, gives that configuration or is refused whole', () => {
    const steps = fc.array(configurationStep, { maxLength: 10 });
    let made = 0;
    fc.assert(
      fc.property(steps, steps, (some, others) => {
        const [wanted, cluster] = [clientCluster(), clientCluster()];
        for (const step of some) attempt(wanted, step);
        for (const step of others) attempt(cluster, step);
        const request = { document: ownDocument(wanted), prune: true };
        if (!attempt(cluster, { operation: apply as never, request })) return;
        made++;
        const [now, then] = [configurationOf(cluster.snapshot()), configurationOf(wanted.snapshot())];
        for (const table of ['nodes', 'volumes', 'clients', 'access']) {
          assert.deepEqual(unspelled(now[table]), unspelled(then[table]), table);
        }
        for (const name of wanted.snapshot().table('volumes').names()) {
          assert.deepEqual(volumeAccessOf(cluster.snapshot(), name), volumeAccessOf(wanted.snapshot(), name));
        }
      }),
      { numRuns: 300 },
    );
    assert.ok(made > 30, `only ${made} documents were accepted`);
  });
});

/** Without the spelling of groups and domains: a document refers to what is declared, in whatever letter case. */
function unspelled(table: unknown): string {
  return JSON.stringify(table).toLowerCase();
}

describe('init', () => {
  it('fills an empty database from a document', () => {
    const cluster = new MemoryCluster();
    const document = readDocument(sampleDocument({ nodes: 10, volumes: 50, seed: 1 }), 'sample');
    const result = cluster.change(init, { document });
    assert.deepEqual([result.added.nodes, result.added.volumes], [10, 50]);
    assert.equal(cluster.generation, 1);
  });

  it('is refused where there is a cluster, and without a name', () => {
    const document = { settings: { name: 'x' } };
    const error = smallCluster().refuses(init, { document }, 'CLUSTER_EXISTS', /a cluster already: "small"/);
    assert.equal(error.exitStatus, 4);
    new MemoryCluster().refuses(init, { document: {} }, 'BAD_FILE', /does not name the cluster/);
    new MemoryCluster().refuses(init, { document: { settings: { name: 'a/b' } } }, 'BAD_NAME', /contains "\/"/);
  });

  it('makes a cluster of a few words', () => {
    const cluster = new MemoryCluster();
    cluster.change(init, {
      document: templateDocument({ name: 'try', nodes: 3, domains: ['lab'], groups: ['web'], volumes: 4 }),
    });
    const at = cluster.snapshot();
    assert.deepEqual([...at.table('nodes').names()], ['n1', 'n2', 'n3']);
    assert.deepEqual(at.table('nodes').get('n2')?.domains, ['lab']);
    assert.equal(at.table('membership').get('n3')?.state, 'online');
    assert.equal(at.table('volumes').count, 4);
    assert.throws(() => templateDocument({ name: 'x', volumes: -1 }), /number of volumes .* cannot be -1/);
    assert.throws(() => templateDocument({ name: 'x', nodes: 1e9 }), /number of nodes/);
  });
});

describe('restoring', () => {
  it('makes the configuration equal to that of an earlier generation, whatever came between', () => {
    const steps = fc.array(fc.oneof({ weight: 4, arbitrary: configurationStep }, otherStep), {
      minLength: 1,
      maxLength: 12,
    });
    let made = 0;
    fc.assert(
      fc.property(steps, fc.nat(), (done, pick) => {
        const cluster = clientCluster();
        for (const step of done) attempt(cluster, step);
        const generation = 1 + (pick % cluster.generation);
        const states = cluster.snapshot();
        const request = { source: `generation ${generation}`, target: cluster.snapshot(generation) };
        if (!attempt(cluster, { operation: restore as never, request })) return;
        made++;
        assert.deepEqual(configurationOf(cluster.snapshot()), configurationOf(cluster.snapshot(generation)));
        for (const [name, record] of cluster.snapshot().table('membership').entries()) {
          const before = states.table('membership').get(name);
          if (before === undefined) assert.equal(record.state, 'offline');
          else assert.deepEqual(record, before, 'states stay');
        }
      }),
      { numRuns: 300 },
    );
    assert.ok(made > 100, `only ${made} were accepted`);
  });

  it('is refused while a node that would go administers volumes', () => {
    const cluster = wideCluster();
    cluster.change(place, { by: 'staged', moves: { v2: 'n4' } });
    const request = { source: 'generation 1', target: cluster.snapshot(1) };
    const error = cluster.refuses(restore, request, 'NODE_IN_USE', /would be removed administer volumes: "n4"/);
    assert.match(error.hint ?? '', /cfs node standby n4/);
  });

  it('removes a volume that was not there then, with its placement', () => {
    const cluster = smallCluster();
    cluster.change(volumeCreate, { volumes: [{ name: 'v9', currentNode: 'n1' }] });
    cluster.change(restore, { source: 'generation 1', target: cluster.snapshot(1) });
    assert.equal(cluster.snapshot().table('placements').has('v9'), false);
    assert.deepEqual(configurationOf(cluster.snapshot()), configurationOf(cluster.snapshot(1)));
  });

  it('tells which volumes come back unplaced and which nodes offline', () => {
    const cluster = smallCluster();
    const target = cluster.snapshot();
    cluster.change(apply, { document: { volumes: [{ name: 'v1' }, { name: 'v2' }, { name: 'v4' }] }, prune: true });
    cluster.change(giveState, { name: 'n3', state: 'offline' });
    cluster.change(apply, { document: { nodes: [{ name: 'n1' }, { name: 'n2' }] }, prune: true });
    const result = cluster.change(restore, { source: 'b.json', target });
    assert.deepEqual([result.unplaced, result.offline], [['v3'], ['n3']]);
  });

  it('is refused when the records do not fit together', () => {
    const volumes = new Map([
      ['v', { weight: 1, group: 'gone', domains: [], preferredNode: null, canGroupMigrate: true }],
    ]);
    const target = memorySnapshot({ cluster: new Map([['name', { value: 'x' }]]), volumes });
    const cluster = new MemoryCluster();
    const error = cluster.refuses(
      restore,
      { source: 'b.json', target },
      'BACKUP_DAMAGED',
      /b\.json do not fit together: table volumes, record "v": there is no group "gone"/,
    );
    assert.equal(error.exitStatus, 8);
  });
});
