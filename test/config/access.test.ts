/** What clients may do, as documents, pruning, undo and restore change it; and what hangs on it. */
import assert from 'node:assert/strict';
import { releaseWrite } from '../../src/core/access/answers.js';
import { clientAdd, clientRemove, clientSet } from '../../src/core/access/clients.js';
import { desiredMode, mustGiveUp } from '../../src/core/access/desired.js';
import { clientLogoff, clientLogon } from '../../src/core/access/logon.js';
import { isMounted, volumeAccessOf, writerOf } from '../../src/core/access/look.js';
import { volumeUnmount } from '../../src/core/access/mounts.js';
import { requestWrite } from '../../src/core/access/requests.js';
import { volumeAllow, volumeControl, volumeDeny, volumeLockout } from '../../src/core/access/rights.js';
import { apply } from '../../src/core/config/apply.js';
import type { ClusterDocument } from '../../src/core/config/document.js';
import { exportDocument } from '../../src/core/config/export.js';
import { readDocument } from '../../src/core/config/file.js';
import { init } from '../../src/core/config/init.js';
import { restore } from '../../src/core/config/restore.js';
import { undoRemainder } from '../../src/core/config/undo.js';
import { volumeCreate, volumeRemove, volumeRename } from '../../src/core/config/volumes.js';
import { memorySnapshot } from '../../src/core/store/draft.js';
import { clientCluster, smallCluster } from '../kit/clusters.js';
import { configurationOf, MemoryCluster, refusal, tablesOf } from '../kit/memory.js';

const requestOf = (cluster: MemoryCluster, name: string) => cluster.snapshot().table('requests').get(name);
const access = (cluster: MemoryCluster, name: string) => cluster.snapshot().table('access').get(name);
const applied = (cluster: MemoryCluster, document: ClusterDocument, prune = false) =>
  cluster.change(apply, { document, prune });

/** Undoing the newest generation must give the configuration of the one before. */
function assertUndone(cluster: MemoryCluster): void {
  const before = cluster.snapshot(cluster.generation - 1);
  cluster.undo();
  assert.deepEqual(configurationOf(cluster.snapshot()), configurationOf(before));
}

