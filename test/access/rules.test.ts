/** Rules 1 to 3 of access control, as the specification has them, on a cluster in memory. See rules-mounts.test.ts for the others. */
import assert from 'node:assert/strict';
import { givenUp, releaseWrite, respond } from '../../src/core/access/answers.js';
import { clientAdd } from '../../src/core/access/clients.js';
import { desiredMode, mustGiveUp } from '../../src/core/access/desired.js';
import { clientLogoff, clientLogon } from '../../src/core/access/logon.js';
import { logonOf, writerOf } from '../../src/core/access/look.js';
import { volumeUnmount } from '../../src/core/access/mounts.js';
import { endRequests, requestWrite } from '../../src/core/access/requests.js';
import { volumeAllow, volumeControl, volumeDeny, volumeLockout } from '../../src/core/access/rights.js';
import type { MemoryCluster } from '../kit/memory.js';
import { asking, changesNothing, clusterOf, refused, requestOf, writer } from './kit.js';

const mode = (cluster: MemoryCluster, client: string, volume = 'v1') => desiredMode(cluster.snapshot(), volume, client);
const since = (cluster: MemoryCluster, volume = 'v1') => writerOf(cluster.snapshot(), volume).since;
const gaveUp = (cluster: MemoryCluster, client: string, problem: string | null = null, modified = false) =>
  cluster.change(givenUp, { client, volumes: [{ volume: 'v1', since: since(cluster), problem, modified }] });

describe('rule 1, logging on (FIG. 15A)', () => {
  it('rule 1: mounts every volume that access allows, and no other; again changes nothing', () => {
    const cluster = clusterOf([], ['v1', 'v2', 'v3']);
    cluster.change(clientAdd, { clients: [{ name: 'A' }] });
    cluster.change(volumeAllow, { volume: ['v1', 'v2'], client: 'A' });
    cluster.change(volumeDeny, { volume: 'v2', client: 'A', readOnly: [] });
    assert.equal(mode(cluster, 'A'), 'none', 'before it logs on nothing is mounted');
    assert.deepEqual(cluster.change(clientLogon, { client: 'A' }).mounted, ['v1']);
    assert.deepEqual(
      ['v1', 'v2', 'v3'].map((volume) => mode(cluster, 'A', volume)),
      ['ro', 'none', 'none'],
    );
    changesNothing(cluster, clientLogon, { client: 'A' });
  });

  it('rule 1: with the mode that access says: a writer that logs on before it has given up writes on', () => {
    const cluster = asking('A');
    cluster.change(clientLogoff, { client: 'A', readOnly: false });
    assert.equal(mode(cluster, 'A'), 'none');
    assert.ok(mustGiveUp(cluster.snapshot(), 'v1', 'A'));
    cluster.change(clientLogon, { client: 'A' });
    assert.equal(mode(cluster, 'A'), 'rw');
    assert.deepEqual(gaveUp(cluster, 'A').volumes, [], 'what was meant by the logoff is no longer meant');
    assert.equal(writer(cluster), 'A');
  });

  it('rule 1: an unknown client is refused with status 3', () => {
    refused(clusterOf(['A']), clientLogon, { client: 'X' }, ['CLIENT_NOT_FOUND', 3], /X/);
  });

  it('rule 1: logging off unmounts everything, withdraws requests and gives the right up; again changes nothing', () => {
    const cluster = clusterOf(['A', 'B'], ['v1', 'v2']);
    cluster.change(requestWrite, { volume: 'v1', client: 'A' });
    cluster.change(requestWrite, { volume: 'v2', client: 'B' });
    cluster.change(requestWrite, { volume: 'v2', client: 'A' });
    const result = cluster.change(clientLogoff, { client: 'A', readOnly: true, reason: 'for today' });
    assert.deepEqual(result.unmounted.sort(), ['v1', 'v2']);
    assert.deepEqual(result.writers, [{ volume: 'v1', writer: null }]);
    assert.equal(requestOf(cluster, 'A', 'v2')?.response, 'withdrawn');
    assert.equal(logonOf(cluster.snapshot(), 'A')?.reason, 'for today');
    changesNothing(cluster, clientLogoff, { client: 'A', readOnly: true });
  });
});

