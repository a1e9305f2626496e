/** The rules of access control on a cluster in memory: who becomes the writer, and when. */
import assert from 'node:assert/strict';
import { givenUp, releaseWrite, respond } from '../../src/core/access/answers.js';
import { clientAdd } from '../../src/core/access/clients.js';
import { desiredMode } from '../../src/core/access/desired.js';
import { clientLogon, clientsLapsed } from '../../src/core/access/logon.js';
import { writerOf } from '../../src/core/access/look.js';
import { requestWrite } from '../../src/core/access/requests.js';
import { volumeAllow } from '../../src/core/access/rights.js';
import { volumeCreate } from '../../src/core/config/volumes.js';
import { MemoryCluster } from '../kit/memory.js';

function clusterOf(clients: readonly string[]): MemoryCluster {
  const cluster = new MemoryCluster();
  cluster.change(volumeCreate, { volumes: [{ name: 'v1' }] });
  cluster.change(clientAdd, { clients: clients.map((name) => ({ name })) });
  cluster.change(volumeAllow, { volume: 'v1', client: clients });
  for (const client of clients) cluster.change(clientLogon, { client });
  return cluster;
}

describe('one writer of a volume', () => {
  const writer = (cluster: MemoryCluster) => writerOf(cluster.snapshot(), 'v1').writer;

  it('is whoever asks first; the next one waits until the writer agrees and its mount is read-only', () => {
    const cluster = clusterOf(['A', 'B']);
    assert.equal(cluster.change(requestWrite, { volume: 'v1', client: 'A' }).response, 'granted');
    assert.equal(cluster.change(requestWrite, { volume: 'v1', client: 'B' }).response, 'pending');
    const answer = cluster.change(respond, { volume: 'v1', client: null, grant: true, by: 'A', readOnly: false });
    assert.equal(answer.answer, 'agreed');
    assert.equal(writer(cluster), 'A', 'as long as its mount is not known to be read-only');
    assert.equal(desiredMode(cluster.snapshot(), 'v1', 'A'), 'ro');
    const { since } = writerOf(cluster.snapshot(), 'v1');
    cluster.change(givenUp, { client: 'A', volumes: [{ volume: 'v1', since, problem: null, modified: true }] });
    assert.equal(writer(cluster), 'B');
    assert.equal(desiredMode(cluster.snapshot(), 'v1', 'B'), 'rw');
    assert.equal(desiredMode(cluster.snapshot(), 'v1', 'A'), 'ro');
  });

  it('is followed by those who wait, in the order of asking', () => {
    const cluster = clusterOf(['A', 'B', 'C', 'D']);
    for (const client of ['A', 'C', 'B', 'D']) cluster.change(requestWrite, { volume: 'v1', client });
    for (const next of ['C', 'B', 'D', null]) {
      cluster.change(releaseWrite, { volume: 'v1', client: writer(cluster)!, readOnly: true });
      assert.equal(writer(cluster), next);
    }
  });

  it('that is found gone is followed in the same generation, and is read-only when it comes back', () => {
    const cluster = clusterOf(['A', 'B']);
    cluster.change(requestWrite, { volume: 'v1', client: 'A' });
    cluster.change(requestWrite, { volume: 'v1', client: 'B' });
    cluster.change(clientsLapsed, { clients: [{ client: 'A', lease: 7, why: 'lease quiet for 10.1 s' }] });
    assert.equal(writer(cluster), 'B');
    assert.equal(desiredMode(cluster.snapshot(), 'v1', 'A'), 'none');
    cluster.change(clientLogon, { client: 'A' });
    assert.equal(desiredMode(cluster.snapshot(), 'v1', 'A'), 'ro');
  });
});
