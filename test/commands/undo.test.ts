/** History, diff, show and undo of every kind of change. */
import assert from 'node:assert/strict';
import { cfs, cfsJson, runCfs } from '../kit/cli.js';
import { fileOf, generationOf, livedInCluster, refuses, smallCluster, tenNodes } from '../kit/commands.js';

type Row = Record<string, unknown>;

/** What is wished, as a file: what an undo must bring back. Where volumes are does not belong to it. */
function wished(dir: string): unknown {
  const document = JSON.parse(cfs(['export', '--json'], { dir })) as { nodes: Row[]; volumes: Row[] };
  for (const node of document.nodes) delete node.state;
  for (const volume of document.volumes) delete volume.currentNode;
  return document;
}

const places = (dir: string): Row =>
  Object.fromEntries((cfsJson(['volume', 'list'], { dir }).volumes as Row[]).map((row) => [row.name, row.currentNode]));

const UNDOABLE = [
  'node add n9 --weight 3 --groups eng --domains east',
  'node set n1 n3 --weight 2.5 --add-groups ops --threshold 0.5',
  'node remove n2 --force --yes',
  'node rename n1 first',
  'volume create v9 --weight 4 --group eng --domains east,west --preferred-node n1',
  'volume set v1 v2 --weight 9 --group none',
  'volume remove v1 v4 --yes',
  'volume rename v1 first',
  'group add fresh other',
  'group set eng --description words',
  'group remove archive --yes',
  'group rename eng engineering',
  'domain add north',
  'domain rename east orient',
  'cluster set history.keep=500 lock.timeout=2m',
  'cluster unset lock.timeout',
];

describe('cfs undo', function () {
  this.timeout(120_000);

  for (const line of UNDOABLE) {
    it(`takes back cfs ${line}, and an undo of the undo does it again`, () => {
      const dir = livedInCluster();
      const before = wished(dir);
      cfs(line.split(' '), { dir });
      const after = wished(dir);
      assert.notDeepEqual(after, before);
      const undone = cfsJson(['undo'], { dir });
      assert.deepEqual([undone.undone, undone.generation, undone.committed], [8, 9, true]);
      assert.deepEqual(wished(dir), before);
      cfs(['undo'], { dir });
      assert.deepEqual(wished(dir), after);
      assert.equal(generationOf(dir), 10, 'history keeps all of it');
    });
  }

  it('takes back a rebalance: volumes go back where they were, with new epochs', () => {
    const dir = tenNodes();
    const before = places(dir);
    cfs(['node', 'online', 'CFN11', 'CFN14', 'CFN17'], { dir });
    cfs(['rebalance'], { dir });
    assert.notDeepEqual(places(dir), before);
    cfs(['undo'], { dir });
    // Those that had no node before stay where the rebalance put them: undo makes nothing worse.
    const now = places(dir);
    for (const [volume, node] of Object.entries(before)) if (node !== null) assert.equal(now[volume], node, volume);
    for (const row of cfsJson(['volume', 'list'], { dir }).volumes as Row[]) {
      assert.ok((row.epoch as number) <= 5);
      if (row.placedBy === 'undo') assert.equal(row.epoch, 5);
    }
  });

  it('never undoes the state of a node, and says so', () => {
    const dir = smallCluster();
    cfs(['failover', 'n1'], { dir });
    const { stdout, stderr, status } = runCfs(['undo'], { dir });
    assert.equal(status, 0, stderr);
    assert.match(cfs(['node', 'show', 'n1'], { dir }), /State: +failed/);
    assert.match(stdout + stderr, /state|not active|failed|Nothing to change/);
  });

  it('takes back an older generation while nothing else was built on it, and is refused (4) where it was', () => {
    const dir = smallCluster();
    cfs(['node', 'set', 'n1', '--weight', '5'], { dir });
    cfs(['volume', 'set', 'v1', '--weight', '8'], { dir });
    assert.match(
      cfs(['undo', '3'], { dir }),
      /^~ node n1: weight 5 -> 1\nGeneration 3 taken back\.\nGeneration 5\.\n$/,
    );
    cfs(['volume', 'set', 'v1', '--weight', '9'], { dir });
    refuses(dir, ['undo', '4'], {
      status: 4,
      code: 'RECORD_CHANGED_SINCE',
      says: /Volume "v1" is no longer as generation 4 left it: weight was 8, is now 9/,
      hint: /--force/,
    });
    const forced = runCfs(['undo', '4', '--force'], { dir });
    assert.equal(forced.status, 0);
    assert.match(forced.stderr, /^Left as it is: Volume "v1" is no longer as generation 4 left it/);
    assert.match(forced.stdout, /Nothing to change \(generation 6\)\.\n$/);
  });

  it('is refused (4) where something new depends on what would go', () => {
    const dir = smallCluster();
    cfs(['group', 'add', 'fresh'], { dir });
    cfs(['volume', 'set', 'v1', '--group', 'fresh'], { dir });
    refuses(dir, ['undo', '3'], { status: 4, code: 'GROUP_IN_USE', says: /"fresh" is in use by volumes "v1"/ });
  });

  it('takes back an apply as a whole, and a bulk creation', () => {
    const dir = smallCluster();
    const before = wished(dir);
    cfs(['apply', '-f', fileOf('nodes: [{name: n1, weight: 9}]\nvolumes: [{name: v8}, {name: v9, group: new}]\n')], {
      dir,
    });
    cfs(['undo'], { dir });
    assert.deepEqual(wished(dir), before);
  });

  it('--to returns the whole configuration to a generation, and can be undone itself', () => {
    const dir = livedInCluster();
    const then = JSON.parse(cfs(['export', '--json', '--at', '2'], { dir })) as { nodes: unknown };
    const now = wished(dir);
    cfs(['undo', '--to', '2', '--yes'], { dir });
    assert.deepEqual((JSON.parse(cfs(['export', '--json'], { dir })) as Row).groups, (then as Row).groups);
    assert.match(cfs(['node', 'show', 'n2'], { dir }), /State: +failed/);
    assert.match(cfs(['undo', '--to', '2', '--yes'], { dir }), /Nothing to change \(generation 8\)/);
    cfs(['undo'], { dir });
    assert.deepEqual(wished(dir), now);
  });
});

