/** Nodes, volumes, groups and domains: what is added, set, renamed and removed is what is shown. */
import assert from 'node:assert/strict';
import { cfs, cfsJson, runCfs } from '../kit/cli.js';
import { fileOf, generationOf, refuses, smallCluster } from '../kit/commands.js';

type Row = Record<string, unknown>;
const node = (dir: string, name: string): Row => cfsJson(['node', 'show', name], { dir }).node as Row;
const volume = (dir: string, name: string): Row => cfsJson(['volume', 'show', name], { dir }).volume as Row;

describe('cfs node', function () {
  this.timeout(60_000);

  it('add takes every field of a node, with defaults for the others', () => {
    const dir = smallCluster();
    cfs(
      ['node', 'add', 'n9', '--weight', '0.75', '--groups', 'ops,ENG', '--domains', 'all', '--online'].concat([
        '--threshold',
        '0.5',
        '--update-interval',
        '1m',
      ]),
      { dir },
    );
    const { idealCapacity, remainingCapacity, ...fields } = node(dir, 'n9');
    assert.deepEqual(fields, {
      agent: null,
      name: 'n9',
      weight: 0.75,
      updateIntervalMs: 60_000,
      threshold: 0.5,
      groups: ['ops', 'eng'],
      domains: ['ALL'],
      state: 'online',
      reason: null,
      load: 0,
      volumes: [],
    });
    assert.ok(typeof idealCapacity === 'number' && idealCapacity === remainingCapacity);
    cfs(['node', 'add', 'n10'], { dir });
    const plain = node(dir, 'n10');
    assert.deepEqual([plain.weight, plain.state, plain.groups, plain.domains], [1, 'offline', [], []]);
  });

  it('add -f takes many, all as one generation, in YAML, JSON and JSON lines', () => {
    for (const [text, name] of [
      ['- {name: x1, weight: 2}\n- {name: x2, state: online}\n', 'x.yaml'],
      ['nodes:\n  - {name: x1, weight: 2}\n  - {name: x2, state: online}\n', 'x.yaml'],
      ['[{"name":"x1","weight":2},{"name":"x2","state":"online"}]', 'x.json'],
      ['{"name":"x1","weight":2}\n{"name":"x2","state":"online"}\n', 'x.jsonl'],
    ] as const) {
      const dir = smallCluster();
      assert.equal(cfs(['node', 'add', '-f', fileOf(text, name)], { dir }), '2 nodes added.\nGeneration 3.\n');
      assert.deepEqual([node(dir, 'x1').weight, node(dir, 'x2').state], [2, 'online']);
    }
  });

  it('set changes what is given and nothing else; lists are replaced, added to and taken from', () => {
    const dir = smallCluster();
    const before = node(dir, 'n2');
    cfs(['node', 'set', 'n2', '--weight', '7', '--add-groups', 'eng', '--remove-domains', 'WEST'], { dir });
    const after = node(dir, 'n2');
    assert.deepEqual([after.weight, after.groups, after.domains], [7, ['ops', 'eng'], ['east']]);
    assert.equal(after.threshold, before.threshold);
    cfs(['node', 'set', 'n1', 'n2', 'n3', '--groups', '', '--domains', 'west,east'], { dir });
    for (const name of ['n1', 'n2', 'n3']) {
      assert.deepEqual([node(dir, name).groups, node(dir, name).domains], [[], ['west', 'east']]);
    }
    assert.equal(generationOf(dir), 4);
  });

  it('rename carries placements, preferences and state along; epochs stay', () => {
    const dir = smallCluster();
    cfs(['volume', 'set', 'v1', '--preferred-node', 'n1'], { dir });
    const on = (name: string) =>
      cfsJson(['volume', 'list', '--filter', `currentNode=${name}`], { dir }).volumes as Row[];
    const before = on('n1').map((row) => [row.name, row.epoch]);
    cfs(['node', 'rename', 'n1', 'storage 1'], { dir });
    assert.deepEqual(
      on('storage 1').map((row) => [row.name, row.epoch]),
      before,
    );
    assert.equal(volume(dir, 'v1').preferredNode, 'storage 1');
    assert.equal(node(dir, 'storage 1').state, 'online');
    assert.match(cfs(['rebalance'], { dir }), /balanced|Rebalanced/);
  });

  it('remove takes a node that holds nothing; --force clears preferences', () => {
    const dir = smallCluster();
    cfs(['volume', 'set', 'v1', 'v2', '--preferred-node', 'n3'], { dir });
    cfs(['node', 'offline', 'n3'], { dir });
    refuses(dir, ['node', 'remove', 'n3', '--yes'], {
      status: 4,
      code: 'NODE_IN_USE',
      says: /preferred by 2 volumes: "v1", "v2"/,
      hint: /--force/,
    });
    assert.match(
      cfs(['node', 'remove', 'n3', '--force', '--yes'], { dir }),
      /^Removed n3\. The preference of 2 volumes is cleared\.\n/,
    );
    assert.equal(volume(dir, 'v1').preferredNode, null);
  });

  it('online takes several and leaves those that are online as they are', () => {
    const dir = smallCluster();
    cfs(['node', 'offline', 'n1'], { dir });
    const { online, already } = cfsJson(['node', 'online', 'n1', 'n2'], { dir });
    assert.deepEqual([online, already], [['n1'], ['n2']]);
  });
});

