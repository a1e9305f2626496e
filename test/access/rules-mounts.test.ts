/** Rules 4 to 6 of access control, and the records of clients, on a cluster in memory. */
import assert from 'node:assert/strict';
import { givenUp, releaseWrite, respond } from '../../src/core/access/answers.js';
import { clientAdd, clientRemove, clientSet } from '../../src/core/access/clients.js';
import { desiredMode } from '../../src/core/access/desired.js';
import { clientLogoff, clientLogon, clientsLapsed } from '../../src/core/access/logon.js';
import { logonOf, writerOf } from '../../src/core/access/look.js';
import { mountsRefreshed, volumeMount, volumeTouch, volumeUnmount } from '../../src/core/access/mounts.js';
import { requestWrite } from '../../src/core/access/requests.js';
import { volumeControl, volumeDeny, volumeLockout } from '../../src/core/access/rights.js';
import { clusterFreeze, clusterSet } from '../../src/core/config/settings.js';
import { volumeCreate } from '../../src/core/config/volumes.js';
import type { MemoryCluster } from '../kit/memory.js';
import { asking, changesNothing, clusterOf, refused, requestOf, writer } from './kit.js';

const mode = (cluster: MemoryCluster, client: string, volume = 'v1') => desiredMode(cluster.snapshot(), volume, client);
const since = (cluster: MemoryCluster, volume = 'v1') => writerOf(cluster.snapshot(), volume).since;
const gaveUp = (cluster: MemoryCluster, client: string, problem: string | null = null, modified = false) =>
  cluster.change(givenUp, { client, volumes: [{ volume: 'v1', since: since(cluster), problem, modified }] });

describe('rule 4, conversion (FIG. 15D)', () => {
  it('rule 4: a disabled volume is refused with status 4, also to the client that is still its writer', () => {
    const cluster = asking('A');
    cluster.change(volumeControl, { volume: 'v1', enabled: false, readOnly: [] });
    assert.deepEqual([writer(cluster), mode(cluster, 'A')], ['A', 'ro']);
    refused(cluster, volumeMount, { volume: 'v1', client: 'A', rw: true }, ['VOLUME_DISABLED', 4]);
    assert.equal(cluster.change(volumeMount, { volume: 'v1', client: 'A' }).mode, 'ro', 'read-only goes on');
  });

  it('rule 4: mounts for writing where nobody writes; where somebody does it asks nobody and is refused with status 4', () => {
    const cluster = clusterOf(['A', 'B']);
    cluster.change(volumeUnmount, { volume: 'v1', client: 'A', readOnly: true });
    assert.equal(cluster.change(volumeMount, { volume: 'v1', client: 'A', rw: true }).mode, 'rw');
    changesNothing(cluster, volumeMount, { volume: 'v1', client: 'A', rw: true });
    refused(cluster, volumeMount, { volume: 'v1', client: 'B', rw: true }, ['VOLUME_HAS_WRITER', 4], /writer "A"/);
    assert.equal(requestOf(cluster, 'B'), undefined);
  });

  it('rule 4: mounting needs a client that is logged on (4) and may mount (5)', () => {
    const cluster = clusterOf(['A']);
    cluster.change(volumeCreate, { volumes: [{ name: 'v2' }] });
    refused(cluster, volumeMount, { volume: 'v2', client: 'A' }, ['MOUNT_DENIED', 5]);
    refused(cluster, volumeMount, { volume: 'v9', client: 'A' }, ['VOLUME_NOT_FOUND', 3]);
    refused(cluster, volumeMount, { volume: 'v1', client: 'X' }, ['CLIENT_NOT_FOUND', 3]);
    cluster.change(clientLogoff, { client: 'A', readOnly: true });
    refused(cluster, volumeMount, { volume: 'v1', client: 'A' }, ['NOT_LOGGED_ON', 4]);
  });

  it('rule 4: unmounting gives the right up and withdraws the request; what is not mounted is refused with status 4', () => {
    const cluster = asking('A', 'B');
    cluster.change(volumeUnmount, { volume: 'v1', client: 'B', readOnly: true });
    assert.equal(requestOf(cluster, 'B')?.response, 'withdrawn');
    refused(cluster, volumeUnmount, { volume: 'v1', client: 'B', readOnly: true }, ['NOT_MOUNTED', 4]);
    cluster.change(volumeUnmount, { volume: 'v1', client: 'A', readOnly: false });
    assert.equal(writer(cluster), 'A');
    gaveUp(cluster, 'A');
    assert.equal(writer(cluster), null);
  });

  it('rule 4: disabling denies what waits, and the writer gives up; enabling what is enabled changes nothing', () => {
    const cluster = asking('A', 'B');
    const off = { volume: 'v1', enabled: false, readOnly: [] };
    cluster.change(volumeControl, { ...off, force: true });
    assert.match(requestOf(cluster, 'B')!.responseMessage!, /disabled/);
    assert.equal(gaveUp(cluster, 'A', 'vi (pid 7) has it open').volumes.length, 0, 'that is no agreement to be denied');
    assert.equal(writerOf(cluster.snapshot(), 'v1').yields?.force, true);
    gaveUp(cluster, 'A');
    assert.equal(writer(cluster), null);
    changesNothing(cluster, volumeControl, off);
    changesNothing(clusterOf(['A']), volumeControl, { volume: 'v1', enabled: true, readOnly: [] });
  });

  it('rule 4: media that somebody writes are not read-only: status 4', () => {
    refused(asking('A'), volumeControl, { volume: 'v1', readOnlyMedia: true, readOnly: [] }, ['VOLUME_HAS_WRITER', 4]);
  });

  it('rule 4: a client that is denied the mount loses mount, request and right', () => {
    const cluster = asking('A', 'B');
    cluster.change(volumeDeny, { volume: 'v1', client: 'B', readOnly: [] });
    assert.deepEqual([requestOf(cluster, 'B')?.response, mode(cluster, 'B')], ['denied', 'none']);
    cluster.change(volumeDeny, { volume: 'v1', client: 'A', readOnly: [] });
    assert.deepEqual([writer(cluster), mode(cluster, 'A')], ['A', 'none']);
    cluster.change(volumeDeny, { volume: 'v1', client: 'A', readOnly: ['A'] });
    assert.equal(writer(cluster), null);
    changesNothing(cluster, volumeDeny, { volume: 'v1', client: ['A', 'B'], readOnly: ['A', 'B'] });
  });

  it('rule 4: a lockout leaves the writer its right, and denies what waits', () => {
    const cluster = asking('A', 'B');
    cluster.change(volumeLockout, { volume: 'v1', client: ['A', 'B'], lockout: true });
    assert.deepEqual([mode(cluster, 'A'), requestOf(cluster, 'B')?.response], ['rw', 'denied']);
  });
});

