/** Creating clusters: from a file, as a sample, from the flags of the template. */
import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { cfs, cfsJson, runCfs, tempDir } from '../kit/cli.js';
import { contents, database, errorOf, FIXTURES, fileOf } from '../kit/commands.js';

const newDir = (): string => join(tempDir('init'), 'cfs');

describe('cfs init', function () {
  this.timeout(60_000);

  it('makes generation 1 of a file, and says what it holds and what comes next', () => {
    const dir = newDir();
    const { stdout, stderr } = runCfs(['init', '--from', join(FIXTURES, 'ten-nodes.yaml')], { dir });
    assert.equal(
      stdout,
      `Cluster created in ${dir}: 1 setting, 6 groups, 5 domains, 20 nodes, 20 node states, 31 volumes.\nGeneration 1.\n`,
    );
    assert.equal(stderr, 'Next: cfs rebalance places the volumes; cfs status shows the cluster.\n');
  });

  it('takes YAML, JSON and standard input alike', () => {
    const yaml = 'cluster: {name: x}\nnodes: [{name: a, weight: 2.5, state: online}]\nvolumes: [{name: v}]\n';
    const json =
      '{"cluster":{"name":"x"},"nodes":[{"name":"a","weight":2.5,"state":"online"}],"volumes":[{"name":"v"}]}';
    const exports = [
      { args: ['--from', fileOf(yaml)] },
      { args: ['--from', fileOf(json, 'x.json')] },
      { args: ['--from', '-'], input: yaml },
      { args: ['--from', '-'], input: json },
    ].map(({ args, input = '' }) => {
      const dir = newDir();
      cfs(['init', ...args], { dir, input });
      return cfs(['export'], { dir });
    });
    assert.equal(new Set(exports).size, 1);
    assert.match(exports[0]!, /weight: 2\.5/);
  });

  it('makes the cluster of the template from flags alone', () => {
    const dir = newDir();
    cfs(['init', '--name', 'demo', '--nodes', 'a,b', '--groups', 'g', '--domains', 'd', '--volumes', '3'], { dir });
    assert.equal(cfs(['volume', 'list', '-o', 'name'], { dir }), 'v1\nv2\nv3\n');
    cfs(['rebalance', '--strict'], { dir });
    assert.equal(runCfs(['check'], { dir }).status, 0);
  });

  it('makes clients that may mount all volumes of the template', () => {
    const dir = newDir();
    cfs(['init', '--name', 'demo', '--volumes', '2', '--clients', 'c1,c2', '--yes'], { dir });
    assert.deepEqual(
      (cfsJson(['export'], { dir }).access as { volume: string; client: string; mount: boolean }[]).map(
        ({ volume, client, mount }) => [volume, client, mount],
      ),
      [
        ['v1', 'c1', true],
        ['v1', 'c2', true],
        ['v2', 'c1', true],
        ['v2', 'c2', true],
      ],
    );
    const { stdout } = runCfs(['client', 'list', '-o', 'name'], { dir });
    assert.equal(stdout, 'c1\nc2\n');
  });

  it('without a terminal and --yes asks for the flag that is missing (2) and makes nothing', () => {
    const dir = newDir();
    const result = runCfs(['init', '--name', 'demo', '--json'], { dir });
    assert.equal(result.status, 2);
    const error = errorOf(result);
    assert.equal(error.code, 'CONFIRMATION_NEEDED');
    assert.match(error.hint ?? '', /--nodes, or --yes for the defaults/);
    assert.deepEqual(contents(join(dir, '..')), {});
  });

  it('makes a sample of any size, the same one for the same seed', () => {
    const [one, two, other] = [newDir(), newDir(), newDir()];
    cfs(['init', '--sample', '8x40', '--yes'], { dir: one });
    cfs(['init', '--sample', '8x40', '--yes', '--seed', '1'], { dir: two });
    cfs(['init', '--sample', '8x40', '--yes', '--seed', '2'], { dir: other });
    assert.equal(cfs(['export'], { dir: one }), cfs(['export'], { dir: two }));
    assert.notEqual(cfs(['export'], { dir: one }), cfs(['export'], { dir: other }));
  });

  it('is rehearsed without making a directory', () => {
    const dir = newDir();
    const { stdout, stderr } = runCfs(['init', '--sample', '2x3', '--yes', '--dry-run'], { dir });
    assert.match(stdout, /^\+ setting name: /);
    assert.match(stderr, /Dry run: nothing was created in /);
    assert.deepEqual(contents(join(dir, '..')), {});
  });

  it('refuses sizes, names and exclusive flags that make no sense (2) and makes nothing', () => {
    const dir = newDir();
    const cases: [string[], string, RegExp][] = [
      [['--sample', 'many'], 'USAGE', /"many" is no size/],
      [['--sample', '2x3', '--from', 'x'], 'USAGE', /--from/],
      [['--sample', '2x3', '--nodes', 'a'], 'USAGE', /--nodes|--sample/],
      [['--name', '', '--yes'], 'BAD_NAME', /cluster: it is empty/],
      [['--name', 'x', '--nodes', 'a/b', '--yes'], 'BAD_NAME', /"a\/b"/],
      [['--name', 'x', '--nodes', 'a,a', '--yes'], 'BAD_VALUE', /"a" twice/],
      [['--name', 'x', '--volumes', '-1', '--yes'], 'BAD_VALUE', /-1/],
    ];
    for (const [args, code, says] of cases) {
      const result = runCfs(['init', ...args, '--json'], { dir });
      assert.equal(result.status, 2, result.stdout + result.stderr);
      const error = errorOf(result);
      assert.equal(error.code, code, error.message);
      assert.match(error.message, says);
      assert.deepEqual(contents(join(dir, '..')), {});
    }
  });

  it('of an unknown group of users is refused, and makes nothing', () => {
    const dir = newDir();
    const result = runCfs(['init', '--yes', '--unix-group', 'no-such-group', '--json'], { dir });
    assert.notEqual(result.status, 0);
    assert.match(errorOf(result).message, /no-such-group/);
    assert.deepEqual(contents(join(dir, '..')), {});
  });

  it('keeps who made the cluster, from what and why', () => {
    const dir = newDir();
    cfs(['init', '--from', join(FIXTURES, 'joining.yaml'), '--message', 'first try'], { dir });
    const { history } = cfsJson(['history'], { dir }) as { history: Record<string, unknown>[] };
    assert.equal(history[0]?.operation, 'init');
    assert.equal(history[0]?.message, 'first try');
    assert.match(JSON.stringify(history[0]?.request), /joining\.yaml/);
  });

  it('that was cut off before cluster.json is completed by repeating it', () => {
    const dir = newDir();
    const args = ['init', '--from', join(FIXTURES, 'joining.yaml')];
    cfs(args, { dir });
    const whole = database(dir);
    rmSync(join(dir, 'cluster.json'));
    assert.match(cfs(args, { dir }), /Cluster created in .*4 volumes\.\nGeneration 1\.\n$/);
    assert.deepEqual(Object.keys(database(dir)), Object.keys(whole));
    assert.equal(runCfs(['db', 'check'], { dir }).status, 0);
  });
});
