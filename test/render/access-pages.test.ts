/** The matrix of access as text: which way round it is, and what stands above and below. */
import assert from 'node:assert/strict';
import { accessMatrix } from '../../src/core/access/matrix.js';
import { requestWrite } from '../../src/core/access/requests.js';
import { ordinal } from '../../src/render/access.js';
import { type AccessPages, type AccessPlace, accessPages, flowed } from '../../src/render/access-pages.js';
import { clusterOf } from '../access/kit.js';
import type { MemoryCluster } from '../kit/memory.js';

const numbered = (stem: string, count: number) => Array.from({ length: count }, (_, i) => `${stem}${i + 1}`);

function pagesOf(cluster: MemoryCluster, place: Partial<AccessPlace> = {}): AccessPages {
  const snapshot = cluster.snapshot();
  return accessPages(accessMatrix(snapshot, { volumes: [], clients: [] }), {
    generation: snapshot.generation,
    problems: [],
    width: 80,
    height: 23,
    isTitled: true,
    paint: (_style, text) => text,
    ...place,
  });
}

describe('the matrix as text', () => {
  it('has volumes as rows, and clients where they would need several blocks of columns', () => {
    const upright = pagesOf(clusterOf(['c1', 'c2'], numbered('v', 40)));
    assert.match(upright.pages[0]![1]!, /^VOLUME {2}c1 {2}c2$/);
    const lying = pagesOf(clusterOf(numbered('c', 40), ['v1', 'v2']));
    assert.match(lying.pages[0]![1]!, /^CLIENT {2}v1 {2}v2$/);
    assert.match(lying.pages[0]![2]!, /^c1 +ro +ro$/);
  });

  it('has clients as rows where only so it fits on one screen', () => {
    const { pages } = pagesOf(clusterOf(['c1', 'c2'], numbered('v', 40)), { width: 200, height: 49 });
    assert.match(pages[0]![1]!, /^VOLUME/, 'both would fit: volumes are rows');
    const wide = pagesOf(clusterOf(['c1', 'c2'], numbered('v', 40)), { width: 200, height: 23 });
    assert.match(wide.pages[0]![1]!, /^CLIENT/);
    assert.equal(wide.pages.length, 1);
  });

  it('has the many as rows without trying the other way round, which would take long', () => {
    const lying = pagesOf(clusterOf(numbered('c', 1001), ['v1', 'v2']));
    assert.match(lying.pages[0]![1]!, /^CLIENT/);
    const upright = pagesOf(clusterOf(['c1'], numbered('v', 1001)));
    assert.match(upright.pages[0]![1]!, /^VOLUME/);
  });

  it('begins each page with a line that says what it is, no wider than the terminal', () => {
    const { pages } = pagesOf(clusterOf(['c1'], numbered('v', 40)), { width: 40 });
    assert.equal(pages.length, 2);
    assert.match(pages[0]![0]!, /^page 1\/2 · generation \d+ · 40 volumes.*…$/);
    for (const page of pages) for (const line of page) assert.ok(line.length <= 40, line);
    assert.ok(pages.every((page) => page.length <= 23));
  });

  it('ends with at most twenty requests, and says how many more there are', () => {
    const volumes = numbered('v', 25);
    const cluster = clusterOf(['A', 'B'], volumes);
    for (const volume of volumes) for (const client of ['A', 'B']) cluster.change(requestWrite, { volume, client });
    const { tail } = pagesOf(cluster);
    assert.equal(tail.filter((line) => line.includes('waits for A')).length, 20);
    assert.equal(tail.at(-1), '… and 5 more (cfs volume requests lists all)');
  });

  it('writes names so that they are safe for a terminal', () => {
    const { tail } = pagesOf(clusterOf(['c1']), { problems: ['c1: \u001b[2Jgone'] });
    assert.equal(tail.at(-1), 'c1: \\u001b[2Jgone');
  });
});

describe('short texts', () => {
  it('flow into lines no wider than the terminal', () => {
    assert.deepEqual(flowed(['aa', 'bb', 'cc'], 8), ['aa   bb', 'cc']);
    assert.deepEqual(flowed([], 8), []);
  });

  it('count places as people do', () => {
    assert.deepEqual([1, 2, 3, 4, 11, 12, 13, 21, 22, 103, 111].map(ordinal), [
      '1st',
      '2nd',
      '3rd',
      '4th',
      '11th',
      '12th',
      '13th',
      '21st',
      '22nd',
      '103rd',
      '111th',
    ]);
  });
});
