/** Losing nodes and getting them back: failover, failback, why, status and check along the way. */
import assert from 'node:assert/strict';
import { cfs, cfsJson, runCfs } from '../kit/cli.js';
import { changesNothing, errorOf, generationOf, refuses, smallCluster, tenNodes } from '../kit/commands.js';

type Row = Record<string, unknown>;
const volumes = (dir: string): Map<string, Row> =>
  new Map((cfsJson(['volume', 'list'], { dir }).volumes as Row[]).map((row) => [String(row.name), row]));

describe('cfs failover and failback', function () {
  this.timeout(60_000);

  it('keeps every volume that may stay where it is, and moves those of the lost node only', () => {
    const dir = tenNodes();
    const before = volumes(dir);
    const { changed, forcedMoves, moves, node } = cfsJson(['failover', 'CFN8'], { dir }) as Row & { changed: string[] };
    const held = [...before].filter(([, row]) => row.currentNode === 'CFN8').map(([name]) => name);
    assert.deepEqual([...changed].sort(), held.sort());
    assert.deepEqual([moves, forcedMoves, node], [6, 6, 'CFN8']);
    for (const [name, row] of volumes(dir)) {
      if (changed.includes(name)) {
        assert.notEqual(row.currentNode, 'CFN8');
        assert.equal(row.epoch, 3, `${name} has a new epoch`);
        assert.equal(row.placedBy, 'failover');
      } else assert.deepEqual(row, before.get(name), `${name} is untouched`);
    }
  });

  it('run again changes nothing and makes no generation', () => {
    const dir = tenNodes();
    cfs(['failover', 'CFN8'], { dir });
    assert.match(cfs(['failover', 'CFN8'], { dir }), /nothing to change \(generation 3\)\.\n$/);
    cfs(['failback', 'CFN8'], { dir });
    assert.match(cfs(['failback', 'CFN8'], { dir }), /nothing to change \(generation 4\)\.\n$/);
    assert.equal(generationOf(dir), 4);
  });

  it('failback returns what prefers the node, and nothing else', () => {
    const dir = smallCluster();
    cfs(['volume', 'set', 'v1', '--preferred-node', 'n1'], { dir });
    cfs(['rebalance'], { dir });
    cfs(['failover', 'n1'], { dir });
    assert.notEqual(volumes(dir).get('v1')?.currentNode, 'n1');
    const { changed } = cfsJson(['failback', 'n1'], { dir });
    assert.deepEqual(changed, ['v1']);
    assert.equal(volumes(dir).get('v1')?.currentNode, 'n1');
    assert.match(cfs(['node', 'show', 'n1'], { dir }), /State: +online\n/);
  });

  it('lists what no node can have, in status and check, until a node comes back', () => {
    const dir = smallCluster();
    cfs(['volume', 'set', 'v2', '--no-can-group-migrate'], { dir });
    assert.equal(runCfs(['check'], { dir }).status, 0);
    const { stdout } = runCfs(['failover', 'n2'], { dir });
    assert.match(stdout, /Unplaced[^\n]*\n {2}v2: group-locked\n/);
    assert.match(stdout, /Node n2 is failed; 1 volume can be on no other node\.\n/);
    const status = cfs(['status'], { dir });
    assert.match(status, /Failed and suspect nodes\n {2}n2: failed \(declared failed\)\n/);
    assert.match(status, /Unplaced \(cfs why VOLUME\)\n {2}v2: group-locked, since generation 4\n/);
    assert.match(cfs(['why', 'v2'], { dir }), /n2: is failed\n {2}n3: does not carry group ops/);
    const check = runCfs(['check'], { dir });
    assert.equal(check.status, 2);
    assert.equal(
      check.stdout,
      'CFS CRITICAL - 1 volume that no node can have, 1 failed node; 2/3 nodes active, 2/3 volumes placed\n',
    );
    cfs(['failback', 'n2'], { dir });
    assert.equal(runCfs(['check'], { dir }).status, 0);
    assert.doesNotMatch(cfs(['status'], { dir }), /Unplaced|Failed/);
  });

  it('of the last node leaves all volumes without one, and says so', () => {
    const dir = smallCluster();
    for (const node of ['n1', 'n2', 'n3']) cfs(['failover', node], { dir });
    const { stdout, status } = runCfs(['check'], { dir });
    assert.equal(status, 2);
    assert.match(stdout, /no active node, 3 volumes that no node can have, 3 failed nodes/);
    assert.match(cfs(['status'], { dir }), /Volumes: +3: 0 placed, 3 unplaced\n/);
    cfs(['node', 'online', 'n3'], { dir });
    cfs(['rebalance', '--strict'], { dir });
    assert.equal(runCfs(['check'], { dir }).status, 1);
  });

  it('of a node that is offline is refused (4) with the reason', () => {
    const dir = tenNodes();
    const error = refuses(dir, ['failover', 'CFN11'], {
      status: 4,
      code: 'NODE_STATE',
      says: /CFN11.*offline.*failed/,
    });
    assert.match(error.message, /runs nothing that could fail/);
  });

  it('explains and rehearses', () => {
    const dir = tenNodes();
    const { stdout } = changesNothing(dir, ['failover', 'CFN8', '--dry-run', '--explain']);
    assert.match(stdout, /^s1: .*CFN6.*most remaining capacity/m);
    assert.match(stdout, /Dry run: nothing was committed\.\n$/);
  });

  it('with --strict ends with 4 while a volume stays without a node', () => {
    assert.equal(runCfs(['failover', 'CFN8', '--strict'], { dir: tenNodes() }).status, 4);
  });

  it('standby and offline drain a node: nothing else moves, and online brings it back', () => {
    for (const verb of ['standby', 'offline']) {
      const dir = tenNodes();
      const before = volumes(dir);
      const { changed } = cfsJson(['node', verb, 'CFN8'], { dir }) as { changed: string[] };
      assert.equal(changed.length, 6);
      for (const [name, row] of volumes(dir)) {
        if (!changed.includes(name)) assert.deepEqual(row, before.get(name));
      }
      assert.match(cfs(['node', 'show', 'CFN8'], { dir }), new RegExp(`State: +${verb}\\n`));
      assert.match(cfs(['node', verb, 'CFN8'], { dir }), /nothing to change/);
      cfs(['node', 'online', 'CFN8'], { dir });
      cfs(['rebalance'], { dir });
      const after = [...volumes(dir)].map(([name, row]) => [name, row.currentNode]);
      assert.deepEqual(
        after,
        [...before].map(([name, row]) => [name, row.currentNode]),
      );
    }
  });

  it('a freeze stops nothing that a person types', () => {
    const dir = smallCluster();
    cfs(['cluster', 'freeze'], { dir });
    assert.equal(runCfs(['failover', 'n1'], { dir }).status, 0);
  });
});

