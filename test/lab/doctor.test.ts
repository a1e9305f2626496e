/**
 * `cfs doctor` between two hosts with a mount each of a real cluster file system (MooseFS), and on sshfs, which it refuses. Needs
 * root, the lab's netlab.sh (NETLAB; it is not part of this repository) and the packages; skipped with the reason otherwise.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { CFS, hasProgram, ROOT } from '../kit/cli.js';

const NETLAB = process.env.NETLAB ?? join(ROOT, '../shared/lab/netlab.sh');
const NAME = 'tdoc';
const MOUNT = `/mnt/cfs-lab-${NAME}`;

function run(command: string, args: string[], timeoutMs = 60_000) {
  const env = { ...process.env, NETLAB, NETLAB_NAME: NAME, NETLAB_DIR: `/var/tmp/cfs-netlab/${NAME}` };
  const { status, stdout, stderr } = spawnSync(command, args, { encoding: 'utf8', timeout: timeoutMs, env });
  return { status, stdout, stderr };
}

const script = (name: string, ...args: string[]) => run(join(ROOT, 'scripts/lab', name), args);

function mustDo(result: ReturnType<typeof run>): void {
  assert.equal(result.status, 0, result.stdout + result.stderr);
}

/** Why this cannot run here; null when it can. */
function missing(programs: string[]): string | null {
  if (process.getuid?.() !== 0) return 'it needs root';
  if (!existsSync(NETLAB)) return 'netlab.sh is not here (NETLAB)';
  if (!existsSync('/dev/fuse')) return 'there is no /dev/fuse';
  const absent = programs.filter((program) => !hasProgram(program));
  return absent.length > 0 ? `${absent.join(', ')} is not installed` : null;
}

function skipWithout(test: Mocha.Context, programs: string[]): void {
  const why = missing(programs);
  if (why === null) return;
  console.error(`skipped, because ${why}: ${test.test?.fullTitle() ?? ''}`);
  test.skip();
}

describe('cfs doctor on real shared file systems', () => {
  before(() => {
    if (missing([]) === null) mustDo(run(NETLAB, ['up', '--hosts', '2', '--clients', '1']));
  });

  after(() => {
    if (missing([]) === null) run(NETLAB, ['down']);
  });

  it('takes MooseFS for a cluster directory with polling, from two hosts', function () {
    skipWithout(this, ['mfsmaster', 'mfschunkserver', 'mfsmount']);
    const { status, stdout, stderr } = script('doctor.sh', 'moosefs');
    assert.equal(status, 0, stdout + stderr);
    assert.match(stdout, /fuse \(mfs#/);
    assert.match(stdout, /inotify from the other node +none/);
    assert.match(stdout, /may be used as a cluster directory, with polling only/);
    assert.match(stdout, /=== moosefs: exit 0/);
  });

  it('refuses sshfs by name, even from one node', function () {
    skipWithout(this, ['sshfs', 'sshd', 'ssh-keygen']);
    try {
      mustDo(script('sshfs.sh', 'up'));
      const { status, stdout } = run(NETLAB, ['exec', 'h2', process.execPath, CFS, 'doctor', MOUNT, '--alone']);
      assert.equal(status, 4, stdout);
      assert.match(stdout, /sshfs answers EPERM where a name exists/);
      assert.match(stdout, /must not be used as a cluster directory/);
    } finally {
      mustDo(script('sshfs.sh', 'down'));
    }
  });
});
