import assert from 'node:assert/strict';
import { join } from 'node:path';
import { FORMAT_NEWS } from '../../src/core/model/format.js';
import { type CfsResult, cfs, cfsJson, runCfs, startCfs, tempDir } from '../kit/cli.js';
import { renewLease } from '../kit/leases.js';

/** A cfs of the first version: it knows format 1 only. */
const OLD = { CFS_FORMAT_LIMIT: '1' };
/** One of the version before this. */
const FORMER = { CFS_FORMAT_LIMIT: '2' };
const oldCfs = (args: string[], dir: string): CfsResult => runCfs(args, { dir, env: OLD });

const DOCUMENT = JSON.stringify({
  cluster: { name: 'rolling' },
  nodes: ['n1', 'n2', 'n3'].map((name) => ({ name, domains: [], state: 'online' })),
  volumes: [{ name: 'v1' }, { name: 'v2' }],
});

/** A cluster that the old cfs made, with a lease timeout that is short enough to wait for. */
function oldCluster(env: Record<string, string> = OLD): string {
  const dir = join(tempDir('rolling'), 'cfs');
  cfs(['init', '--from', '-', '--yes'], { dir, input: DOCUMENT, env });
  cfs(['cluster', 'set', 'lease.interval=100ms', 'lease.timeout=400ms'], { dir, env });
  return dir;
}

function agent(dir: string, node: string, format: number, applied: number | null = 2): void {
  renewLease(dir, { node, seq: 5, released: 2, applied, timeoutMs: 400 }, { version: `0.${format}.0`, format });
}