describe('cfs volume', function () {
  this.timeout(120_000);

  it('create takes every field of a volume', () => {
    const dir = smallCluster();
    cfs(
      ['volume', 'create', 'v9', '--weight', '1e3', '--group', 'ENG', '--domains', 'West,east'].concat([
        '--preferred-node',
        'n2',
        '--current-node',
        'n1',
        '--no-can-group-migrate',
      ]),
      { dir },
    );
    const { placement, ...fields } = volume(dir, 'v9');
    assert.deepEqual(fields, {
      name: 'v9',
      weight: 1000,
      group: 'eng',
      domains: ['west', 'east'],
      preferredNode: 'n2',
      canGroupMigrate: false,
      nodeState: 'online',
    });
    assert.deepEqual(placement, { node: 'n1', since: 3, by: 'given', stage: null, rule: null, unplaced: null });
  });

  it('set changes fields, and none takes a group or a preference away', () => {
    const dir = smallCluster();
    cfs(['volume', 'set', 'v1', '--preferred-node', 'n2', '--group', 'Any'], { dir });
    assert.deepEqual([volume(dir, 'v1').preferredNode, volume(dir, 'v1').group], ['n2', 'Any']);
    cfs(['volume', 'set', 'v1', '--preferred-node', 'none', '--group', 'NONE', '--domains', ''], { dir });
    const { preferredNode, group, domains } = volume(dir, 'v1');
    assert.deepEqual([preferredNode, group, domains], [null, null, []]);
  });

  it('create -f - takes 100,000 volumes from standard input as one generation', () => {
    const dir = smallCluster();
    const lines: string[] = [];
    for (let i = 0; i < 100_000; i++) {
      lines.push(
        JSON.stringify({ name: `bulk${i}`, weight: (i % 7) + 1, group: i % 2 ? 'eng' : null, domains: ['east'] }),
      );
    }
    const input = `${lines.join('\n')}\n`;
    assert.equal(cfs(['volume', 'create', '-f', '-'], { dir, input }), '100000 volumes created.\nGeneration 3.\n');
    assert.match(cfs(['show'], { dir }), /volumes: +100003 records\n/);
    assert.match(cfs(['history', '-n', '1'], { dir }), /volume\.create +100000 volumes/);
    assert.equal(volume(dir, 'bulk99999').weight, (99_999 % 7) + 1);
    const { stderr, status } = runCfs(['volume', 'create', '-f', '-'], { dir, input });
    assert.equal(status, 4);
    assert.match(stderr, /^Error: At least 20 problems:\n {2}There is already a volume "bulk0"\n/);
    assert.match(cfs(['undo', '--dry-run'], { dir }), /… and 99800 more changes \(--json lists all\)\n$/);
    assert.equal(generationOf(dir), 3);
  });
});

for (const kind of ['group', 'domain'] as const) {
  describe(`cfs ${kind}`, function () {
    this.timeout(60_000);
    const existing = kind === 'group' ? 'eng' : 'east';

    it('adds, describes, renames, lists and removes', () => {
      const dir = smallCluster();
      cfs([kind, 'add', 'one', 'two', '--description', 'new'], { dir });
      cfs([kind, 'set', 'ONE', '--description', ''], { dir });
      cfs([kind, 'rename', 'two', 'Two'], { dir });
      const rows = cfsJson([kind, 'list'], { dir })[`${kind}s`] as Row[];
      assert.deepEqual(
        rows.filter((row) => row.nodes === 0 && row.volumes === 0),
        [
          { name: 'Two', nodes: 0, volumes: 0, description: 'new' },
          { name: 'one', nodes: 0, volumes: 0, description: null },
        ],
      );
      cfs([kind, 'remove', 'one', 'TWO', '--yes'], { dir });
      assert.equal(cfs([kind, 'list', '--filter', 'volumes=0', '--filter', 'nodes=0', '-o', 'name'], { dir }), '');
    });

    it('counts who names each, and a rename carries all of them along', () => {
      const dir = smallCluster();
      const row = (name: string) =>
        (cfsJson([kind, 'list', '--filter', `name=${name}`], { dir })[`${kind}s`] as Row[])[0];
      const { nodes, volumes } = row(existing)!;
      assert.ok((nodes as number) > 0 && (volumes as number) > 0);
      cfs([kind, 'rename', existing, 'renamed'], { dir });
      assert.deepEqual(row('renamed'), { name: 'renamed', nodes, volumes, description: null });
      assert.match(cfs(['rebalance'], { dir }), /balanced: nothing to change/);
    });
  });
}

describe('cfs cluster', function () {
  this.timeout(60_000);

  it('set, unset and show agree', () => {
    const dir = smallCluster();
    const value = (name: string) =>
      (cfsJson(['cluster', 'show'], { dir }).settings as Row[]).find((row) => row.name === name)?.value;
    assert.equal(value('lock.timeout'), 30_000);
    cfs(['cluster', 'set', 'lock.timeout=2m', 'name=the cluster'], { dir });
    assert.deepEqual([value('lock.timeout'), value('name')], [120_000, 'the cluster']);
    assert.match(cfs(['cluster', 'show'], { dir }), /^lock\.timeout +2m +30s /m);
    cfs(['cluster', 'unset', 'lock.timeout'], { dir });
    assert.equal(value('lock.timeout'), 30_000);
    assert.match(cfs(['cluster', 'show'], { dir }), /^lock\.timeout +30s += /m);
  });

  it('freeze is on top of every status until it ends, by time or by hand', () => {
    const dir = smallCluster();
    cfs(['cluster', 'freeze', '--until', '2099-01-31T18:00+01:00', '--reason', 'new "switches"'], { dir });
    assert.match(cfs(['status'], { dir }), /^FROZEN until 2099-01-31T17:00:00\.000Z: new "switches"\n/);
    const check = runCfs(['check'], { dir });
    assert.equal(check.status, 1);
    assert.match(check.stdout, /^CFS WARNING - frozen; /);
    assert.match(cfs(['cluster', 'unfreeze'], { dir }), /^The freeze has ended\.\n/);
    assert.match(cfs(['status'], { dir }), /^Cluster: /);
  });
});
