/** The directory itself: missing, somebody else's, writable by all, read-only, not empty. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CFS, cfs, cleanEnv, hasProgram, runCfs, tempDir } from '../kit/cli.js';
import { contents, database, errorOf, refuses, smallCluster } from '../kit/commands.js';

const NOBODY = 65534;
const STRANGER = 12345;
const READERS = [['status'], ['node', 'list'], ['history'], ['export'], ['db', 'check'], ['lock', 'show']];

/** Runs cfs as an ordinary user: root is not held up by the modes of files. Skips the test where that is impossible. */
function asNobody(test: Mocha.Context, args: string[], dir: string) {
  const argv = ['--reuid', String(NOBODY), '--regid', String(NOBODY), '--clear-groups', process.execPath, CFS, ...args];
  const env = cleanEnv({ dir, env: { CFS_NO_CODE_CACHE: '1' } });
  const run = (line: string[]) => spawnSync('setpriv', line, { cwd: '/', env, encoding: 'utf8', timeout: 60_000 });
  const why =
    process.getuid?.() !== 0
      ? 'the tests do not run as root and can become nobody else'
      : !hasProgram('setpriv')
        ? 'setpriv is not installed'
        : run([...argv.slice(0, 7), '--version']).status !== 0
          ? 'an ordinary user cannot read this checkout'
          : null;
  if (why !== null) {
    console.error(`skipped, because ${why}: ${test.test?.fullTitle()}`);
    test.skip();
  }
  const { stdout, stderr, status } = run(argv);
  return { stdout, stderr, status: status ?? -1 };
}

/** Lets others through to the cluster, which lies in a private temporary directory. */
function reachable(dir: string): string {
  chmodSync(join(dir, '..'), 0o755);
  return dir;
}

function onlyRoot(test: Mocha.Context): void {
  if (process.getuid?.() === 0) return;
  console.error(`skipped, because only root can give files away: ${test.test?.fullTitle()}`);
  test.skip();
}