describe('cfs why', function () {
  this.timeout(60_000);

  it('tells the stage, the rule and why each other node was out', () => {
    const dir = tenNodes();
    const text = cfs(['why', 'a2'], { dir });
    assert.match(text, /^a2 is on CFN2, placed by staged in generation 2: 1152 \(preferred, RC 9\.44 -> 7\.44\)\n/);
    assert.match(text, /^ {2}CFN11: is offline$/m);
    assert.match(text, /^ {2}CFN5: no common domain \(node: GA; volume: CA\)$/m);
    assert.equal(text.trimEnd().split('\n').length, 21, 'a line for each of the twenty nodes');
  });

  it('still tells it after the failover of another node, and the new reason for a volume that moved', () => {
    const dir = tenNodes();
    cfs(['failover', 'CFN8'], { dir });
    assert.match(cfs(['why', 'a2'], { dir }), /placed by staged in generation 2: 1152/);
    assert.match(cfs(['why', 's1'], { dir }), /placed by failover in generation 3: .*most remaining capacity/);
    assert.match(cfs(['why', 's1', '--at', '2'], { dir }), /s1 is on CFN8, placed by staged in generation 2/);
  });

  it('tells of a volume that is not yet placed, and of one that no node can have', () => {
    const dir = tenNodes();
    cfs(['volume', 'create', 'new', '--domains', 'CA'], { dir });
    assert.match(cfs(['why', 'new'], { dir }), /new has no node yet: nothing has placed it \(cfs rebalance does\)\n/);
    assert.match(cfs(['why', 'm5'], { dir }), /m5 .*group-locked[\s\S]*CFN1: does not carry group mkt/);
  });

  it('refuses a volume that does not exist, in JSON too', () => {
    const error = errorOf(runCfs(['why', 'a22', '--json'], { dir: tenNodes() }));
    assert.equal(error.code, 'VOLUME_NOT_FOUND');
    assert.match(error.hint ?? '', /Did you mean "a2"\?/);
  });
});
