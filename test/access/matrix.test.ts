/** The rows of `cfs volume access`. */
import assert from 'node:assert/strict';
import { respond } from '../../src/core/access/answers.js';
import { clientAdd } from '../../src/core/access/clients.js';
import { accessMatrix, type MatrixPair } from '../../src/core/access/matrix.js';
import { volumeTouch } from '../../src/core/access/mounts.js';
import { volumeControl, volumeLockout } from '../../src/core/access/rights.js';
import { volumeCreate } from '../../src/core/config/volumes.js';
import { asking, clusterOf } from './kit.js';

const ALL = { volumes: [], clients: [] };
const names = (items: readonly { name: string }[]) => items.map(({ name }) => name);
const pairs = (items: readonly MatrixPair[]) => items.map(({ volume, client }) => `${volume}/${client}`);

describe('the matrix of access', () => {
  it('has a pair for each client and volume that a record joins, in natural order, and none for others', () => {
    const cluster = clusterOf(['c10', 'c2'], ['v2', 'v10']);
    cluster.change(clientAdd, { clients: [{ name: 'c3' }] });
    cluster.change(volumeCreate, { volumes: [{ name: 'v3' }] });
    const matrix = accessMatrix(cluster.snapshot(), ALL);
    assert.deepEqual(pairs(matrix.pairs), ['v2/c2', 'v2/c10', 'v10/c2', 'v10/c10']);
    assert.deepEqual(names(matrix.volumes), ['v2', 'v10']);
    assert.deepEqual(names(matrix.clients), ['c2', 'c10']);
    assert.deepEqual(matrix.leftOut, { volumes: 1, clients: 1 });
    const whole = accessMatrix(cluster.snapshot(), { ...ALL, all: true });
    assert.deepEqual(
      [names(whole.volumes), names(whole.clients)],
      [
        ['v2', 'v3', 'v10'],
        ['c2', 'c3', 'c10'],
      ],
    );
    assert.deepEqual([whole.pairs.length, whole.leftOut], [4, { volumes: 0, clients: 0 }]);
  });

  it('shows what is named even where nothing is to be said of it, whichever way it is looked up', () => {
    const cluster = clusterOf(['c1', 'c2'], ['v1', 'v2']);
    cluster.change(clientAdd, { clients: [{ name: 'c3' }] });
    const named = accessMatrix(cluster.snapshot(), { volumes: ['v2'], clients: ['c3', 'c1'] });
    assert.deepEqual([names(named.volumes), names(named.clients)], [['v2'], ['c1', 'c3']]);
    assert.deepEqual(pairs(named.pairs), ['v2/c1']);
    const byVolume = accessMatrix(cluster.snapshot(), { volumes: ['v2'], clients: [] });
    assert.deepEqual(pairs(byVolume.pairs), ['v2/c1', 'v2/c2']);
    const byClient = accessMatrix(cluster.snapshot(), { volumes: [], clients: ['c2'] });
    assert.deepEqual(pairs(byClient.pairs), ['v1/c2', 'v2/c2']);
  });

  it('tells who writes, who waits in which place, and with what message', () => {
    const cluster = asking('A', 'B', 'C');
    const { pairs: all, waiting, givingUp } = accessMatrix(cluster.snapshot(), ALL);
    assert.deepEqual(
      all.map(({ client, mode, isWriter, place }) => [client, mode, isWriter, place]),
      [
        ['A', 'rw', true, null],
        ['B', 'ro', false, 1],
        ['C', 'ro', false, 2],
      ],
    );
    assert.deepEqual(
      waiting.map(({ client, writer, place }) => [client, writer, place]),
      [
        ['B', 'A', 1],
        ['C', 'A', 2],
      ],
    );
    assert.deepEqual(givingUp, []);
  });

  it('tells who is about to give the right up, and to whom', () => {
    const cluster = asking('A', 'B');
    cluster.change(respond, { volume: 'v1', client: null, grant: true, by: 'A', readOnly: false });
    const { pairs: all, givingUp } = accessMatrix(cluster.snapshot(), ALL);
    assert.deepEqual(givingUp, [{ volume: 'v1', writer: 'A', to: 'B' }]);
    assert.equal(all[0]!.givesUp, true);
  });

  it('tells mounts that are older than the last modification', () => {
    const cluster = asking('A', 'B');
    cluster.change(volumeTouch, { volume: 'v1', client: 'A' });
    const { pairs: all } = accessMatrix(cluster.snapshot(), ALL);
    assert.deepEqual(
      all.map(({ client, stale }) => [client, stale]),
      [
        ['A', false],
        ['B', true],
      ],
    );
  });

  it('has volumes that nobody may mount where something special is wished of them', () => {
    const cluster = clusterOf(['c1'], ['v1']);
    cluster.change(volumeCreate, { volumes: [{ name: 'v2' }, { name: 'v3' }] });
    cluster.change(volumeControl, { volume: 'v2', enabled: false, readOnly: [] });
    cluster.change(volumeLockout, { volume: 'v1', client: 'c1', lockout: true });
    const { volumes, pairs: all } = accessMatrix(cluster.snapshot(), ALL);
    assert.deepEqual(
      volumes.map(({ name, enabled }) => [name, enabled]),
      [
        ['v1', true],
        ['v2', false],
      ],
    );
    assert.equal(all[0]!.lockout, true);
  });
});