describe('rule 2, requests (FIG. 15B)', () => {
  const ask = (cluster: MemoryCluster, client = 'B') => cluster.change(requestWrite, { volume: 'v1', client });

  it('rule 2: who is not known, or asks for what is not there, is refused with status 3', () => {
    const cluster = clusterOf(['A']);
    refused(cluster, requestWrite, { volume: 'v1', client: 'X' }, ['CLIENT_NOT_FOUND', 3]);
    refused(cluster, requestWrite, { volume: 'v9', client: 'A' }, ['VOLUME_NOT_FOUND', 3]);
  });

  it('rule 2: the obstacles are told in the order of the rule, each with its status', () => {
    const cluster = clusterOf([], ['v1']);
    const request = { volume: 'v1', client: 'A' };
    cluster.change(clientAdd, { clients: [{ name: 'A' }] });
    cluster.change(volumeLockout, { ...request, lockout: true });
    cluster.change(volumeControl, { volume: 'v1', enabled: false, readOnlyMedia: true, readOnly: [] });
    refused(cluster, requestWrite, { ...request, volume: 'v9' }, ['NOT_LOGGED_ON', 4], /not logged on/);
    cluster.change(clientLogon, { client: 'A' });
    refused(cluster, requestWrite, request, ['MOUNT_DENIED', 5], /may not mount/);
    cluster.change(volumeAllow, request);
    refused(cluster, requestWrite, request, ['LOCKED_OUT', 5], /locked out/);
    cluster.change(volumeLockout, { ...request, lockout: false });
    refused(cluster, requestWrite, request, ['VOLUME_DISABLED', 4], /disabled/);
    cluster.change(volumeControl, { volume: 'v1', enabled: true, readOnly: [] });
    refused(cluster, requestWrite, request, ['READ_ONLY_MEDIA', 4], /read-only media/);
    cluster.change(volumeControl, { volume: 'v1', readOnlyMedia: false, readOnly: [] });
    assert.equal(ask(cluster, 'A').response, 'granted');
  });

  it('rule 2: without a writer the client takes over at once, with a mount that shows everything', () => {
    const cluster = clusterOf(['A']);
    cluster.change(volumeUnmount, { volume: 'v1', client: 'A', readOnly: true });
    assert.deepEqual(ask(cluster, 'A'), {
      ...{ volume: 'v1', client: 'A', response: 'granted', writer: 'A', asked: null, ahead: 0 },
    });
    assert.equal(mode(cluster, 'A'), 'rw');
    assert.equal(cluster.snapshot().table('mounts').get('v1/A')?.refreshed, cluster.generation);
    changesNothing(cluster, requestWrite, { volume: 'v1', client: 'A' });
  });

  it('rule 2: a writer that is gone is logged off and followed in one generation', () => {
    const cluster = asking('A', 'B');
    cluster.change(endRequests, {
      ...{ requests: [{ volume: 'v1', client: 'B', asked: cluster.generation, why: null }], response: 'withdrawn' },
    });
    const before = cluster.generation;
    const gone = { clients: [{ client: 'A', lease: 7, why: 'lease quiet for 10.1 s' }] };
    assert.equal(cluster.change(requestWrite, { volume: 'v1', client: 'B', gone }).response, 'granted');
    assert.equal(cluster.generation, before + 1);
    assert.equal(logonOf(cluster.snapshot(), 'A')?.loggedOn, false);
    assert.equal(mode(cluster, 'A'), 'none');
  });

  it('rule 2: whoever waited for the one that is gone comes first', () => {
    const cluster = asking('A', 'C');
    cluster.change(clientAdd, { clients: [{ name: 'B' }] });
    cluster.change(volumeAllow, { volume: 'v1', client: 'B' });
    cluster.change(clientLogon, { client: 'B' });
    const gone = { clients: [{ client: 'A', lease: 7, why: 'quiet' }] };
    const result = cluster.change(requestWrite, { volume: 'v1', client: 'B', gone });
    assert.deepEqual([result.response, result.writer], ['pending', 'C']);
  });

  it('rule 2: a writer that has logged off keeps the right until its mount is read-only', () => {
    const cluster = asking('A');
    cluster.change(clientLogoff, { client: 'A', readOnly: false });
    const two = clusterOf(['A', 'B']);
    two.change(requestWrite, { volume: 'v1', client: 'A' });
    two.change(clientLogoff, { client: 'A', readOnly: false });
    assert.equal(ask(two).response, 'pending');
    gaveUp(two, 'A');
    assert.equal(writer(two), 'B');
    assert.equal(requestOf(two, 'B')?.response, 'granted');
  });

  it('rule 2: one request per client and volume stands: asking again gives the one that stands', () => {
    const cluster = asking('A', 'B', 'C');
    const first = requestOf(cluster, 'B')!;
    const again = cluster.change(requestWrite, { volume: 'v1', client: 'B', message: 'please' });
    assert.deepEqual([again.asked, again.ahead], [first.asked, 0]);
    changesNothing(cluster, requestWrite, { volume: 'v1', client: 'C', message: 'please' });
    assert.equal(ask(cluster, 'C').ahead, 1);
  });

  it('rule 2: a requester that gives up withdraws; a later request, or one that has its answer, is left alone', () => {
    const cluster = asking('A', 'B');
    const { asked } = requestOf(cluster, 'B')!;
    const withdrawn = { requests: [{ volume: 'v1', client: 'B', asked, why: null }], response: 'withdrawn' as const };
    changesNothing(cluster, endRequests, { ...withdrawn, requests: [{ ...withdrawn.requests[0]!, asked: asked - 1 }] });
    assert.deepEqual(cluster.change(endRequests, withdrawn).ended, ['v1/B']);
    assert.equal(requestOf(cluster, 'B')?.response, 'withdrawn');
    changesNothing(cluster, endRequests, withdrawn);
    ask(cluster);
    changesNothing(cluster, endRequests, withdrawn);
    assert.equal(requestOf(cluster, 'B')?.response, 'pending');
  });

  it('rule 2: a writer that asks anew while it hands over waits behind those who asked before', () => {
    const cluster = asking('A', 'B');
    cluster.change(respond, { volume: 'v1', client: 'B', grant: true, by: 'A', readOnly: false });
    const again = ask(cluster, 'A');
    assert.deepEqual([again.response, again.ahead], ['pending', 1]);
    gaveUp(cluster, 'A');
    assert.equal(writer(cluster), 'B');
    cluster.change(releaseWrite, { volume: 'v1', client: 'B', readOnly: true });
    assert.equal(writer(cluster), 'A');
    assert.equal(requestOf(cluster, 'A')?.response, 'granted');
  });

  it('rule 2: a writer that asks anew gets its answer at once when it keeps the right after all', () => {
    const cluster = asking('A', 'B');
    cluster.change(respond, { volume: 'v1', client: 'B', grant: true, by: 'A', readOnly: false });
    ask(cluster, 'A');
    const { asked } = requestOf(cluster, 'B')!;
    cluster.change(endRequests, { requests: [{ volume: 'v1', client: 'B', asked, why: null }], response: 'expired' });
    assert.equal(requestOf(cluster, 'A')?.response, 'granted');
    assert.equal(mode(cluster, 'A'), 'rw');
  });

  it('rule 2: a writer takes back what it released, or unmounted, as long as nobody waits', () => {
    const cluster = asking('A');
    cluster.change(releaseWrite, { volume: 'v1', client: 'A', readOnly: false });
    assert.equal(mode(cluster, 'A'), 'ro');
    assert.equal(ask(cluster, 'A').response, 'granted');
    assert.equal(mode(cluster, 'A'), 'rw');
    cluster.change(volumeUnmount, { volume: 'v1', client: 'A', readOnly: false });
    assert.equal(mode(cluster, 'A'), 'none');
    assert.equal(ask(cluster, 'A').response, 'granted');
    assert.equal(mode(cluster, 'A'), 'rw');
  });
});