describe('clients in a document', () => {
  it('are added, changed and left alone, with what they may do, and counted', () => {
    const cluster = clientCluster();
    const { added, changed } = applied(cluster, {
      clients: [{ name: 'c1', refreshNotify: true }, { name: 'c2' }, { name: 'c9' }],
      access: [
        { volume: 'v1', client: 'c9', mount: true, autoUpdate: true, autoUpdateIntervalMs: 5000 },
        { volume: 'v2', client: 'c2', autoUpdate: true },
      ],
      volumes: [
        { name: 'v5', enabled: true },
        { name: 'v2', softwareLock: true },
        { name: 'v3', enabled: true },
      ],
    });
    assert.deepEqual(
      [added, changed],
      [
        { clients: 1, access: 1, volumeAccess: 1 },
        { clients: 1, access: 1, volumeAccess: 1 },
      ],
    );
    const at = cluster.snapshot();
    assert.deepEqual(at.table('clients').get('c1'), { refreshNotify: true, autoRespond: true, lockedOut: false });
    assert.deepEqual(access(cluster, 'v1/c9'), {
      mount: true,
      lockout: false,
      autoUpdate: true,
      autoUpdateIntervalMs: 5000,
    });
    assert.equal(access(cluster, 'v2/c2')?.mount, true, 'a field that is absent stays');
    assert.equal(at.table('volumeAccess').has('v3'), false, 'nothing is stored for the defaults');
    assert.equal(isMounted(at, 'v1', 'c9'), false, 'a right mounts nothing');
  });

  it('are refused with every problem, and by a format that has none', () => {
    const cluster = clientCluster();
    const document = {
      access: [
        { volume: 'v9', client: 'c1', mount: true },
        { volume: 'v1', client: 'c8', mount: true },
        { volume: 'v3', client: 'c1' },
      ],
    };
    const error = cluster.refuses(apply, { document }, 'VOLUME_NOT_FOUND', /^3 problems:\n.*"v9".*\n.*"c8".*\n/);
    assert.match(error.message, /access of client "c1" to volume "v3" does not say whether it may mount/i);
    const twice = {
      access: [
        { volume: 'v1', client: 'c1' },
        { volume: 'v1', client: 'c1' },
      ],
    };
    cluster.refuses(apply, { document: twice }, 'BAD_VALUE', /lists the access "v1\/c1" twice/);
    const older = new MemoryCluster(memorySnapshot({}, 0, 2));
    older.change(init, { document: { settings: { name: 'x' }, volumes: [{ name: 'v1' }], clients: [], access: [] } });
    for (const wrong of [{ clients: [{ name: 'c1' }] }, { volumes: [{ name: 'v1', enabled: false }] }]) {
      older.refuses(apply, { document: wrong }, 'FORMAT_TOO_OLD', /Access control needs format 3/);
    }
    assert.equal('clients' in exportDocument(older.snapshot()), false, 'an older cfs can read its export');
  });

  it('take effect as their own operations do: mounts and requests end, the writer gives up', () => {
    const cluster = clientCluster();
    applied(cluster, { access: [{ volume: 'v1', client: 'c2', mount: false }] });
    assert.equal(requestOf(cluster, 'v1/c2')?.response, 'denied');
    assert.equal(isMounted(cluster.snapshot(), 'v1', 'c2'), false);
    applied(cluster, { access: [{ volume: 'v1', client: 'c1', mount: false }] });
    assert.equal(writerOf(cluster.snapshot(), 'v1').writer, 'c1', 'until its mount is read-only');
    assert.equal(mustGiveUp(cluster.snapshot(), 'v1', 'c1'), true);

    const other = clientCluster();
    applied(other, { volumes: [{ name: 'v1', enabled: false }] });
    assert.match(requestOf(other, 'v1/c2')?.responseMessage ?? '', /disabled/);
    assert.equal(desiredMode(other.snapshot(), 'v1', 'c1'), 'ro');

    const third = clientCluster();
    applied(third, { access: [{ volume: 'v1', client: 'c2', lockout: true }] });
    assert.match(requestOf(third, 'v1/c2')?.responseMessage ?? '', /locked out/);
    assert.equal(isMounted(third.snapshot(), 'v1', 'c2'), true);
    third.refuses(
      apply,
      { document: { volumes: [{ name: 'v1', readOnlyMedia: true }] } },
      'VOLUME_HAS_WRITER',
      /"v1" has the writer "c1"/,
    );
  });

  it('come back from an export in another cluster, with every field', () => {
    const cluster = clientCluster();
    const document = exportDocument(cluster.snapshot());
    assert.deepEqual(document.clients?.[0], { name: 'c1', refreshNotify: false, autoRespond: true, lockedOut: false });
    assert.deepEqual(document.access?.at(-1), {
      volume: 'v5',
      client: 'c3',
      mount: true,
      lockout: false,
      autoUpdate: false,
      autoUpdateInterval: '30s',
    });
    assert.deepEqual([document.volumes[0]!.enabled, document.volumes[4]!.enabled], [true, false]);
    const copy = new MemoryCluster();
    copy.change(init, { document: readDocument(JSON.parse(JSON.stringify(document)), 'export') });
    const tables = ['clients', 'access', 'volumeAccess', 'logons', 'mounts', 'writers'] as const;
    const expected = { ...tablesOf(cluster.snapshot(), tables), logons: {}, mounts: {}, writers: {} };
    assert.deepEqual(tablesOf(copy.snapshot(), tables), expected);
    assert.equal(exportDocument(smallCluster().snapshot()).volumes[0]!.enabled, undefined, 'said where clients are');
  });

  it('are pruned with their rights; one that is logged on, and a volume that is mounted, stay', () => {
    const cluster = clientCluster();
    const { removed } = applied(cluster, { clients: [{ name: 'c1' }, { name: 'c2' }] }, true);
    assert.deepEqual(removed, { clients: 1 });
    assert.equal(access(cluster, 'v2/c3'), undefined);
    const refuses = (document: ClusterDocument, code: 'CLIENT_IN_USE' | 'VOLUME_IN_USE', says: RegExp) =>
      assert.equal(cluster.refuses(apply, { document, prune: true }, code, says).exitStatus, 4);
    refuses({ clients: [{ name: 'c1' }] }, 'CLIENT_IN_USE', /Client "c2" is logged on/);
    refuses({ clients: [] }, 'CLIENT_IN_USE', /Client "c1" is the writer of "v1"/);
    refuses({ volumes: [{ name: 'v1' }] }, 'VOLUME_IN_USE', /Volume "v2" is mounted on "c1", "c2"/);
    applied(cluster, { access: [{ volume: 'v1', client: 'c1' }] }, true);
    assert.deepEqual([...cluster.snapshot().table('mounts').names()], ['v1/c1']);
    assert.equal(requestOf(cluster, 'v1/c2')?.response, 'denied');
  });
});

