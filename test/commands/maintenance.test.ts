/** cfs db, cfs lock, cfs watch, cfs status and cfs check: what keeps a cluster in order. */
import assert from 'node:assert/strict';
import { mkdirSync, utimesSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { nodeSet } from '../../src/core/config/nodes.js';
import { openCluster } from '../../src/open.js';
import { cfs, cfsJson, runCfs, startCfs, tempDir } from '../kit/cli.js';
import {
  changesNothing,
  contents,
  errorOf,
  generationOf,
  inTurns,
  livedInCluster,
  refuses,
  runBeside,
  smallCluster,
  tenNodes,
} from '../kit/commands.js';

type Row = Record<string, unknown>;

describe('cfs db', function () {
  this.timeout(120_000);

  it('check and stat tell that all is whole, and how much there is', () => {
    const dir = livedInCluster();
    assert.match(changesNothing(dir, ['db', 'check']).stdout, /^Generations 1 to 7 are whole: 7 manifests, /);
    const stat = cfsJson(['db', 'stat'], { dir }) as Row & { manifests: Row; tables: Record<string, Row> };
    assert.deepEqual([stat.oldest, stat.generation, stat.manifests.files], [1, 7, 7]);
    assert.equal(stat.tables.volumes?.records, 4);
  });

  it('backup and restore bring the configuration back as one generation, which can be undone', () => {
    const dir = smallCluster();
    const file = join(tempDir('backup'), 'monday.cfs');
    const then = cfs(['export'], { dir });
    assert.match(cfs(['db', 'backup', file], { dir }), /^Generation 2 written to .*monday\.cfs: \d+ records, /);
    cfs(['volume', 'create', 'v9'], { dir });
    cfs(['node', 'set', 'n1', '--weight', '8'], { dir });
    refuses(dir, ['db', 'restore', file], { status: 2, code: 'CONFIRMATION_NEEDED', says: /equal to the backup/ });
    changesNothing(dir, ['db', 'restore', file, '--dry-run']);
    cfs(['db', 'restore', file, '--yes'], { dir });
    assert.equal(cfs(['export'], { dir }), then);
    assert.equal(generationOf(dir), 5);
    assert.match(cfs(['db', 'restore', file, '--yes'], { dir }), /^Nothing to change \(generation 5\)/);
    cfs(['undo'], { dir });
    assert.match(cfs(['node', 'show', 'n1'], { dir }), /Weight: +8\n/);
  });

  it('restore --new makes a cluster whose epochs outrank those of the lost one', () => {
    const dir = tenNodes();
    const file = join(tempDir('backup'), 'b.cfs');
    cfs(['db', 'backup', file, '--generation', '2'], { dir });
    const fresh = join(tempDir('fresh'), 'cfs');
    cfs(['db', 'restore', file, '--new', fresh, '--yes']);
    assert.equal(generationOf(fresh), 1_000_000);
    assert.equal(cfs(['export'], { dir: fresh }), cfs(['export'], { dir }));
    assert.match(cfs(['failover', 'CFN8'], { dir: fresh }), /Generation 1000001\.\n$/);
    refuses(fresh, ['db', 'restore', file, '--new', fresh, '--yes'], {
      status: 4,
      code: 'CLUSTER_EXISTS',
      says: /already|not empty/,
    });
  });

  it('compact removes what the policy does not keep; what is gone is told as gone (3)', async () => {
    const dir = smallCluster();
    const cluster = await openCluster({ dir });
    for (let weight = 1; weight <= 128; weight++) await cluster.change(nodeSet, { name: 'n2', weight: weight + 5 });
    const policy = ['--keep', '100', '--keep-for', '0s'];
    assert.match(changesNothing(dir, ['db', 'compact', ...policy, '--dry-run']).stdout, /^Would remove 30 generations/);
    const now = cfs(['export'], { dir });
    assert.match(cfs(['db', 'compact', ...policy], { dir }), /^Removed 30 generations/);
    assert.equal(cfs(['export'], { dir }), now);
    assert.equal(runCfs(['db', 'check'], { dir }).status, 0);
    const past = [
      ['status', '--at', '5'],
      ['diff', '5'],
      ['undo', '5'],
      ['undo', '--to', '5', '--yes'],
    ];
    // Each looks again for more than a second, in case that only a cache lags.
    for (const result of await inTurns(past.map((args) => () => runBeside([...args, '--json'], dir)))) {
      const { code, message, hint = '' } = errorOf(result);
      assert.deepEqual([result.status, code], [3, 'GENERATION_NOT_FOUND']);
      assert.match(message, /generation 5/i);
      assert.match(hint, /31 to 131/);
    }
    assert.equal(cfsJson(['history', '--limit', '0'], { dir }).oldest, 31);
    assert.match(cfs(['why', 'v1'], { dir }), /^v1 is on /);
  });
});

describe('cfs lock', function () {
  this.timeout(60_000);

  const held = (dir: string, renewedMsAgo = 0): void => {
    mkdirSync(join(dir, 'lock'));
    const then = new Date(Date.now() - renewedMsAgo);
    utimesSync(join(dir, 'lock'), then, then);
    const holder = { host: hostname(), pid: process.pid, user: 'tester', command: 'a test', since: then.toISOString() };
    writeFileSync(join(dir, 'lock.owner'), JSON.stringify(holder));
  };

  it('show tells that it is free, or that it is held', () => {
    const dir = smallCluster();
    assert.equal(changesNothing(dir, ['lock', 'show']).stdout, 'The lock is free.\n');
    held(dir);
    assert.match(changesNothing(dir, ['lock', 'show']).stdout, /^Held by: +\S.*\n/);
    assert.equal(cfsJson(['lock', 'show'], { dir }).held, true);
  });

  it('break asks first, refuses a lock in use without --force, and removes it with', () => {
    const dir = smallCluster();
    held(dir);
    refuses(dir, ['lock', 'break'], { status: 2, code: 'CONFIRMATION_NEEDED', says: /Break the lock of/ });
    cfs(['lock', 'break', '--force', '--yes'], { dir });
    assert.equal(cfs(['lock', 'show'], { dir }), 'The lock is free.\n');
    cfs(['node', 'set', 'n1', '--weight', '3'], { dir });
  });

  it('readers do not wait for it', () => {
    const dir = smallCluster();
    held(dir);
    for (const args of [['status'], ['node', 'list'], ['history'], ['rebalance', '--dry-run'], ['export']]) {
      changesNothing(dir, args);
    }
  });

  it('a change waits as long as it is told, and then says who holds it (6)', () => {
    const dir = smallCluster();
    held(dir);
    refuses(dir, ['node', 'set', 'n1', '--weight', '9', '--lock-timeout', '200ms'], {
      status: 6,
      code: 'LOCK_TIMEOUT',
      says: /lock/,
      hint: /./,
    });
  });
});

describe('cfs watch', function () {
  this.timeout(60_000);

  it('tells every generation from a given one on, and those that come', async () => {
    const dir = smallCluster();
    const child = startCfs(['watch', '--from', '1', '--count', '4', '--for', '40s'], { dir });
    let out = '';
    let whenTwo: () => void = () => {};
    const two = new Promise<void>((done) => {
      whenTwo = done;
    });
    child.stdout?.on('data', (chunk) => {
      out += chunk;
      if (out.split('\n').length > 2) whenTwo();
    });
    await two;
    cfs(['node', 'set', 'n1', '--weight', '3', '-m', 'one'], { dir });
    cfs(['node', 'set', 'n1', '--weight', '4', '-m', 'two'], { dir });
    const status = await new Promise((done) => child.on('exit', done));
    assert.equal(status, 0);
    const lines = out
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Row & { changes: Row[] });
    assert.deepEqual(
      lines.map((line) => line.generation),
      [1, 2, 3, 4],
    );
    assert.deepEqual([lines[2]?.message, lines[3]?.message], ['one', 'two']);
    assert.equal(lines[3]?.changes.length, 1);
  });

  it('ends after --for, and changes nothing', () => {
    const dir = smallCluster();
    assert.equal(changesNothing(dir, ['watch', '--for', '100ms']).stdout, '');
  });
});

