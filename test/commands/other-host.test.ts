/** A client whose mounts are another host's: nobody becomes the writer on the word of a host that cannot see them. */
import assert from 'node:assert/strict';
import { writerOf } from '../../src/core/access/look.js';
import { accessCluster, opened, ScriptedHost } from '../kit/access-cluster.js';
import { cfs, cfsJson } from '../kit/cli.js';
import { refuses } from '../kit/commands.js';

describe('a client for which commands mount on another host', function () {
  this.timeout(120_000);
  let dir: string;
  let host: ScriptedHost;
  const here = (...args: string[]) => [...args, '--config', host.config];
  const writer = async () => writerOf((await opened(dir)).snapshot(), 'v1').writer;

  beforeEach(async () => {
    dir = await accessCluster();
    host = new ScriptedHost('c1');
    cfs(here('volume', 'mount', 'v1', '--rw'), { dir });
    cfs(['volume', 'request-write', 'v1', '--client', 'c2'], { dir });
  });

  const taking: [string, string[]][] = [
    ['respond --grant', ['volume', 'respond', 'v1', '--grant']],
    ['release-write', ['volume', 'release-write', 'v1', '--client', 'c1']],
    ['unmount', ['volume', 'unmount', 'v1', '--client', 'c1']],
    ['deny', ['volume', 'deny', 'v1', 'c1']],
    ['logoff', ['client', 'logoff', 'c1']],
  ];
  for (const [title, command] of taking) {
    it(`${title} elsewhere agrees, and the right passes on when --reconcile has made the mount read-only there`, async () => {
      assert.match(cfs(command, { dir }), /there: cfs volume mount --reconcile --client c1/);
      assert.equal(await writer(), 'c1');
      assert.deepEqual(host.mounted, { v1: 'rw' });
      const hosts = cfsJson(here('volume', 'mount', '--reconcile'), { dir });
      assert.deepEqual(hosts.passedOn, [{ volume: 'v1', writer: 'c2' }]);
      assert.notEqual(host.mounted.v1, 'rw');
      assert.equal(await writer(), 'c2');
    });
  }

  it('disable elsewhere takes the right away when --reconcile has made the mount read-only there', async () => {
    assert.match(cfs(['volume', 'disable', 'v1'], { dir }), /there: cfs volume mount --reconcile --client c1/);
    assert.equal(await writer(), 'c1');
    cfs(here('volume', 'mount', '--reconcile'), { dir });
    assert.deepEqual(host.mounted.v1, 'ro');
    assert.equal(await writer(), null);
  });

  it('is noted by --reconcile, too, before it mounts', async () => {
    const other = new ScriptedHost('c3');
    const { generation } = cfsJson(['volume', 'mount', '--reconcile', '--config', other.config], { dir });
    assert.deepEqual(other.mounted, { v1: 'ro', v2: 'ro', v3: 'ro' });
    assert.equal(typeof (await opened(dir)).snapshot().table('logons').get('c3')?.host, 'string');
    const again = cfsJson(['volume', 'mount', '--reconcile', '--config', other.config], { dir });
    assert.equal(again.generation, generation);
  });

  it('--reconcile elsewhere is refused with the name of that host', () => {
    refuses(dir, ['volume', 'mount', '--reconcile', '--client', 'c1'], {
      code: 'NOT_MOUNTED',
      status: 4,
      says: /on host/,
    });
  });

  it('a configuration of the same client here touches nothing and passes nothing on, as long as the other host mounts', async () => {
    const cluster = await opened(dir);
    await cluster.change(
      {
        name: 'test',
        run: (draft) => draft.put('logons', 'c1', { ...draft.table('logons').get('c1')!, host: 'another' }),
      },
      null,
    );
    host.mounted = {};
    const { calls } = host;
    cfs(here('client', 'logon', 'c1'), { dir });
    cfs(here('volume', 'mount', 'v1', '--rw'), { dir });
    for (const command of [
      ['volume', 'unmount', 'v2'],
      ['volume', 'release-write', 'v1'],
    ]) {
      assert.match(cfs(here(...command), { dir }), /Host another mounts for c1/);
    }
    assert.deepEqual([host.calls, host.mounted], [calls, {}]);
    assert.equal(await writer(), 'c1');
    assert.equal((await opened(dir)).snapshot().table('logons').get('c1')?.host, 'another');
  });

  it('a person may say that the host is off: client logoff --fenced', async () => {
    cfs(['client', 'logoff', 'c1', '--fenced', '--yes'], { dir });
    assert.equal(await writer(), 'c2');
  });
});