describe('volumes that clients use', () => {
  it('are not removed or renamed while they are mounted or written; afterwards what clients may do goes along', () => {
    const cluster = clientCluster();
    for (const [operation, request] of [
      [volumeRemove, { name: ['v3', 'v2'] }],
      [volumeRename, { name: 'v2', newName: 'w2' }],
    ] as const) {
      const error = cluster.refuses(operation as never, request, 'VOLUME_IN_USE', /"v2" is mounted on "c1", "c2"/);
      assert.deepEqual([error.exitStatus, error.hint], [4, 'Unmount it first: cfs volume unmount v2 --client c1']);
    }
    for (const client of ['c1', 'c2']) cluster.change(volumeUnmount, { volume: 'v2', client, readOnly: true });
    cluster.change(volumeControl, { volume: 'v2', softwareLock: true, readOnly: [] });
    cluster.change(volumeRename, { name: 'v2', newName: 'w2' });
    assert.equal(access(cluster, 'w2/c3')?.mount, true);
    assert.equal(volumeAccessOf(cluster.snapshot(), 'w2').softwareLock, true);
    assertUndone(cluster);
    cluster.change(volumeRemove, { name: 'v2' });
    const left = JSON.stringify(tablesOf(cluster.snapshot(), ['access', 'volumeAccess', 'writers', 'requests']));
    assert.equal(left.includes('v2'), false);
    assertUndone(cluster);
    assert.equal(volumeAccessOf(cluster.snapshot(), 'v2').softwareLock, true);
  });

  it('stay unmounted and unwritten by a writer that has not yet given up', () => {
    const cluster = clientCluster();
    cluster.change(volumeDeny, { volume: 'v1', client: ['c1', 'c2'], readOnly: [] });
    cluster.refuses(volumeRemove, { name: 'v1' }, 'VOLUME_IN_USE', /"v1" is mounted on "c1"/);
  });

  it('cost one pass over the tables, however many are removed', () => {
    const cluster = clientCluster();
    const names = Array.from({ length: 10_000 }, (_, i) => `x${i}`);
    cluster.change(volumeCreate, { volumes: names.map((name) => ({ name })) });
    cluster.change(volumeAllow, { volume: names.slice(0, 2000), client: 'c3' });
    let listed = 0;
    const at = cluster.snapshot();
    const counted = new Proxy(at, {
      get: (target, key) =>
        key !== 'table'
          ? Reflect.get(target, key)
          : (name: never) => {
              const view = target.table(name);
              return new Proxy(view, {
                get(of, member) {
                  if (member === 'names' || member === 'entries') listed += 1;
                  const value: unknown = Reflect.get(of, member);
                  return typeof value === 'function' ? value.bind(of) : value;
                },
              });
            },
    });
    new MemoryCluster(counted).change(volumeRemove, { name: names });
    assert.ok(listed < 100, `${listed} listings of tables`);
  });
});