describe('cfs status and cfs check', function () {
  this.timeout(60_000);

  it('agree on what is wrong: 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN', () => {
    const dir = smallCluster();
    const verdict = (env = dir) => {
      const { status, stdout, stderr } = runCfs(['check'], { dir: env });
      assert.equal(stderr, '');
      assert.match(stdout, /^CFS (OK|WARNING|CRITICAL|UNKNOWN) - [^\n]+\n$/);
      return `${status} ${stdout.trimEnd()}`;
    };
    assert.equal(verdict(), '0 CFS OK - 3/3 nodes active, 3/3 volumes placed');
    cfs(['volume', 'create', 'v4', '--domains', 'east'], { dir });
    assert.equal(verdict(), '1 CFS WARNING - 1 volume not yet placed; 3/3 nodes active, 3/4 volumes placed');
    cfs(['rebalance'], { dir });
    cfs(['failover', 'n1'], { dir });
    assert.equal(verdict(), '1 CFS WARNING - 1 failed node; 2/3 nodes active, 4/4 volumes placed');
    cfs(['volume', 'create', 'v5', '--domains', 'east', '--current-node', 'n1'], { dir });
    assert.match(verdict(), /^2 CFS CRITICAL - 1 volume on a node that is not active, 1 failed node; /);
    assert.match(
      cfs(['status'], { dir }),
      /On nodes that are not active \(cfs failover NODE, or cfs node standby NODE\)\n {2}v5: n1 is failed\n/,
    );
    cfs(['failover', 'n1'], { dir });
    assert.match(verdict(), /^1 /);
    assert.match(verdict(join(tempDir('none'), 'cfs')), /^3 CFS UNKNOWN - /);
  });

  it('check answers wrong usage with 3, never with a code that says something about the cluster', () => {
    const dir = smallCluster();
    for (const args of [
      ['check', '--colour'],
      ['check', 'n1'],
      ['check', '--at', 'x'],
      ['check', '--at', '99'],
    ]) {
      assert.equal(runCfs(args, { dir }).status, 3, args.join(' '));
    }
  });

  it('check --json gives the verdict and the whole status', () => {
    const dir = tenNodes();
    const { stdout, status } = runCfs(['check', '--json'], { dir });
    assert.equal(status, 2);
    const report = JSON.parse(stdout) as Row & { status: Row };
    assert.equal(report.health, 'CRITICAL');
    assert.deepEqual(report.status, withoutVersion(cfsJson(['status'], { dir })));
  });

  it('status tells more than twenty of a kind only with --all', () => {
    const dir = smallCluster();
    const lines = Array.from({ length: 30 }, (_, i) => `{"name":"w${i}"}`).join('\n');
    cfs(['volume', 'create', '-f', '-'], { dir, input: lines });
    assert.match(
      cfs(['status'], { dir }),
      /Not yet placed \(cfs rebalance\)\n( {2}w\d+\n){20} {2}… and 10 more \(--all\)\n/,
    );
    assert.match(cfs(['status', '--all'], { dir }), /( {2}w\d+\n){30}/);
  });

  it('status of a cluster with nothing in it is no crash', () => {
    const dir = join(tempDir('empty'), 'cfs');
    cfs(['init', '--from', '-'], { dir, input: 'cluster: {name: empty}\n' });
    assert.match(cfs(['status'], { dir }), /Nodes: +0\nVolumes: +0: 0 placed\n/);
    assert.match(cfs(['rebalance'], { dir }), /nothing to change/);
    assert.match(runCfs(['node', 'list'], { dir }).stderr, /^No nodes\.\n$/);
    assert.equal(runCfs(['check'], { dir }).status, 0);
    assert.equal(
      Object.keys(contents(dir)).some((name) => name.endsWith('.tmp')),
      false,
    );
  });
});

function withoutVersion({ schemaVersion, ...rest }: Row): Row {
  assert.equal(schemaVersion, 1);
  return rest;
}
