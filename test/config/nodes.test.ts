import assert from 'node:assert/strict';
import { nodeAdd, nodeRemove, nodeRename, nodeSet } from '../../src/core/config/nodes.js';
import { clusterSet } from '../../src/core/config/settings.js';
import { volumeSet } from '../../src/core/config/volumes.js';
import { nodeOnline, transitionRefusal } from '../../src/core/membership/states.js';
import { NODE_STATES } from '../../src/core/model/tables.js';
import { giveState, smallCluster } from '../kit/clusters.js';

describe('adding nodes', () => {
  it('fills what is not said, and begins offline unless told otherwise', () => {
    const cluster = smallCluster();
    cluster.change(nodeAdd, { nodes: [{ name: 'n4' }, { name: 'n5', state: 'online' }] });
    const at = cluster.snapshot();
    assert.deepEqual(at.table('nodes').get('n4'), {
      weight: 1,
      updateIntervalMs: 10_000,
      threshold: 0.8,
      groups: [],
      domains: [],
    });
    assert.equal(at.table('membership').get('n4')?.state, 'offline');
    assert.equal(at.table('membership').get('n5')?.state, 'online');
    assert.equal(cluster.generation, 2, 'many in one generation');
  });

  it('stores groups and domains as they were declared, whatever the letter case', () => {
    const cluster = smallCluster();
    cluster.change(nodeAdd, { nodes: [{ name: 'n4', groups: ['SALES', 'eng.'], domains: ['ny', 'all'] }] });
    const node = cluster.snapshot().table('nodes').get('n4')!;
    assert.deepEqual(
      [node.groups, node.domains],
      [
        ['Sales', 'Eng.'],
        ['NY', 'ALL'],
      ],
    );
  });

  it('takes names that differ in letter case for two, and in Unicode form for one', () => {
    const cluster = smallCluster();
    cluster.change(nodeAdd, { nodes: [{ name: 'N1' }, { name: 'caf\u00e9' }] });
    assert.ok(cluster.snapshot().table('nodes').has('N1'));
    const error = cluster.refuses(nodeAdd, { nodes: [{ name: 'cafe\u0301' }] }, 'NODE_EXISTS', /already a node "café"/);
    assert.equal(error.exitStatus, 4);
    cluster.change(nodeSet, { name: 'cafe\u0301', weight: 3 });
    assert.equal(cluster.snapshot().table('nodes').get('caf\u00e9')?.weight, 3);
  });

  it('takes names that objects have of themselves', () => {
    const cluster = smallCluster();
    cluster.change(nodeAdd, { nodes: [{ name: '__proto__' }, { name: 'constructor' }, { name: 'toString' }] });
    cluster.change(nodeSet, { name: '__proto__', weight: 7 });
    assert.equal(cluster.snapshot().table('nodes').get('__proto__')?.weight, 7);
  });

  it('refuses bad names, each with its reason', () => {
    const cluster = smallCluster();
    const cases: [string, RegExp][] = [
      ['', /it is empty/],
      ['../etc', /cannot be the name of a node: it contains "\/"/],
      ['a/b', /contains "\/"/],
      ['.hidden', /begins with "\."/],
      ['-rf', /begins with "-"/],
      ['a\u0007b', /"a\\u0007b" cannot be .* it contains "\\u0007"/],
      ['a\nb', /contains "\\u000a"/],
      ['a\u202eb', /contains an invisible character/],
      ['\ud800', /not well-formed/],
      [' a', /blank/],
      ['é'.repeat(41), /longer than 80 bytes/],
      ['x'.repeat(10_000_000), /longer than 80 bytes/],
    ];
    for (const [name, message] of cases) {
      const error = cluster.refuses(nodeAdd, { nodes: [{ name }] }, 'BAD_NAME', message);
      assert.equal(error.exitStatus, 2);
      assert.ok(error.message.length < 400, 'a long name is not repeated whole');
    }
    for (const name of ['any', 'None', 'ALL', 'global']) {
      cluster.refuses(nodeAdd, { nodes: [{ name }] }, 'RESERVED_NAME', /reserved word/);
    }
    cluster.refuses(nodeAdd, { nodes: [{ name: 5 as unknown as string }] }, 'BAD_NAME', /it is not text/);
  });

  it('refuses bad numbers and wrong types, naming the field', () => {
    const cluster = smallCluster();
    const refuse = (fields: Record<string, unknown>, message: RegExp): void => {
      const error = cluster.refuses(nodeAdd, { nodes: [{ name: 'n9', ...fields }] }, 'BAD_VALUE', message);
      assert.equal(error.exitStatus, 2);
    };
    refuse(
      { weight: -1 },
      /^The weight of node "n9" cannot be -1: a weight is a decimal number from 0 to 9007199254740991/,
    );
    refuse({ weight: Number.NaN }, /weight .* cannot be NaN/);
    refuse({ weight: Number.POSITIVE_INFINITY }, /weight .* cannot be Infinity/);
    refuse({ weight: '2' }, /weight .* cannot be "2"/);
    refuse({ weight: null }, /weight .* cannot be null/);
    refuse({ weight: 0.1 + 0.2 }, /at most 15 digits/);
    refuse({ threshold: 1.01 }, /threshold .* from 0 to 1/);
    refuse({ updateIntervalMs: 99 }, /update interval .* from 100ms to 1h/);
    refuse({ updateIntervalMs: 1000.5 }, /update interval/);
    refuse({ state: 'failed' }, /a node begins online or offline/);
    refuse({ groups: 'Eng.' }, /it is a list/);
    refuse({ groups: ['Eng.', 'ENG.'] }, /name "Eng\." twice/);
  });

  it('refuses groups and domains that nobody declared, and says how', () => {
    const cluster = smallCluster();
    const group = cluster.refuses(
      nodeAdd,
      { nodes: [{ name: 'n9', groups: ['web'] }] },
      'GROUP_NOT_FOUND',
      /no group "web"/,
    );
    assert.equal(group.exitStatus, 3);
    assert.equal(group.hint, 'Declare it first: cfs group add web');
    const near = cluster.refuses(nodeAdd, { nodes: [{ name: 'n9', groups: ['Sals'] }] }, 'GROUP_NOT_FOUND', /"Sals"/);
    assert.equal(near.hint, 'Did you mean "Sales"? If not, declare it: cfs group add Sals');
    cluster.refuses(nodeAdd, { nodes: [{ name: 'n9', domains: ['TX'] }] }, 'DOMAIN_NOT_FOUND', /no domain "TX"/);
    cluster.refuses(nodeAdd, { nodes: [{ name: 'n9', groups: ['Any'] }] }, 'RESERVED_NAME', /reserved/);
  });

  it('adds all or none, and tells every problem of the list', () => {
    const cluster = smallCluster();
    const nodes = [{ name: 'n4' }, { name: 'n1' }, { name: 'n5', weight: -2 }, { name: 'n4' }];
    const error = cluster.refuses(nodeAdd, { nodes }, 'NODE_EXISTS', /^3 problems:\n.*"n1"\n.*weight.*\n.*"n4"/);
    assert.deepEqual(error.details?.codes, ['NODE_EXISTS', 'BAD_VALUE', 'NODE_EXISTS']);
    const many = Array.from({ length: 1000 }, () => ({ name: 'n1' }));
    cluster.refuses(nodeAdd, { nodes: many }, 'NODE_EXISTS', /^At least 20 problems/);
  });

  it('keeps counts and no long lists in history', () => {
    const nodes = Array.from({ length: 500 }, (_, i) => ({ name: `m${i}` }));
    assert.deepEqual(nodeAdd.recorded?.({ nodes }), { nodes: { count: 500, first: 'm0' } });
    assert.deepEqual(nodeAdd.recorded?.({ nodes: nodes.slice(0, 2) }), { nodes: nodes.slice(0, 2) });
  });
});

