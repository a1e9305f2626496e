import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { CFS, cleanEnv, ROOT, tempDir } from '../kit/cli.js';

/** Runs a program that must succeed; gives its standard output. */
function run(program: string, argv: string[], cwd: string, env: Record<string, string> = {}): string {
  const { status, stdout, stderr } = spawnSync(program, argv, {
    cwd,
    env: { ...cleanEnv(), ...env },
    encoding: 'utf8',
  });
  assert.equal(status, 0, `${program} ${argv.join(' ')}: ${stdout}${stderr}`);
  return stdout;
}

describe('the packed package', () => {
  const prefix = tempDir('prefix');
  const installed = join(prefix, 'lib/node_modules/@cfs-cluster/cfs');

  before(function () {
    this.timeout(120_000);
    // Packed from a copy: packing changes package.json for a moment, and other tests read it.
    const copy = tempDir('pack');
    for (const name of [
      'package.json',
      'bin',
      'dist',
      'man',
      'scripts/pack-manifest.mjs',
      'README.md',
      'LICENSE',
      'CHANGELOG.md',
    ]) {
      if (!existsSync(join(ROOT, name))) continue;
      mkdirSync(dirname(join(copy, name)), { recursive: true });
      cpSync(join(ROOT, name), join(copy, name), { recursive: true });
    }
    const before = readFileSync(join(copy, 'package.json'), 'utf8');
    run(process.execPath, ['scripts/pack-manifest.mjs', 'strip'], copy);
    run('npm', ['pack', '--ignore-scripts'], copy);
    const archive = readdirSync(copy).find((name) => name.endsWith('.tgz'))!;
    run('npm', ['install', '--global', '--offline', '--prefix', prefix, join(copy, archive)], copy);
    run(process.execPath, ['scripts/pack-manifest.mjs', 'restore'], copy);
    assert.equal(readFileSync(join(copy, 'package.json'), 'utf8'), before, 'package.json is as before');
  });

  it('installs into an empty prefix without fetching anything, and runs', () => {
    const cwd = tempDir('cwd');
    const cfs = join(prefix, 'bin/cfs');
    assert.match(run(cfs, ['--version'], cwd), /^cfs \d+\.\d+\.\d+\n$/);
    run(cfs, ['init', '--yes'], cwd);
    assert.match(run(cfs, ['node', 'list'], cwd), /^NAME /);
    assert.match(run(cfs, ['node', 'list', '--help'], cwd), /EXAMPLES/);
    assert.deepEqual(readdirSync(join(prefix, 'lib/node_modules')), ['@cfs-cluster']);
  });

  it('brings its manual', () => {
    assert.ok(existsSync(join(prefix, 'share/man/man1/cfs.1')));
  });

  it('holds neither sources, tests nor an absolute path of where it was built', () => {
    assert.ok(!existsSync(join(installed, 'src')) && !existsSync(join(installed, 'test')));
    for (const name of readdirSync(join(installed, 'dist')).filter((file) => /\.c?js$/.test(file))) {
      assert.ok(!readFileSync(join(installed, 'dist', name), 'latin1').includes(ROOT), name);
    }
  });

  it('is a library with types, which need no other package', function () {
    this.timeout(60_000);
    const cwd = tempDir('consumer');
    mkdirSync(join(cwd, 'node_modules/@cfs-cluster'), { recursive: true });
    symlinkSync(installed, join(cwd, 'node_modules/@cfs-cluster/cfs'));
    mkdirSync(join(cwd, 'node_modules/@types'));
    symlinkSync(join(ROOT, 'node_modules/@types/node'), join(cwd, 'node_modules/@types/node'));
    symlinkSync(join(ROOT, 'node_modules/undici-types'), join(cwd, 'node_modules/undici-types'));
    run(process.execPath, [CFS, 'init', '--yes', '--nodes', 'a1', '--dir', join(cwd, 'cluster')], cwd);
    const program = `import { openCluster, nodeSet } from '@cfs-cluster/cfs';
const cluster = await openCluster({ dir: 'cluster' });
const outcome = await cluster.change(nodeSet, { name: 'a1', weight: 3 });
const weight: number | undefined = cluster.snapshot().table('nodes').get('a1')?.weight;
console.log(outcome.generation, weight);
`;
    writeFileSync(join(cwd, 'package.json'), '{"type":"module"}');
    writeFileSync(join(cwd, 'use.mts'), program);
    const tsc = join(ROOT, 'node_modules/typescript/bin/tsc');
    const options = ['--strict', '--target', 'es2023', '--module', 'nodenext', '--preserveSymlinks', '--types', 'node'];
    run(process.execPath, [tsc, ...options, 'use.mts'], cwd);
    assert.equal(run(process.execPath, ['use.mjs'], cwd), '2 3\n');
  });
});