describe('a rolling upgrade', function () {
  this.timeout(60_000);

  it('goes on with old and new programs side by side, is refused until every agent is new, and then shuts the old ones out', () => {
    const dir = oldCluster();
    for (const node of ['n1', 'n2', 'n3']) agent(dir, node, 1);
    cfs(['volume', 'set', 'v1', '--weight', '2'], { dir });
    assert.equal(oldCfs(['volume', 'set', 'v1', '--weight', '3'], dir).status, 0);
    cfs(['rebalance'], { dir });
    agent(dir, 'n1', 3);
    agent(dir, 'n3', 3);
    for (const flag of ['--yes', '--dry-run']) {
      const { status, stderr } = runCfs(['cluster', 'upgrade', flag], { dir });
      assert.equal(status, 4);
      assert.match(stderr, /^Error: 1 agent cannot read format 3: "n2" \(cfs 0\.1\.0, format 1\)\n/);
    }
    agent(dir, 'n2', 3);
    assert.equal(oldCfs(['status'], dir).status, 0);
    const { stdout, stderr, status } = runCfs(['cluster', 'upgrade', '--yes'], { dir });
    assert.equal(status, 0, stderr);
    assert.equal(stdout, 'Format 1 -> 3.\nGeneration 6.\n');
    assert.match(stderr, /^Format 3 brings:\n {2}Fencing [\s\S]*\n {2}Clients mount volumes/);
    for (const args of [['status'], ['volume', 'set', 'v1', '--weight', '9'], ['cluster', 'upgrade', '--yes']]) {
      const refused = oldCfs(args, dir);
      assert.deepEqual([refused.status, refused.stdout], [4, '']);
      assert.match(refused.stderr, /Generation 6 is written in format 3, which this cfs cannot read/);
    }
    cfs(['volume', 'set', 'v1', '--weight', '4'], { dir });
  });

  it('from format 2 brings access control alone, which is refused until then', () => {
    const dir = oldCluster(FORMER);
    cfs(['node', 'online', 'n1'], { dir, env: FORMER });
    for (const args of [
      ['client', 'add', 'c1'],
      ['client', 'add', 'c1', '--dry-run'],
    ]) {
      const { status, stdout, stderr } = runCfs(args, { dir });
      assert.deepEqual([status, stdout], [4, ''], stderr);
      assert.match(stderr, /^Error: Access control needs format 3; the cluster is written in format 2\n/);
      assert.match(stderr, /cfs cluster upgrade/);
    }
    assert.deepEqual(cfsJson(['client', 'list'], { dir }).items ?? [], []);
    agent(dir, 'n1', 3);
    agent(dir, 'n2', 2);
    agent(dir, 'n3', 3);
    const { status, stderr } = runCfs(['cluster', 'upgrade', '--yes'], { dir });
    assert.equal(status, 4);
    assert.match(stderr, /^Error: 1 agent cannot read format 3: "n2" \(cfs 0\.2\.0, format 2\)\n/);
    agent(dir, 'n2', 3);
    const upgrade = cfsJson(['cluster', 'upgrade', '--yes'], { dir });
    assert.deepEqual([upgrade.from, upgrade.to], [2, 3]);
    assert.deepEqual(upgrade.news, FORMAT_NEWS.get(3));
    cfs(['client', 'add', 'c1'], { dir });
    const refused = runCfs(['status'], { dir, env: FORMER });
    assert.equal(refused.status, 4);
    assert.match(refused.stderr, /written in format 3, which this cfs cannot read/);
  });

  it('is rehearsed, asked about, and changes nothing when it is done', () => {
    const dir = oldCluster();
    assert.match(cfs(['db', 'stat'], { dir }), /^Format: +1 \(this cfs knows 3: cfs cluster upgrade\)$/m);
    const dry = cfsJson(['cluster', 'upgrade', '--dry-run'], { dir });
    assert.deepEqual([dry.from, dry.to, dry.committed, dry.generation], [1, 3, false, 2]);
    assert.deepEqual(dry.withoutAgent, ['n1', 'n2', 'n3']);
    const unasked = runCfs(['cluster', 'upgrade'], { dir });
    assert.equal(unasked.status, 2);
    assert.match(unasked.stderr, /Without an agent that says what it can read: "n1", "n2", "n3"/);
    assert.equal(cfsJson(['cluster', 'upgrade', '--yes'], { dir }).generation, 3);
    assert.match(cfs(['db', 'stat'], { dir }), /^Format: +3$/m);
    assert.equal(cfsJson(['cluster', 'show'], { dir }).format, 3);
    assert.equal(
      cfs(['cluster', 'upgrade'], { dir }),
      'Nothing to change: format 3 is the newest that this cfs knows (generation 3).\n',
    );
  });

  it('leaves behind what left or is quiet when it is forced, after watching it', () => {
    const dir = oldCluster();
    agent(dir, 'n1', 3);
    agent(dir, 'n2', 1);
    agent(dir, 'n3', 1, null);
    const { status, stderr } = runCfs(['cluster', 'upgrade', '--yes'], { dir });
    assert.equal(status, 4);
    assert.match(stderr, /"n2" \(cfs 0\.1\.0, format 1\), "n3" \(gone; cfs 0\.1\.0, format 1\)/);
    const forced = cfsJson(['cluster', 'upgrade', '--force', '--yes'], { dir });
    assert.deepEqual(
      (forced.leftBehind as { node: string }[]).map(({ node }) => node),
      ['n2', 'n3'],
    );
  });

  it('is not forced upon an agent that renews its lease', async () => {
    const dir = oldCluster();
    cfs(['cluster', 'set', 'lease.timeout=20s'], { dir });
    let seq = 1;
    const renew = () => renewLease(dir, { node: 'n2', seq: seq++, released: 1, applied: 1 }, { format: 1 });
    renew();
    const renewing = setInterval(renew, 50);
    try {
      const child = startCfs(['cluster', 'upgrade', '--force', '--yes'], { dir });
      let said = '';
      child.stderr!.on('data', (data) => {
        said += data;
      });
      const status = await new Promise((resolve) => child.on('close', resolve));
      assert.equal(status, 4);
      assert.match(said, /"n2" \(cfs 0\.1\.0, format 1\)/);
    } finally {
      clearInterval(renewing);
    }
  });

  it('cannot be undone, shows as what it was, and survives a backup', () => {
    const dir = oldCluster();
    const file = join(tempDir('backup'), 'old.cfs');
    cfs(['db', 'backup', file], { dir });
    cfs(['cluster', 'upgrade', '--yes'], { dir });
    const { status, stderr } = runCfs(['undo'], { dir });
    assert.equal(status, 4);
    assert.match(stderr, /Generation 3 cannot be undone: it raised the format/);
    assert.match(cfs(['history', '-n', '1'], { dir }), /cluster\.upgrade/);
    const restored = join(tempDir('restored'), 'cfs');
    cfs(['db', 'restore', file, '--new', restored, '--yes'], { dir });
    assert.equal(oldCfs(['status'], restored).status, 0, 'the backup was of format 1');
  });

  it('is limited by a CFS_FORMAT_LIMIT that makes sense, and no other', () => {
    const { status, stderr } = runCfs(['status'], { dir: oldCluster(), env: { CFS_FORMAT_LIMIT: '7' } });
    assert.equal(status, 2);
    assert.match(stderr, /CFS_FORMAT_LIMIT is "7", which is no format\nIt is a number from 1 to 3/);
  });
});
