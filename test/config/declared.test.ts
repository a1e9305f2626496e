import assert from 'node:assert/strict';
import { domainOperations, groupOperations } from '../../src/core/config/declared.js';
import { nodeSet } from '../../src/core/config/nodes.js';
import { volumeCreate } from '../../src/core/config/volumes.js';
import { MemoryDraft } from '../../src/core/store/draft.js';
import { smallCluster } from '../kit/clusters.js';

describe('groups and domains', () => {
  it('are one whatever the letter case, and shown as declared', () => {
    const cluster = smallCluster();
    const error = cluster.refuses(
      domainOperations.add,
      { names: [{ name: 'ca' }] },
      'DOMAIN_EXISTS',
      /already a domain "CA"/,
    );
    assert.equal(error.exitStatus, 4);
    assert.match(error.hint ?? '', /letter case/);
    cluster.refuses(
      groupOperations.add,
      { names: [{ name: 'a' }, { name: 'A' }] },
      'GROUP_EXISTS',
      /already a group "a"/,
    );
    cluster.refuses(groupOperations.add, { names: [{ name: 'SALES' }] }, 'GROUP_EXISTS', /"Sales"/);
    cluster.change(groupOperations.add, { names: [{ name: 'g&a', description: 'General' }] });
    assert.deepEqual(cluster.snapshot().table('groups').get('g&a'), { description: 'General' });
  });

  it('refuse the reserved words and bad descriptions', () => {
    const cluster = smallCluster();
    cluster.refuses(groupOperations.add, { names: [{ name: 'Any' }] }, 'RESERVED_NAME', /reserved/);
    cluster.refuses(domainOperations.add, { names: [{ name: 'ALL' }] }, 'RESERVED_NAME', /reserved/);
    const description = 'a\u001b[31mb';
    cluster.refuses(
      groupOperations.add,
      { names: [{ name: 'x', description }] },
      'BAD_VALUE',
      /description of group "x"/,
    );
  });

  it('are not removed while in use; up to five users are named', () => {
    const cluster = smallCluster();
    const volumes = Array.from({ length: 7 }, (_, i) => ({ name: `w${i}`, group: 'Sales', domains: ['NY'] }));
    cluster.change(volumeCreate, { volumes });
    const error = cluster.refuses(
      groupOperations.remove,
      { name: 'sales' },
      'GROUP_IN_USE',
      /nodes "n2", "n3" and volumes "v3"/,
    );
    assert.match(error.message, /and 3 more$/);
    assert.equal(error.exitStatus, 4);
    assert.deepEqual(error.details, { group: 'Sales', count: 10, users: ['n2', 'n3', 'v3', 'w0', 'w1'] });
    cluster.refuses(domainOperations.remove, { name: 'CA' }, 'DOMAIN_IN_USE', /domain "CA" is in use by/);
    cluster.refuses(domainOperations.remove, { name: 'TX' }, 'DOMAIN_NOT_FOUND', /no domain "TX"/);
  });

  it('are removed when nothing names them', () => {
    const cluster = smallCluster();
    cluster.change(groupOperations.add, { names: [{ name: 'old' }] });
    cluster.change(groupOperations.remove, { name: 'OLD' });
    assert.equal(cluster.snapshot().table('groups').has('old'), false);
    cluster.refuses(groupOperations.remove, { name: ['Eng.', 'old'] }, 'GROUP_IN_USE', /"Eng\."/);
  });

  it('change their spelling or name, and all references follow', () => {
    const cluster = smallCluster();
    cluster.change(domainOperations.rename, { name: 'ca', newName: 'Ca' });
    cluster.change(groupOperations.rename, { name: 'sales', newName: 'Vertrieb' });
    const at = cluster.snapshot();
    assert.deepEqual(at.table('nodes').get('n2')?.domains, ['Ca', 'NY']);
    assert.deepEqual(at.table('volumes').get('v1')?.domains, ['Ca']);
    assert.deepEqual(at.table('nodes').get('n2')?.groups, ['Eng.', 'Vertrieb']);
    assert.equal(at.table('volumes').get('v3')?.group, 'Vertrieb');
    cluster.refuses(groupOperations.rename, { name: 'Vertrieb', newName: 'ENG.' }, 'GROUP_EXISTS', /"Eng\."/);
  });

  it('get and lose a description', () => {
    const cluster = smallCluster();
    cluster.change(groupOperations.set, { name: 'ENG.', description: null });
    assert.deepEqual(cluster.snapshot().table('groups').get('Eng.'), { description: null });
    cluster.refuses(groupOperations.set, { name: 'web', description: 'x' }, 'GROUP_NOT_FOUND', /"web"/);
  });

  it('cost one look-up where the spelling is exact', () => {
    const cluster = smallCluster();
    const base = cluster.snapshot();
    let scans = 0;
    const counting: typeof base = {
      format: 2,
      generation: base.generation,
      table(name) {
        const view = base.table(name);
        return {
          count: view.count,
          get: (key) => view.get(key),
          has: (key) => view.has(key),
          entries: () => {
            scans++;
            return view.entries();
          },
          names: () => {
            scans++;
            return view.names();
          },
        };
      },
    };
    const draft = new MemoryDraft(counting);
    nodeSet.run(draft, { name: 'n1', groups: ['Sales'], addDomains: ['NY'] }, { nowMs: 0 });
    const volume = { name: 'x', group: 'Sales', domains: ['CA'], preferredNode: 'n1' };
    volumeCreate.run(draft, { volumes: [volume] }, { nowMs: 0 });
    assert.equal(scans, 0);
  });
});