describe('undo of access control', () => {
  it('takes back what a client may do; a mount without a right goes, its writer gives up', () => {
    const cluster = clientCluster();
    cluster.change(volumeAllow, { volume: 'v3', client: 'c1' });
    cluster.change(clientLogoff, { client: 'c1', readOnly: true });
    cluster.change(clientLogon, { client: 'c1' });
    assert.equal(isMounted(cluster.snapshot(), 'v3', 'c1'), true);
    const result = cluster.undo(cluster.generation - 2);
    assert.deepEqual(result.reverted, [{ table: 'access', name: 'v3/c1' }]);
    assert.equal(isMounted(cluster.snapshot(), 'v3', 'c1'), false);

    const other = clientCluster();
    const generation = 3;
    other.refuses(apply, { document: { clients: [] }, prune: true }, 'CLIENT_IN_USE', /c1/);
    const error = refusal(() => other.undo(generation), 'CLIENT_IN_USE', /Client "c1" is the writer of "v1"/);
    assert.equal(error.exitStatus, 4);
    const { skipped } = other.undo(generation, true);
    assert.deepEqual(
      skipped.map(({ table, name }) => `${table} ${name}`),
      ['clients c1', 'clients c2'],
    );
    assert.equal(other.snapshot().table('clients').has('c3'), false);
    assert.equal(isMounted(other.snapshot(), 'v1', 'c1'), false);
    assert.equal(mustGiveUp(other.snapshot(), 'v1', 'c1'), true, 'it is the writer until its mount is read-only');
    assert.equal(requestOf(other, 'v1/c2')?.response, 'denied');
  });

  it('takes back clients, settings of clients, lockouts and write settings exactly', () => {
    const cluster = clientCluster();
    const undone = [
      () => cluster.change(clientAdd, { clients: [{ name: 'c9' }] }),
      () => cluster.change(clientSet, { name: ['c1', 'c2'], lockedOut: true }),
      () => cluster.change(clientRemove, { name: 'c3' }),
      () => cluster.change(volumeLockout, { volume: 'v1', client: 'c1', lockout: true }),
      () => cluster.change(volumeControl, { volume: 'v3', enabled: false, readOnly: [] }),
      () => applied(cluster, { clients: [{ name: 'c8' }], volumes: [{ name: 'v8' }, { name: 'v2', enabled: false }] }),
    ];
    for (const change of undone) {
      change();
      assertUndone(cluster);
    }
  });

  it('is refused where a right would be of nobody, or a writer on read-only media; with force that is left out', () => {
    const cluster = clientCluster();
    cluster.change(volumeDeny, { volume: 'v2', client: 'c3', readOnly: [] });
    const denied = cluster.generation;
    cluster.change(clientRemove, { name: 'c3' });
    refusal(() => cluster.undo(denied), 'RECORD_CHANGED_SINCE', /Access "v2\/c3" .* it is gone/);
    const gone = clientCluster();
    gone.change(clientRemove, { name: 'c3' });
    const removed = gone.generation;
    gone.change(volumeRemove, { name: 'v5' });
    refusal(() => gone.undo(removed), 'VOLUME_NOT_FOUND', /Access "v5\/c3" cannot go back: there is no volume "v5"/);
    assert.deepEqual(
      gone.undo(removed, true).skipped.map(({ name }) => name),
      ['v5/c3'],
    );
    assert.equal(access(gone, 'v2/c3')?.mount, true);
    const media = clientCluster();
    media.change(volumeControl, { volume: 'v2', readOnlyMedia: true, readOnly: [] });
    media.change(volumeControl, { volume: 'v2', readOnlyMedia: false, readOnly: [] });
    const writable = media.generation;
    media.change(requestWrite, { volume: 'v2', client: 'c1' });
    refusal(() => media.undo(writable), 'VOLUME_HAS_WRITER', /"v2" has the writer "c1"/);
    media.undo(writable, true);
    assert.equal(writerOf(media.snapshot(), 'v2').writer, 'c1');
    media.change(releaseWrite, { volume: 'v2', client: 'c1', readOnly: true });
    media.undo(writable);
    assert.equal(volumeAccessOf(media.snapshot(), 'v2').readOnlyMedia, true);
  });

  it('leaves logons, mounts, writers and requests as they are, and says so', () => {
    const cluster = clientCluster();
    const { generation } = cluster;
    const result = cluster.undo();
    assert.equal(cluster.generation, generation, 'nothing to take back makes no generation');
    assert.deepEqual(result.clientsKept, ['c2']);
    assert.match(undoRemainder(result) ?? '', /^what clients have mounted and write is not undone: "c2"\.$/);
  });
});

describe('restoring with clients', () => {
  const restored = (cluster: MemoryCluster, at: number) => ({
    source: `generation ${at}`,
    target: cluster.snapshot(at),
  });

  it('is refused while a client that would go is logged on, or a volume that would go is mounted', () => {
    const cluster = clientCluster();
    const noClients = cluster.refuses(restore, restored(cluster, 2), 'CLIENT_IN_USE', /"c1" is the writer of "v1"/);
    assert.equal(noClients.exitStatus, 4);
    cluster.change(volumeCreate, { volumes: [{ name: 'v9' }] });
    const { generation } = cluster;
    cluster.change(volumeAllow, { volume: 'v9', client: 'c2' });
    cluster.change(clientLogoff, { client: 'c2', readOnly: true });
    cluster.change(clientLogon, { client: 'c2' });
    cluster.refuses(restore, restored(cluster, generation - 1), 'VOLUME_IN_USE', /"v9" is mounted on "c2"/);
    for (const client of ['c1', 'c2']) cluster.change(clientLogoff, { client, readOnly: true });
    const { removed } = cluster.change(restore, restored(cluster, 2));
    assert.deepEqual([removed.clients, removed.access, removed.volumes], [3, 7, 1]);
    assert.deepEqual(configurationOf(cluster.snapshot()), configurationOf(cluster.snapshot(2)));
    const left = tablesOf(cluster.snapshot(), ['logons', 'mounts', 'requests']);
    assert.deepEqual(left, { logons: {}, mounts: {}, requests: {} });
  });

  it('takes the mounts and requests of those along that lose their right, and leaves the others', () => {
    const cluster = clientCluster();
    const { generation } = cluster;
    cluster.change(volumeAllow, { volume: 'v3', client: ['c1', 'c2'] });
    for (const client of ['c1', 'c2']) {
      cluster.change(clientLogoff, { client, readOnly: true });
      cluster.change(clientLogon, { client });
    }
    cluster.change(restore, restored(cluster, generation));
    assert.deepEqual(configurationOf(cluster.snapshot()), configurationOf(cluster.snapshot(generation)));
    assert.deepEqual([...cluster.snapshot().table('mounts').names()].sort(), ['v1/c1', 'v1/c2', 'v2/c1', 'v2/c2']);
  });
});