describe('setting nodes', () => {
  it('changes what is given and nothing else; again changes nothing', () => {
    const cluster = smallCluster();
    cluster.change(nodeSet, { name: ['n1', 'n2'], weight: 4, threshold: 0.5 });
    const node = cluster.snapshot().table('nodes').get('n1')!;
    assert.deepEqual([node.weight, node.threshold, node.groups, node.domains], [4, 0.5, ['Eng.'], ['CA']]);
    cluster.change(nodeSet, { name: ['n1', 'n2'], weight: 4, threshold: 0.5 });
    assert.equal(cluster.generation, 2);
  });

  it('adds to the end of a list, removes from it, and keeps the order of the rest', () => {
    const cluster = smallCluster();
    cluster.change(nodeSet, { name: 'n1', addGroups: ['sales', 'ENG.'], addDomains: ['ny'], removeDomains: ['ca'] });
    const node = cluster.snapshot().table('nodes').get('n1')!;
    assert.deepEqual([node.groups, node.domains], [['Eng.', 'Sales'], ['NY']]);
    cluster.change(nodeSet, { name: 'n1', groups: ['Sales', 'Eng.'] });
    assert.deepEqual(cluster.snapshot().table('nodes').get('n1')?.groups, ['Sales', 'Eng.']);
  });

  it('refuses an unknown node with the nearest name', () => {
    const error = smallCluster().refuses(
      nodeSet,
      { name: 'n11', weight: 1 },
      'NODE_NOT_FOUND',
      /no node "n11" in generation 1/,
    );
    assert.equal(error.hint, 'Did you mean "n1"?');
    assert.equal(error.exitStatus, 3);
  });
});

