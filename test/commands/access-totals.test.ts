/** Clients in what shows and changes the whole cluster: status, check, metrics, export, apply, undo. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { cfs, cfsJson, needsProgram, runCfs, tempDir } from '../kit/cli.js';
import { fileOf, refuses } from '../kit/commands.js';

const DOCUMENT = `
cluster: {name: shop}
nodes: [{name: n1, state: online}]
volumes:
  - {name: v1, currentNode: n1}
  - {name: v2, currentNode: n1, softwareLock: true}
clients: [{name: c1, autoRespond: true}, {name: c2}, {name: c3, lockedOut: true}]
access:
  - {volume: v1, client: c1, mount: true}
  - {volume: v1, client: c2, mount: true, autoUpdate: true, autoUpdateInterval: 5s}
  - {volume: v2, client: c3, mount: false, lockout: true}
`;

/** c1 writes v1, c2 waits for it, c3 is not logged on. No agents: commands do everything. */
function shop(): string {
  const dir = join(tempDir('shop'), 'cfs');
  cfs(['init', '--from', '-'], { dir, input: DOCUMENT });
  for (const client of ['c1', 'c2']) cfs(['client', 'logon', client], { dir });
  cfs(['volume', 'request-write', 'v1', '--client', 'c1'], { dir });
  cfs(['volume', 'request-write', 'v1', '--client', 'c2', '--limit', '1s'], { dir });
  return dir;
}

describe('totals of access control', function () {
  this.timeout(60_000);

  it('are in the status, with the format; of a cluster without clients only the format is', () => {
    const dir = shop();
    assert.match(
      cfs(['status'], { dir }),
      /^Format: +3$[\s\S]*^Clients: +3: 2 logged on\nWriters: +1 volume with a writer, 1 request waiting$/m,
    );
    const { format, clients, writers, pendingRequests } = cfsJson(['status'], { dir });
    assert.deepEqual(
      { format, clients, writers, pendingRequests },
      {
        format: 3,
        clients: { total: 3, loggedOn: 2 },
        writers: 1,
        pendingRequests: 1,
      },
    );
    const none = join(tempDir('none'), 'cfs');
    cfs(['init', '--from', '-'], { dir: none, input: 'cluster: {name: x}\n', env: { CFS_FORMAT_LIMIT: '2' } });
    const text = cfs(['status'], { dir: none });
    assert.match(text, /^Format: +2$/m);
    assert.doesNotMatch(text, /Clients|Writers/);
  });

  it('are metrics that promtool likes', function () {
    const text = cfs(['metrics'], { dir: shop() });
    for (const line of [
      'cfs_clients{state="logged_on"} 2',
      'cfs_clients{state="logged_off"} 1',
      'cfs_volumes_with_writer 1',
      'cfs_write_requests 1',
    ]) {
      assert.ok(text.split('\n').includes(line), line);
    }
    needsProgram(this, 'promtool');
    const check = spawnSync('promtool', ['check', 'metrics'], { input: text, encoding: 'utf8' });
    assert.deepEqual([check.stdout, check.stderr, check.status], ['', '', 0]);
  });

  it('warn of a right that its writer must give up and does not, until it does', () => {
    const dir = shop();
    assert.equal(runCfs(['check'], { dir }).stdout.includes('right to write'), false);
    cfs(['apply', '-f', fileOf('access: [{volume: v1, client: c1, mount: false}]\n')], { dir });
    const { status, stdout } = runCfs(['check'], { dir });
    assert.equal(status, 1);
    assert.match(stdout, /^CFS WARNING - 1 right to write that must be given up: "v1\/c1"/);
    cfs(['volume', 'release-write', 'v1', '--client', 'c1'], { dir });
    assert.doesNotMatch(cfs(['status'], { dir }), /WARNING.*right to write/);
    assert.match(cfs(['status'], { dir }), /^Writers: +1 volume with a writer$/m, 'c2 has it');
  });
});

describe('clients in documents', function () {
  this.timeout(60_000);

  it('are exported and applied without a change, and made again elsewhere', () => {
    const dir = shop();
    const text = cfs(['export'], { dir });
    assert.match(text, /^ {2}- \{volume: v1, client: c2, .*\}$|autoUpdateInterval: 5s/m);
    assert.match(
      cfs(['apply', '-f', fileOf(text), '--prune', '--yes'], { dir }),
      /nothing to change|Nothing to change/,
    );
    const copy = join(tempDir('copy'), 'cfs');
    cfs(['init', '--from', '-'], { dir: copy, input: text });
    assert.equal(cfs(['export'], { dir: copy }), text);
    assert.equal(cfsJson(['status'], { dir: copy }).writers, 0, 'who writes is no wish');
  });

  it('are not pruned, undone or restored away while they are at work (4)', () => {
    const dir = shop();
    const prune = ['apply', '-f', fileOf('clients: [{name: c1}]\n'), '--prune', '--yes'];
    refuses(dir, prune, {
      status: 4,
      code: 'CLIENT_IN_USE',
      says: /Client "c2" is logged on/,
      hint: /client logoff c2/,
    });
    const less = ['apply', '-f', fileOf('volumes: [{name: v2}]\n'), '--prune', '--yes'];
    refuses(dir, less, { status: 4, code: 'VOLUME_IN_USE', says: /Volume "v1" is mounted on "c1", "c2"/ });
    for (const args of [
      ['volume', 'remove', 'v1', '--yes'],
      ['volume', 'rename', 'v1', 'w1'],
    ]) {
      refuses(dir, args, { status: 4, code: 'VOLUME_IN_USE', says: /"v1" is mounted/, hint: /volume unmount v1/ });
    }
    cfs(['client', 'add', 'c4'], { dir });
    const added = Number(cfsJson(['status'], { dir }).generation);
    cfs(['client', 'logon', 'c4'], { dir });
    refuses(dir, ['undo', String(added)], { status: 4, code: 'CLIENT_IN_USE', says: /Client "c4" is logged on/ });
    const back = ['undo', '--to', String(added - 1), '--yes'];
    refuses(dir, back, { status: 4, code: 'CLIENT_IN_USE', says: /Client "c4" is logged on/ });
    cfs(['client', 'logoff', 'c4'], { dir });
    cfs(['undo', String(added)], { dir });
    assert.equal(cfs(['client', 'list', '-o', 'name'], { dir }), 'c1\nc2\nc3\n');
  });

  it('whose logon is to be undone stay as they are, which undo says', () => {
    const dir = shop();
    const { stdout, stderr, status } = runCfs(['undo'], { dir });
    assert.equal(status, 0, stderr);
    assert.match(stdout + stderr, /not undone/);
    assert.equal(cfsJson(['status'], { dir }).pendingRequests, 1);
  });
});
