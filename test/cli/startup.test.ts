import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildAll } from '../../scripts/build.js';
import { applyEdits, EDITS, lazyRequires } from '../../scripts/oclif-lazy.js';
import { cleanEnv, ROOT, sampleCluster, tempDir } from '../kit/cli.js';

/** A package of its own to break: bin, and dist without code caches unless they are wanted. */
function copy(withCaches: boolean): string {
  const root = tempDir('package');
  cpSync(join(ROOT, 'bin'), join(root, 'bin'), { recursive: true });
  cpSync(join(ROOT, 'dist'), join(root, 'dist'), {
    recursive: true,
    filter: (path) => withCaches || !path.endsWith('.cache'),
  });
  return root;
}

function run(root: string, argv: string[], env: Record<string, string> = {}) {
  const result = spawnSync(process.execPath, [join(root, 'bin/run.js'), ...argv], {
    cwd: tempDir('cwd'),
    env: cleanEnv({ env }),
    encoding: 'utf8',
  });
  return { status: result.status, stdout: result.stdout, stderr: result.stderr };
}

const caches = (dir: string): string[] =>
  existsSync(dir) ? readdirSync(dir).filter((file) => file.endsWith('.cache')) : [];

describe('the code cache', () => {
  it('is shipped for the commonest commands', () => {
    const names = caches(join(ROOT, 'dist')).map((file) => file.split('.').at(-2));
    for (const name of ['other', 'node-list', 'node-set', 'status']) assert.ok(names.includes(name), name);
  });

  it('is written after the first run of a command, and used by the next', () => {
    const root = copy(false);
    const dist = join(root, 'dist');
    const first = run(root, ['version']);
    const [file] = caches(dist);
    assert.match(file!, /^cli-[0-9a-f]{16}-v\d+\.\d+\.\d+-\w+\.version\.cache$/);
    const before = readFileSync(join(dist, file!));
    assert.deepEqual(run(root, ['version']), first);
    assert.deepEqual(readFileSync(join(dist, file!)), before, 'accepted, so not written again');
    assert.deepEqual(
      readdirSync(dist).filter((name) => name.startsWith('.')),
      [],
      'no temporary file stays',
    );
  });

  it('that is damaged, empty or of another V8 is replaced, and changes nothing that is seen', () => {
    const root = copy(false);
    const first = run(root, ['version']);
    const file = join(root, 'dist', caches(join(root, 'dist'))[0]!);
    const good = readFileSync(file);
    for (const bad of [Buffer.alloc(0), Buffer.from('x'), good.subarray(0, 100), Buffer.from(good).fill(7, 0, 16)]) {
      writeFileSync(file, bad);
      assert.deepEqual(run(root, ['version']), first);
      assert.ok(readFileSync(file).length > 1000, 'written anew');
    }
  });

  it('of other source is never used, though the source is as long', () => {
    const root = copy(false);
    const bundle = join(root, 'dist/cli.cjs');
    run(root, ['version']);
    const text = readFileSync(bundle, 'latin1');
    // A build gives other content another stamp; V8 alone would take the cache and run the old code.
    const changed = text
      .replace('Show the version of cfs', 'SHOW the version of cfs')
      .replace(/^\/\/[0-9a-f]{16}/, `//${'0'.repeat(16)}`);
    assert.equal(changed.length, text.length);
    writeFileSync(bundle, changed, 'latin1');
    assert.equal(run(root, ['version']).status, 0);
    assert.equal(caches(join(root, 'dist')).length, 2);
  });

  it('goes to the user where the installation cannot be written, and nowhere where that cannot either', () => {
    if (process.getuid?.() === 0) {
      // Root writes everywhere, so the directory is made impossible instead: a file stands in its place.
      const root = copy(false);
      const home = tempDir('home');
      writeFileSync(join(home, '.cache'), 'not a directory');
      assert.equal(run(root, ['version'], { HOME: home }).status, 0);
      return;
    }
    const root = copy(false);
    const home = tempDir('home');
    chmodSync(join(root, 'dist'), 0o555);
    assert.equal(run(root, ['version'], { HOME: home }).status, 0);
    assert.equal(caches(join(home, '.cache/cfs')).length, 1);
    chmodSync(join(root, 'dist'), 0o755);
  });

  it('is not written by a run that failed: it compiled the wrong things', () => {
    const root = copy(false);
    run(root, ['node', 'list', '--nonsense']);
    assert.deepEqual(caches(join(root, 'dist')), []);
  });
});

describe('a start of cfs', () => {
  const root = tempDir('traced');
  let env: Record<string, string>;

  before(async function () {
    this.timeout(60_000);
    env = { CFS_DIR: sampleCluster(), CFS_NO_CODE_CACHE: '1' };
    mkdirSync(join(root, 'bin'), { recursive: true });
    cpSync(join(ROOT, 'bin'), join(root, 'bin'), { recursive: true });
    await buildAll({ outdir: join(root, 'dist'), library: false, isTraced: true });
  });

  /** Files of the bundle that a command evaluates. */
  function evaluated(argv: string[]): string[] {
    const trace = join(root, 'trace');
    rmSync(trace, { force: true });
    const { status, stderr } = run(root, argv, { ...env, CFS_TRACE_MODULES: trace });
    assert.equal(status, 0, stderr);
    return readFileSync(trace, 'utf8').trimEnd().split('\n');
  }

  it('evaluates only what it needs: a list that is piped has no colours, locks, schemas, questions or YAML', () => {
    const files = evaluated(['node', 'list']);
    assert.ok(files.some((file) => file.endsWith('src/commands/node/list.ts')));
    const unwanted =
      /chalk|inquirer|js-yaml|proper-lockfile|graceful-fs|valibot|string-width|yocto|ansis|debug\/|model\/schema/;
    assert.deepEqual(
      files.filter((file) => unwanted.test(file)),
      [],
    );
    assert.deepEqual(files.filter((file) => /src\/commands\//.test(file)).length, 1, 'one command');
  });

  it('for the version evaluates neither commands nor oclif', () => {
    assert.deepEqual(
      evaluated(['--version']).filter((file) => /oclif|src\/commands|src\/core\/store/.test(file)),
      [],
    );
  });
});

describe('the changes to oclif', () => {
  const lib = join(ROOT, 'node_modules/@oclif/core/lib');

  it('still find what they replace, once each', () => {
    for (const { file } of EDITS) assert.notEqual(applyEdits(file, readFileSync(join(lib, file), 'utf8')), '');
  });

  it('fail when oclif has changed', () => {
    for (const { file } of EDITS) assert.throws(() => applyEdits(file, 'something else'), /changed/);
  });

  it('make every top-level require of what a command needs lazy', () => {
    for (const file of [
      'command.js',
      'flags.js',
      'args.js',
      'parser/index.js',
      'parser/parse.js',
      'parser/validate.js',
    ]) {
      const text = lazyRequires(readFileSync(join(lib, file), 'utf8'));
      assert.doesNotMatch(text, /^(const|var) \w+ = (__import\w+\()?require\(/m, file);
    }
  });

  it('understand `new`, calls and properties, and refuse what they do not understand', () => {
    const before = 'const a_1 = require("./a");\nnew a_1.B(); (0, a_1.c)(); x.a_1.y;';
    const after = lazyRequires(before);
    assert.ok(
      after.includes('new (a_1$lazy()).B()') && after.includes('(0, (a_1$lazy()).c)()') && after.includes('x.a_1.y'),
    );
    assert.throws(() => lazyRequires('const a_1 = require("./a");\nf({ a_1 });'), /not understood/);
  });
});