describe('the cluster directory', function () {
  this.timeout(60_000);

  it('that does not exist is told with how to create it (3)', () => {
    const dir = join(tempDir('none'), 'cfs');
    const { status, stdout, stderr } = runCfs(['status'], { dir });
    assert.equal(status, 3);
    assert.equal(stdout, '');
    assert.match(
      stderr,
      /^Error: [Tt]here is no cluster in \/.*: the directory does not exist\nIs its storage mounted\? A new cluster is made by: cfs init --dir /,
    );
    assert.deepEqual(contents(join(dir, '..')), {});
  });

  it('that is a file is refused, and the file stays', () => {
    const dir = join(tempDir('file'), 'cfs');
    writeFileSync(dir, 'mine');
    const before = contents(join(dir, '..'));
    assert.equal(errorOf(runCfs(['status', '--json'], { dir })).code, 'CLUSTER_NOT_FOUND');
    const { status } = runCfs(['init', '--name', 'x', '--yes', '--json'], { dir });
    assert.ok(status === 1 || status === 4, `status ${status}`);
    assert.deepEqual(contents(join(dir, '..')), before);
  });

  it('that is not empty is refused by init (4) and stays as it is', () => {
    const dir = tempDir('full');
    writeFileSync(join(dir, 'thesis.txt'), 'mine');
    refuses(dir, ['init', '--name', 'x', '--yes'], { status: 4, code: 'CLUSTER_EXISTS', says: /thesis\.txt/ });
  });

  it('that holds a cluster is refused by init (4) before anything is asked', () => {
    const dir = smallCluster();
    refuses(dir, ['init', '--name', 'x', '--yes'], {
      status: 4,
      code: 'CLUSTER_EXISTS',
      says: /already/,
      hint: /cfs status/,
    });
    refuses(dir, ['init'], { status: 4, code: 'CLUSTER_EXISTS', says: /already/ });
  });

  it('that everybody can write in is refused (5)', () => {
    const dir = smallCluster();
    chmodSync(dir, 0o777);
    for (const args of [...READERS, ['node', 'set', 'n1', '--weight', '9']]) {
      refuses(dir, args, {
        status: 5,
        code: 'UNSAFE_DIRECTORY',
        says: /everybody can write in it/,
        hint: /chmod o-w/,
      });
    }
  });

  it('that belongs to somebody else than root or the caller is refused (5)', function () {
    onlyRoot(this);
    const dir = smallCluster();
    chownSync(dir, STRANGER, STRANGER);
    for (const args of [...READERS, ['rebalance']]) {
      refuses(dir, args, {
        status: 5,
        code: 'UNSAFE_DIRECTORY',
        says: /owner \(user 12345\) is neither root nor you/,
        hint: /chown root/,
      });
    }
  });

  it('that the caller may not read is refused with EACCES (5)', function () {
    const dir = reachable(smallCluster());
    chmodSync(dir, 0o700);
    const before = contents(dir);
    const error = errorOf(asNobody(this, ['status', '--json'], dir));
    assert.equal(error.code, 'ACCESS_DENIED');
    assert.equal(error.errno, 'EACCES');
    assert.deepEqual(contents(dir), before);
  });

  it('that the caller may only read shows everything and refuses every change (5)', function () {
    const dir = reachable(smallCluster());
    for (const [path, mode] of [
      [dir, 0o755],
      [join(dir, 'manifests'), 0o755],
      [join(dir, 'tables'), 0o755],
    ] as const) {
      chmodSync(path, mode);
    }
    for (const file of Object.keys(contents(dir))) {
      if (file.endsWith('.json')) chmodSync(join(dir, file), 0o644);
    }
    const before = contents(dir);
    for (const args of READERS) {
      const { status, stderr, stdout } = asNobody(this, args, dir);
      assert.equal(status, 0, `cfs ${args.join(' ')}: ${stderr}`);
      assert.notEqual(stdout, '');
    }
    for (const args of [['node', 'set', 'n1', '--weight', '9'], ['failover', 'n1'], ['undo']]) {
      const result = asNobody(this, [...args, '--json'], dir);
      const error = errorOf(result);
      assert.equal(error.code, 'ACCESS_DENIED', JSON.stringify(error));
      assert.equal(result.status, 5);
      assert.equal(error.errno, 'EACCES');
      assert.ok(error.hint !== undefined, 'says what to do next');
    }
    assert.deepEqual(contents(dir), before);
  });

  it('that cannot be made is refused by init, and nothing is left', function () {
    const parent = tempDir('readonly');
    chmodSync(parent, 0o755);
    const dir = join(parent, 'cfs');
    const result = asNobody(this, ['init', '--name', 'x', '--yes', '--json'], dir);
    assert.equal(errorOf(result).code, 'ACCESS_DENIED');
    assert.equal(result.status, 5);
    assert.deepEqual(contents(parent), {});
  });

  it('is found upward from the working directory, and named by --dir, CFS_DIR and the configuration in this order', () => {
    const [one, two, three] = [smallCluster(), smallCluster(), smallCluster()];
    for (const [dir, name] of [
      [one, 'one'],
      [two, 'two'],
      [three, 'three'],
    ] as const) {
      cfs(['cluster', 'set', `name=${name}`], { dir });
    }
    const home = tempDir('home');
    mkdirSync(join(home, '.config/cfs'), { recursive: true });
    writeFileSync(join(home, '.config/cfs/config.json'), JSON.stringify({ dir: three }));
    const name = (args: string[], options: object) => /Cluster: +(\w+) in/.exec(cfs(['status', ...args], options))?.[1];
    assert.equal(name(['--dir', one], { dir: two, env: { HOME: home } }), 'one');
    assert.equal(name([], { dir: two, env: { HOME: home } }), 'two');
    assert.equal(name([], { env: { HOME: home } }), 'three');
    const cwd = tempDir('deep');
    mkdirSync(join(cwd, 'a/b'), { recursive: true });
    cfs(['init', '--name', 'upward', '--yes'], { cwd });
    assert.equal(name([], { cwd: join(cwd, 'a/b') }), 'upward');
    const modes = Object.values(database(join(cwd, '.cfs')));
    assert.ok(
      modes.every((mode) => /^(40750|100640) /.test(mode)),
      'directories 0750, files 0640',
    );
  });

  it('named by a broken configuration file is told with that file (2)', () => {
    const home = tempDir('home');
    mkdirSync(join(home, '.config/cfs'), { recursive: true });
    writeFileSync(join(home, '.config/cfs/config.json'), '{"dir": 7}');
    const { status, stderr } = runCfs(['status'], { env: { HOME: home } });
    assert.equal(status, 2);
    assert.match(stderr, /\.config\/cfs\/config\.json is not a valid configuration file: "dir" is not text\n/);
  });
});
