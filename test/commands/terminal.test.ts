/** What somebody at a terminal sees and is asked. Needs `expect`; skipped, with the reason, where it is missing. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { cfs, runCfs, tempDir } from '../kit/cli.js';
import {
  contents,
  database,
  generationOf,
  livedInCluster,
  onTerminal,
  smallCluster,
  tenNodes,
} from '../kit/commands.js';

const ESCAPES = /\u001b\[[0-9;?]*[A-Za-z]/g;
const plain = (output: string): string => output.replace(ESCAPES, '').replaceAll('\r', '');

describe('at a terminal', function () {
  this.timeout(120_000);

  it('a question that is declined ends with 9 and changes nothing', function () {
    const dir = livedInCluster();
    const before = contents(dir);
    const { status, output } = onTerminal(this, ['volume', 'remove', 'v1'], [[/Remove v1 from the cluster\?/, 'n\r']], {
      dir,
    });
    assert.equal(status, 9, output);
    assert.match(plain(output), /Declined; nothing was changed/);
    assert.deepEqual(contents(dir), before);
  });

  it('the answer to a question is no until somebody types y', function () {
    const dir = livedInCluster();
    const before = contents(dir);
    assert.equal(
      onTerminal(this, ['node', 'remove', 'n2', '--force'], [[/Remove node n2\?/, '\r']], { dir }).status,
      9,
    );
    assert.deepEqual(contents(dir), before);
    const { status, output } = onTerminal(this, ['volume', 'remove', 'v1'], [[/Remove v1/, 'y\r']], { dir });
    assert.equal(status, 0, output);
    assert.match(plain(output), /Removed v1\.\nGeneration 8\./);
  });

  it('Ctrl-C at a question ends with 130 and changes nothing', function () {
    const dir = livedInCluster();
    const before = contents(dir);
    const { status, output } = onTerminal(this, ['volume', 'remove', 'v1'], [[/Remove v1/, '\u0003']], { dir });
    assert.equal(status, 130, output);
    assert.deepEqual(contents(dir), before);
  });

  it('undo --to and apply --prune show what would change before they ask', function () {
    const dir = livedInCluster();
    const before = contents(dir);
    const undone = onTerminal(this, ['undo', '--to', '2'], [[/Return the configuration to generation 2\?/, 'n\r']], {
      dir,
    });
    assert.equal(undone.status, 9, undone.output);
    assert.match(plain(undone.output), /- volume v4/);
    assert.deepEqual(contents(dir), before);
  });

  it('init asks for what the flags do not say, and makes the cluster of the answers', function () {
    const cwd = tempDir('init');
    const { status, output } = onTerminal(
      this,
      ['init', '--domains', 'here'],
      [
        [/Name of the cluster/, 'demo\r'],
        [/Names of the nodes/, 'a, b\r'],
        [/Groups/, '\r'],
        [/How many volumes/, '4\r'],
        [/Clients/, 'c1\r'],
      ],
      { cwd },
    );
    assert.equal(status, 0, output);
    assert.match(
      plain(output),
      /Cluster created in .*\.cfs: 1 setting, 1 domain, 2 nodes, 2 node states, 4 volumes, 1 client, 4 access rights\./,
    );
    const dir = join(cwd, '.cfs');
    assert.equal(cfs(['node', 'list', '-o', 'name'], { dir }), 'a\nb\n');
    cfs(['rebalance', '--strict'], { dir });
  });

  it('init that is broken off at a question makes no directory', function () {
    const cwd = tempDir('init');
    const { status, output } = onTerminal(this, ['init'], [[/Name of the cluster/, '\u0003']], { cwd });
    assert.equal(status, 130, output);
    assert.deepEqual(contents(cwd), {});
  });

  it('tables fit 80 columns, or say what -o wide adds', function () {
    const dir = tenNodes();
    cfs(['failover', 'CFN8', '-m', 'the power supply of the second rack has failed again, as it did last week'], {
      dir,
    });
    for (const args of [
      ['node', 'list'],
      ['volume', 'list'],
      ['history'],
      ['group', 'list'],
      ['domain', 'list'],
      ['cluster', 'show'],
      ['status'],
      ['db', 'stat'],
      ['lock', 'show'],
    ]) {
      const { output } = onTerminal(this, args, [], { dir });
      const lines = plain(output).trimEnd().split('\n');
      for (const line of lines) {
        if (line.startsWith('Cluster:') || line.startsWith('Directory:')) continue;
        assert.ok(line.length <= 80, `cfs ${args.join(' ')}: ${line.length} columns: ${line}`);
      }
    }
    assert.match(
      plain(onTerminal(this, ['node', 'list'], [], { dir }).output),
      /-o wide adds RC, IC, THRESHOLD, INTERVAL/,
    );
  });

  it('colours are there, unless NO_COLOR says otherwise', function () {
    const dir = smallCluster();
    assert.ok(onTerminal(this, ['node', 'list'], [], { dir }).output.includes('\u001b[1m'));
    assert.ok(!onTerminal(this, ['node', 'list'], [], { dir, env: { NO_COLOR: '1' } }).output.includes('\u001b['));
  });

  it('--yes asks nothing, and --dry-run neither', function () {
    const dir = livedInCluster();
    const rehearsed = onTerminal(this, ['volume', 'remove', 'v1', '--dry-run'], [], { dir });
    assert.equal(rehearsed.status, 0, rehearsed.output);
    assert.doesNotMatch(rehearsed.output, /Remove v1 from/);
    assert.equal(onTerminal(this, ['volume', 'remove', 'v1', '--yes'], [], { dir }).status, 0);
    assert.equal(generationOf(dir), 8);
  });

  it('a question whose input is no terminal is refused (2)', () => {
    const dir = livedInCluster();
    const before = database(dir);
    assert.equal(runCfs(['volume', 'remove', 'v1'], { dir, input: 'y\n' }).status, 2);
    assert.deepEqual(database(dir), before);
  });
});
