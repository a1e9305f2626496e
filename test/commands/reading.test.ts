import assert from 'node:assert/strict';
import { cfs, runCfs, tempDir } from '../kit/cli.js';
import { changesNothing, contents, fileOf, livedInCluster } from '../kit/commands.js';

/** Every command that only reads, and every change that is only rehearsed. */
const READING = [
  'status',
  'status --all',
  'status --at 1',
  'history',
  'history --limit 0 -o wide',
  'show',
  'show volumes',
  'show placements v1 --at 2',
  'diff 2',
  'diff 1 4',
  'export',
  'export -o json --at 2',
  'node list',
  'node list -o wide',
  'node show n1',
  'volume list',
  'volume list -o csv',
  'volume show v4',
  'group list',
  'domain list',
  'cluster show',
  'why v1',
  'why v4',
  'lock show',
  'db check',
  'db stat',
  'completion bash',
  'version',
  'help',
  'node set --help',
];

const REHEARSED = [
  'node add n9 --dry-run',
  'node set n1 --weight 7 --dry-run',
  'node remove n2 --force --dry-run',
  'node rename n1 first --dry-run',
  'node online n2 --dry-run',
  'node standby n1 --dry-run --explain',
  'volume create v9 --domains ALL --dry-run',
  'volume remove v1 --dry-run',
  'group add fresh --dry-run',
  'group remove archive --dry-run',
  'cluster set lock.timeout=3m --dry-run',
  'cluster unfreeze --dry-run',
  'rebalance --dry-run --explain',
  'failover n1 --dry-run',
  'failback n2 --dry-run',
  'undo --dry-run',
  'undo --to 1 --dry-run',
  'db compact --dry-run',
  'db repair --dry-run',
];

describe('commands that read', function () {
  this.timeout(60_000);
  let dir: string;
  before(() => {
    dir = livedInCluster();
  });

  for (const line of READING) {
    it(`cfs ${line} changes no byte of the directory`, () => {
      const { stdout } = changesNothing(dir, line.split(' '));
      assert.notEqual(stdout, '');
    });
  }

  for (const line of REHEARSED) {
    it(`cfs ${line} changes no byte of the directory, and says so`, () => {
      const { stdout, stderr } = changesNothing(dir, line.split(' '));
      assert.match(stdout + stderr, /dry run|would|nothing to repair/i);
    });
  }

  it('cfs check gives its verdict and changes no byte', () => {
    const { stdout } = changesNothing(dir, ['check'], { status: 2 });
    assert.match(stdout, /^CFS CRITICAL - [^\n]+\n$/);
  });

  it('cfs apply --dry-run --prune changes no byte', () => {
    const file = fileOf(cfs(['export'], { dir }).replace('weight: 3', 'weight: 4'));
    const { stdout } = changesNothing(dir, ['apply', '-f', file, '--prune', '--dry-run']);
    assert.match(stdout, /^~ volume v1: weight 3 -> 4\n$/);
  });

  it('show the same at a generation, whatever was changed since', () => {
    const copy = livedInCluster();
    const then = cfs(['export', '--at', '2'], { dir: copy });
    cfs(['volume', 'remove', 'v1', '--yes'], { dir: copy });
    assert.equal(cfs(['export', '--at', '2'], { dir: copy }), then);
  });

  it('cfs without words tells how to begin where there is no cluster, and writes nothing', () => {
    const cwd = tempDir('empty');
    const { stdout, status } = runCfs([], { cwd });
    assert.equal(status, 0);
    assert.match(stdout, /cfs init/);
    assert.deepEqual(contents(cwd), {});
  });

  it('a command without a cluster says how to start or name one (exit 2)', () => {
    const { stderr, status } = runCfs(['status']);
    assert.equal(status, 2);
    assert.equal(
      stderr,
      'Error: No cluster was named and none was found here or above\n' +
        'Start one with "cfs init", or name one with --dir DIR or CFS_DIR.\n',
    );
  });
});