describe('rule 3, responses (FIG. 15C)', () => {
  const answer = { volume: 'v1', client: 'B', readOnly: false };

  it('rule 3: the writer alone answers, or an administrator for it; others are refused with status 5', () => {
    const cluster = asking('A', 'B', 'C');
    refused(cluster, respond, { ...answer, grant: true, by: 'C' }, ['NOT_THE_WRITER', 5]);
    refused(cluster, respond, { ...answer, grant: false, by: 'B' }, ['NOT_THE_WRITER', 5]);
    assert.equal(cluster.change(respond, { ...answer, grant: false, by: null }).answer, 'denied');
    assert.equal(cluster.change(respond, { ...answer, client: 'C', grant: false, by: 'A' }).answer, 'denied');
  });

  it('rule 3: yes is granted only when the mount is read-only', () => {
    const cluster = asking('A', 'B');
    const granted = { ...answer, grant: true, by: 'A', message: 'in a minute' };
    assert.equal(cluster.change(respond, granted).answer, 'agreed');
    changesNothing(cluster, respond, granted);
    assert.equal(requestOf(cluster, 'B')?.response, 'pending');
    assert.deepEqual([writer(cluster), mode(cluster, 'A'), mode(cluster, 'B')], ['A', 'ro', 'ro']);
    gaveUp(cluster, 'A');
    assert.deepEqual([writer(cluster), mode(cluster, 'A'), mode(cluster, 'B')], ['B', 'ro', 'rw']);
    assert.deepEqual(
      [requestOf(cluster, 'B')?.response, requestOf(cluster, 'B')?.responseMessage],
      ['granted', 'in a minute'],
    );
  });

  it('rule 3: no is told with its message, and takes an earlier yes back', () => {
    const cluster = asking('A', 'B');
    cluster.change(respond, { ...answer, grant: true, by: 'A' });
    cluster.change(respond, { ...answer, grant: false, by: 'A', message: 'rendering' });
    assert.deepEqual(
      [requestOf(cluster, 'B')?.response, requestOf(cluster, 'B')?.responseMessage],
      ['denied', 'rendering'],
    );
    assert.equal(mode(cluster, 'A'), 'rw');
    refused(cluster, respond, { ...answer, grant: true, by: 'A' }, ['REQUEST_NOT_FOUND', 3]);
  });

  it('rule 3: a busy mount is not torn away: the answer becomes denied with the reason', () => {
    const cluster = asking('A', 'B');
    cluster.change(respond, { ...answer, grant: true, by: 'A' });
    assert.deepEqual(gaveUp(cluster, 'A', 'vi (pid 7) has notes.txt open').volumes, [
      { volume: 'v1', writer: 'A', answer: 'denied' },
    ]);
    assert.match(requestOf(cluster, 'B')!.responseMessage!, /vi \(pid 7\)/);
    assert.equal(mode(cluster, 'A'), 'rw');
  });

  it('rule 3: a yes ends with the request that it was for: the writer does not give up for nobody', () => {
    for (const end of ['withdrawn', 'locked out', 'logged off'] as const) {
      const cluster = asking('A', 'B', 'C');
      cluster.change(respond, { ...answer, grant: true, by: 'A' });
      const { asked } = requestOf(cluster, 'B')!;
      if (end === 'withdrawn') {
        cluster.change(endRequests, { requests: [{ volume: 'v1', client: 'B', asked, why: null }], response: end });
      } else if (end === 'locked out') cluster.change(volumeLockout, { volume: 'v1', client: 'B', lockout: true });
      else cluster.change(clientLogoff, { client: 'B', readOnly: true });
      assert.equal(mode(cluster, 'A'), 'rw', end);
      assert.equal(requestOf(cluster, 'C')?.response, 'pending', end);
    }
  });

  it('rule 3: requests are granted in the order of asking; another one meanwhile is not answered', () => {
    const cluster = asking('A', 'B', 'C');
    refused(cluster, respond, { ...answer, client: 'C', grant: true, by: 'A' }, ['REQUEST_STANDS', 4]);
    refused(cluster, respond, { ...answer, asked: 1, grant: true, by: 'A' }, ['REQUEST_NOT_FOUND', 3]);
    cluster.change(respond, { volume: 'v1', client: null, grant: true, by: 'A', readOnly: true });
    assert.equal(writer(cluster), 'B');
  });

  it('rule 3: without an agent the answer passes the right on in one generation', () => {
    const cluster = asking('A', 'B');
    const before = cluster.generation;
    assert.equal(cluster.change(respond, { ...answer, grant: true, by: 'A', readOnly: true }).answer, 'granted');
    assert.deepEqual([writer(cluster), cluster.generation], ['B', before + 1]);
  });

  it('rule 3: what was given up under another right is left alone', () => {
    const cluster = asking('A', 'B');
    cluster.change(respond, { ...answer, grant: true, by: 'A' });
    const late = { volume: 'v1', since: since(cluster), problem: null, modified: true };
    gaveUp(cluster, 'A');
    changesNothing(cluster, givenUp, { client: 'A', volumes: [late] });
    cluster.change(requestWrite, { volume: 'v1', client: 'A' });
    cluster.change(releaseWrite, { volume: 'v1', client: 'B', readOnly: true });
    cluster.change(releaseWrite, { volume: 'v1', client: 'A', readOnly: false });
    changesNothing(cluster, givenUp, { client: 'A', volumes: [late] });
    assert.equal(writer(cluster), 'A');
  });

  it('rule 3: releasing is for the writer alone; it passes the right on, or leaves nobody', () => {
    const cluster = asking('A', 'B');
    refused(cluster, releaseWrite, { volume: 'v1', client: 'B', readOnly: true }, ['NOT_THE_WRITER', 5], /A/);
    cluster.change(releaseWrite, { volume: 'v1', client: 'A', readOnly: true });
    assert.equal(writer(cluster), 'B');
    cluster.change(releaseWrite, { volume: 'v1', client: 'B', readOnly: false, force: true });
    assert.equal(writerOf(cluster.snapshot(), 'v1').yields?.force, true);
    gaveUp(cluster, 'B');
    assert.equal(writer(cluster), null);
    refused(cluster, releaseWrite, { volume: 'v1', client: 'B', readOnly: true }, ['NOT_THE_WRITER', 5], /nobody/);
  });
});