describe('cfs history, diff and show', function () {
  this.timeout(60_000);

  it('tell who changed what, when, with which command and why', () => {
    const dir = tenNodes();
    cfs(['failover', 'CFN8', '--message', 'power supply'], { dir, env: { SUDO_USER: 'alice' } });
    const { history, oldest } = cfsJson(['history'], { dir }) as { history: Row[]; oldest: number };
    assert.equal(oldest, 1);
    assert.deepEqual(
      history.map((row) => row.operation),
      ['failover', 'rebalance', 'init'],
    );
    const [newest] = history as [Row];
    assert.equal(newest.message, 'power supply');
    assert.equal(newest.command, 'cfs failover CFN8 --message power supply'.replace('power supply', "'power supply'"));
    assert.equal((newest.actor as Row).sudoUser, 'alice');
    assert.match(String(newest.time), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d/);
    assert.deepEqual(newest.counts, { membership: 1, placements: 6 });
    assert.match(
      cfs(['history', '-n', '1'], { dir }),
      /alice@.*failover +1 node state, 6 placements +power supply +CFN8 online -> failed.*\n$/,
    );
    assert.match(cfs(['history', '-n', '1', '--at', '1'], { dir }), /init +83 records/);
  });

  it('find a transaction by its number, whatever the outcome of the command was', () => {
    const dir = smallCluster();
    const { txid } = cfsJson(['node', 'set', 'n1', '--weight', '3'], { dir }) as { txid: string };
    const { history } = cfsJson(['history', '--txid', txid], { dir }) as { history: Row[] };
    assert.equal(history[0]?.generation, 3);
  });

  it('show a diff field by field, one generation or two', () => {
    const dir = smallCluster();
    cfs(['node', 'set', 'n1', '--weight', '3', '--add-groups', 'ops'], { dir });
    cfs(['volume', 'remove', 'v3', '--yes'], { dir });
    assert.equal(cfs(['diff', '3'], { dir }), '~ node n1: weight 1 -> 3; groups eng -> eng,ops\n');
    assert.match(
      cfs(['diff', '2', '4'], { dir }),
      /^~ node n1: .*\n- volume v3: weight 2, domains east, .*\n- placement of v3: n\d\n$/,
    );
    assert.match(cfs(['diff', '4', '2'], { dir }), /^~ node n1: weight 3 -> 1; .*\n\+ volume v3/);
    const { from, to, changes } = cfsJson(['diff', '3'], { dir }) as { from: number; to: number; changes: Row[] };
    assert.deepEqual([from, to, changes.length], [2, 3, 1]);
    assert.deepEqual([changes[0]?.table, changes[0]?.name], ['nodes', 'n1']);
    assert.equal(cfs(['diff', '3', '--table', 'volumes'], { dir }), '');
    assert.match(runCfs(['diff', '3', '3'], { dir }).stderr, /No difference/);
  });

  it('show any table at any generation', () => {
    const dir = smallCluster();
    cfs(['node', 'rename', 'n1', 'first'], { dir });
    assert.match(cfs(['show', 'nodes'], { dir }), /^first: weight=1 /);
    assert.match(cfs(['show', 'nodes', 'n1', '--at', '2'], { dir }), /^n1: weight=1 /);
    assert.match(cfs(['show'], { dir }), /nodes: +3 records\n/);
  });
});
