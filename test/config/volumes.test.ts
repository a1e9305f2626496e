import assert from 'node:assert/strict';
import { volumeCreate, volumeRemove, volumeRename, volumeSet } from '../../src/core/config/volumes.js';
import { smallCluster } from '../kit/clusters.js';

describe('creating volumes', () => {
  it('fills what is not said; without a current node it is not yet placed', () => {
    const cluster = smallCluster();
    cluster.change(volumeCreate, { volumes: [{ name: 'v9' }] });
    assert.deepEqual(cluster.snapshot().table('volumes').get('v9'), {
      weight: 1,
      group: null,
      domains: ['ALL'],
      preferredNode: null,
      canGroupMigrate: true,
    });
    assert.equal(cluster.snapshot().table('placements').has('v9'), false);
  });

  it('places an imported one where it is, as given, with the epoch of this generation', () => {
    const cluster = smallCluster();
    cluster.change(volumeCreate, { volumes: [{ name: 'v9', currentNode: 'n2' }] });
    assert.deepEqual(cluster.snapshot().table('placements').get('v9'), {
      node: 'n2',
      since: 2,
      by: 'given',
      stage: null,
      rule: null,
      unplaced: null,
    });
  });

  it('keeps the words Any and ALL in their own spelling', () => {
    const cluster = smallCluster();
    cluster.change(volumeCreate, { volumes: [{ name: 'v9', group: 'ANY', domains: ['all'] }] });
    const volume = cluster.snapshot().table('volumes').get('v9')!;
    assert.deepEqual([volume.group, volume.domains], ['Any', ['ALL']]);
  });

  it('refuses duplicates, unknown references and wrong types', () => {
    const cluster = smallCluster();
    const refuse = (fields: object, code: Parameters<typeof cluster.refuses>[2], message: RegExp) =>
      cluster.refuses(volumeCreate, { volumes: [{ name: 'v9', ...fields }] }, code, message);
    refuse({ name: 'v1' }, 'VOLUME_EXISTS', /already a volume "v1"/);
    refuse({ weight: -0.5 }, 'BAD_VALUE', /weight of volume "v9" cannot be -0\.5/);
    refuse({ weight: Number.NaN }, 'BAD_VALUE', /cannot be NaN/);
    refuse({ group: 'none' }, 'RESERVED_NAME', /reserved/);
    refuse({ group: 'web' }, 'GROUP_NOT_FOUND', /no group "web"/);
    refuse({ domains: ['CA', 'ca'] }, 'BAD_VALUE', /"CA" twice/);
    refuse({ preferredNode: 'n7' }, 'NODE_NOT_FOUND', /no node "n7"/);
    refuse({ currentNode: 'n7' }, 'NODE_NOT_FOUND', /no node "n7"/);
    refuse({ canGroupMigrate: 'yes' }, 'BAD_VALUE', /canGroupMigrate .* true or false/);
    const twice = { volumes: [{ name: 'a' }, { name: 'a' }] };
    cluster.refuses(volumeCreate, twice, 'VOLUME_EXISTS', /already a volume "a"/);
  });
});

describe('setting volumes', () => {
  it('changes what is given and leaves where the volume is', () => {
    const cluster = smallCluster();
    const before = cluster.snapshot().table('placements').get('v1');
    cluster.change(volumeSet, { name: 'v1', weight: 9, group: null, preferredNode: null, addDomains: ['ny'] });
    const volume = cluster.snapshot().table('volumes').get('v1')!;
    assert.deepEqual(
      [volume.weight, volume.group, volume.preferredNode, volume.domains],
      [9, null, null, ['CA', 'NY']],
    );
    assert.deepEqual(cluster.snapshot().table('placements').get('v1'), before);
  });

  it('refuses an unknown volume with the nearest name', () => {
    const error = smallCluster().refuses(volumeSet, { name: 'V1', weight: 2 }, 'VOLUME_NOT_FOUND', /no volume "V1"/);
    assert.equal(error.hint, 'Did you mean "v1"?');
  });
});

describe('removing and renaming volumes', () => {
  it('removes the placement along, all or none', () => {
    const cluster = smallCluster();
    cluster.refuses(volumeRemove, { name: ['v1', 'v99'] }, 'VOLUME_NOT_FOUND', /"v99"/);
    cluster.change(volumeRemove, { name: ['v1', 'v4'] });
    assert.equal(cluster.snapshot().table('placements').has('v1'), false);
    assert.equal(cluster.snapshot().table('volumes').count, 2);
  });

  it('renames with the placement, epoch unchanged', () => {
    const cluster = smallCluster();
    cluster.change(volumeRename, { name: 'v1', newName: 'mail' });
    assert.equal(cluster.snapshot().table('placements').get('mail')?.since, 1);
    assert.equal(cluster.snapshot().table('placements').has('v1'), false);
    cluster.refuses(volumeRename, { name: 'mail', newName: 'v2' }, 'VOLUME_EXISTS', /"v2"/);
  });
});