describe('rule 5, refresh (FIG. 15E)', () => {
  const mountOf = (cluster: MemoryCluster, client: string) => cluster.snapshot().table('mounts').get(`v1/${client}`)!;
  const isStale = (cluster: MemoryCluster, client: string) =>
    writerOf(cluster.snapshot(), 'v1').modified > mountOf(cluster, client).refreshed;

  it('rule 5: a mark makes mounts stale that were made before, until they are made anew', () => {
    const cluster = clusterOf(['A', 'B']);
    cluster.change(requestWrite, { volume: 'v1', client: 'A' });
    refused(cluster, volumeTouch, { volume: 'v1', client: 'B' }, ['NOT_THE_WRITER', 5]);
    assert.ok(!isStale(cluster, 'B'));
    const seenBefore = cluster.generation;
    cluster.change(volumeTouch, { volume: 'v1', client: 'A' });
    assert.ok(isStale(cluster, 'B'));
    cluster.change(mountsRefreshed, { client: 'B', volumes: [{ volume: 'v1', seen: seenBefore }] });
    assert.ok(isStale(cluster, 'B'), 'made anew by what was read before the mark');
    const refreshed = { client: 'B', volumes: [{ volume: 'v1', seen: cluster.generation }] };
    assert.deepEqual(cluster.change(mountsRefreshed, refreshed).volumes, ['v1']);
    assert.ok(!isStale(cluster, 'B'));
    changesNothing(cluster, mountsRefreshed, refreshed);
  });

  it('rule 5: what was written since the last mark makes readers stale when the right passes on, however it does', () => {
    const ways: Record<string, (cluster: MemoryCluster) => void> = {
      release: (cluster) => cluster.change(releaseWrite, { volume: 'v1', client: 'A', readOnly: true }),
      answer: (cluster) => cluster.change(respond, { volume: 'v1', client: 'B', grant: true, by: 'A', readOnly: true }),
      lapse: (cluster) => cluster.change(clientsLapsed, { clients: [{ client: 'A', lease: 3, why: 'quiet' }] }),
      logoff: (cluster) => cluster.change(clientLogoff, { client: 'A', readOnly: true }),
    };
    for (const [way, pass] of Object.entries(ways)) {
      const cluster = clusterOf(['A', 'B', 'C']);
      for (const client of ['A', 'B']) cluster.change(requestWrite, { volume: 'v1', client });
      pass(cluster);
      assert.equal(writer(cluster), 'B', way);
      assert.ok(isStale(cluster, 'C'), `${way}: the reader must look anew`);
      assert.ok(!isStale(cluster, 'B'), `${way}: the writer's mount is new`);
      if (way === 'release' || way === 'answer') assert.ok(!isStale(cluster, 'A'), `${way}: it wrote that itself`);
    }
  });

  it('rule 5: where it is known that nothing was written, nothing becomes stale', () => {
    const cluster = clusterOf(['A', 'B']);
    cluster.change(requestWrite, { volume: 'v1', client: 'A' });
    cluster.change(releaseWrite, { volume: 'v1', client: 'A', readOnly: true, modified: false });
    assert.ok(!isStale(cluster, 'B'));
  });
});