describe('removing nodes', () => {
  it('is refused while the node administers volumes', () => {
    const cluster = smallCluster();
    const error = cluster.refuses(nodeRemove, { name: 'n3' }, 'NODE_IN_USE', /"n3" administers 1 volume: "v3"/);
    assert.equal(error.exitStatus, 4);
    assert.match(error.hint ?? '', /cfs node standby n3/);
    cluster.refuses(nodeRemove, { name: 'n3', force: true }, 'NODE_IN_USE', /administers/);
  });

  it('is refused while volumes prefer it; with force the preference is cleared', () => {
    const cluster = smallCluster();
    cluster.change(nodeAdd, { nodes: [{ name: 'n4' }] });
    cluster.change(volumeSet, { name: ['v1', 'v4'], preferredNode: 'n4' });
    cluster.refuses(nodeRemove, { name: 'n4' }, 'NODE_IN_USE', /"n4" is preferred by 2 volumes: "v1", "v4"/);
    const { preferencesCleared } = cluster.change(nodeRemove, { name: 'n4', force: true });
    assert.deepEqual(preferencesCleared.sort(), ['v1', 'v4']);
    const at = cluster.snapshot();
    assert.equal(at.table('volumes').get('v4')?.preferredNode, null);
    assert.equal(at.table('membership').has('n4'), false);
  });
});

describe('renaming nodes', () => {
  it('takes placements, preferences and state along, epochs unchanged', () => {
    const cluster = smallCluster();
    cluster.change(nodeRename, { name: 'n1', newName: 'alpha' });
    const at = cluster.snapshot();
    assert.equal(at.table('nodes').has('n1'), false);
    assert.equal(at.table('membership').get('alpha')?.state, 'online');
    assert.equal(at.table('volumes').get('v1')?.preferredNode, 'alpha');
    assert.deepEqual([at.table('placements').get('v1')?.node, at.table('placements').get('v1')?.since], ['alpha', 1]);
  });

  it('is refused to a name that is taken or bad; to its own name it changes nothing', () => {
    const cluster = smallCluster();
    cluster.refuses(nodeRename, { name: 'n1', newName: 'n2' }, 'NODE_EXISTS', /already a node "n2"/);
    cluster.refuses(nodeRename, { name: 'n1', newName: '../x' }, 'BAD_NAME', /contains/);
    cluster.refuses(nodeRename, { name: 'n9', newName: 'x' }, 'NODE_NOT_FOUND', /"n9"/);
    cluster.change(nodeRename, { name: 'n1', newName: 'n1' });
    assert.equal(cluster.generation, 1);
  });
});

describe('states', () => {
  it('go online from offline, standby, failed and joining; online stays as it is', () => {
    const cluster = smallCluster();
    for (const state of ['offline', 'standby', 'failed', 'joining', 'suspect'] as const) {
      cluster.change(giveState, { name: 'n1', state });
      assert.deepEqual(cluster.change(nodeOnline, { name: 'n1' }), { online: ['n1'], already: [] });
    }
    const { generation } = cluster;
    assert.deepEqual(cluster.change(nodeOnline, { name: ['n1'] }), { online: [], already: ['n1'] });
    assert.equal(cluster.generation, generation);
    cluster.refuses(nodeOnline, { name: 'nx' }, 'NODE_NOT_FOUND', /"nx"/);
  });

  it('have a sentence for every transition that is refused, and none for those allowed', () => {
    for (const from of NODE_STATES) {
      assert.equal(transitionRefusal(from, from), null);
      for (const to of NODE_STATES) {
        const refusal = transitionRefusal(from, to);
        if (refusal !== null) assert.match(refusal, /^[a-z].* .*[^.]$/);
      }
    }
    assert.equal(transitionRefusal('online', 'standby'), null);
    assert.match(transitionRefusal('failed', 'standby') ?? '', /nothing left to drain/);
  });

  it('are no part of the settings', () => {
    smallCluster().refuses(clusterSet, { settings: { state: 'online' } }, 'SETTING_NOT_FOUND', /"state"/);
  });
});