describe('rule 6, clients that are gone', () => {
  const quiet = (client: string, lease = 7) => ({ clients: [{ client, lease, why: 'lease quiet for 10.1 s' }] });

  it('rule 6: once is enough: a client that is logged off and writes nothing is left alone', () => {
    const cluster = asking('A', 'B');
    cluster.change(clientsLapsed, quiet('A'));
    changesNothing(cluster, clientsLapsed, quiet('A', 9));
    assert.equal(logonOf(cluster.snapshot(), 'A')?.lease, 7);
  });

  it('rule 6: one that logged off and never gave up is found gone all the same', () => {
    const cluster = asking('A', 'B');
    cluster.change(clientLogoff, { client: 'A', readOnly: false });
    assert.equal(writer(cluster), 'A');
    cluster.change(clientsLapsed, quiet('A'));
    assert.equal(writer(cluster), 'B');
  });

  it('rule 6: one that renewed meanwhile, a frozen cluster and a policy that asks for fencing leave it alone', () => {
    const cluster = asking('A', 'B');
    changesNothing(cluster, clientsLapsed, { ...quiet('A'), stillQuiet: () => false });
    cluster.change(clusterSet, { settings: { 'fencing.policy': 'required' } });
    changesNothing(cluster, clientsLapsed, quiet('A'));
    const left = cluster.change(clientsLapsed, quiet('A')).leftAlone;
    assert.match(left[0]!.why, /fenced first/);
    cluster.change(clusterFreeze, { until: null, reason: 'moving' });
    changesNothing(cluster, clientsLapsed, { clients: [{ ...quiet('A').clients[0]!, fenced: 'switched off' }] });
  });

  it('rule 6: a lease that a former agent left behind says nothing of a client that logged on without one', () => {
    const cluster = clusterOf(['A', 'B']);
    cluster.change(clientLogoff, { client: 'A', readOnly: true });
    cluster.change(clientLogon, { client: 'A', lease: 7 });
    cluster.change(requestWrite, { volume: 'v1', client: 'A' });
    changesNothing(cluster, clientsLapsed, { clients: [{ client: 'A', lease: 7, why: 'its agent left', left: true }] });
    assert.equal(mode(cluster, 'A'), 'rw');
    changesNothing(cluster, clientLogon, { client: 'A', lease: 6 });
    cluster.change(clientsLapsed, quiet('A', 8));
    assert.equal(writer(cluster), null, 'an agent that came later can lapse');
  });
});

describe('records of clients', () => {
  it('a client is added once, and removed when it is logged off and writes nothing', () => {
    const cluster = asking('A', 'B');
    refused(cluster, clientAdd, { clients: [{ name: 'A' }] }, ['CLIENT_EXISTS', 4]);
    refused(cluster, clientRemove, { name: 'B' }, ['CLIENT_IN_USE', 4], /logged on/);
    cluster.change(clientLogoff, { client: 'A', readOnly: false });
    refused(cluster, clientRemove, { name: 'A' }, ['CLIENT_IN_USE', 4], /writer of/);
    gaveUp(cluster, 'A');
    cluster.change(clientRemove, { name: 'A' });
    for (const table of ['clients', 'logons', 'access', 'mounts', 'requests'] as const) {
      for (const name of cluster.snapshot().table(table).names()) assert.ok(!/(^|\/)A$/.test(name), `${table} ${name}`);
    }
    refused(cluster, clientRemove, { name: 'A' }, ['CLIENT_NOT_FOUND', 3]);
  });

  it('a client that is locked out does not change its own settings: status 5; an administrator does', () => {
    const cluster = clusterOf(['A']);
    cluster.change(clientSet, { name: 'A', lockedOut: true });
    refused(cluster, clientSet, { name: 'A', autoRespond: true, self: 'A' }, ['LOCKED_OUT', 5]);
    cluster.change(clientSet, { name: 'A', autoRespond: true, self: null });
    changesNothing(cluster, clientSet, { name: 'A', autoRespond: true });
  });
});
