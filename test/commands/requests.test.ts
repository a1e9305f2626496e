/** What waits for an answer, and what ends without one: `cfs volume requests` and `withdraw`. */
import assert from 'node:assert/strict';
import { accessCluster, opened } from '../kit/access-cluster.js';
import { cfs, cfsJson } from '../kit/cli.js';
import { refuses } from '../kit/commands.js';

const ask = (client: string, ...more: string[]) => ['volume', 'request-write', 'v1', '--client', client, ...more];

async function responseOf(dir: string, client: string) {
  return (await opened(dir)).snapshot().table('requests').get(`v1/${client}`);
}

describe('cfs volume withdraw and requests', function () {
  this.timeout(120_000);

  it('asked again, the request stands with its message, and its place and generation are said', async () => {
    const dir = await accessCluster();
    cfs(ask('c1'), { dir });
    cfs(ask('c3'), { dir });
    cfs(ask('c2', '-m', 'titles'), { dir });
    const asked = (await responseOf(dir, 'c2'))?.asked;
    const stands = `The request of c2 for v1 stands: place 2, asked in generation ${asked}.`;
    assert.equal(cfs(ask('c2'), { dir }), `${stands}\n`);
    assert.equal(cfs(ask('c2', '-m', 'other'), { dir }), `${stands} Its message and limit stay as they were.\n`);
    assert.equal((await responseOf(dir, 'c2'))?.message, 'titles');
  });

  it('withdraw takes the request back; there is none any more then (3)', async () => {
    const dir = await accessCluster();
    cfs(ask('c1'), { dir });
    cfs(ask('c2'), { dir });
    const result = cfsJson(['volume', 'withdraw', 'v1', '--client', 'c2', '-m', 'not needed'], { dir });
    assert.equal(result.client, 'c2');
    assert.equal((await responseOf(dir, 'c2'))?.responseMessage, 'not needed');
    refuses(dir, ['volume', 'withdraw', 'v1', '--client', 'c2'], {
      status: 3,
      code: 'REQUEST_NOT_FOUND',
      says: /No request of client "c2"/,
    });
  });

  it('requests lists those that wait, in their order, and with --all what became of the others', async () => {
    const dir = await accessCluster();
    for (const client of ['c1', 'c3', 'c2']) cfs(ask(client, '-m', `for ${client}`), { dir });
    cfs(['volume', 'request-write', 'v2', '--client', 'c1'], { dir });
    cfs(['volume', 'request-write', 'v2', '--client', 'c2', '--limit', '1h'], { dir });
    cfs(['volume', 'respond', 'v2', '--deny', '-m', 'no'], { dir });
    type Row = {
      volume: string;
      from: string;
      writer: string;
      place: number | null;
      response: string;
      answer: string | null;
    };
    const rows = (...args: string[]) => cfsJson(['volume', 'requests', ...args], { dir }).requests as Row[];
    const brief = (list: Row[]) => list.map((r) => `${r.volume} ${r.from} ${r.writer} ${r.place} ${r.response}`);
    assert.deepEqual(brief(rows()), ['v1 c3 c1 1 pending', 'v1 c2 c1 2 pending']);
    assert.deepEqual(brief(rows('v2', '--all')), ['v2 c2 c1 null denied']);
    assert.equal(rows('v2', '--all')[0]!.answer, 'no');
    assert.deepEqual(brief(rows('--from', 'c2', '--all')), ['v1 c2 c1 2 pending', 'v2 c2 c1 null denied']);
    assert.deepEqual(brief(rows('--to', 'c2', '--all')), []);
    assert.equal(cfs(['volume', 'requests', '-o', 'name'], { dir }), 'v1\nv1\n');
  });

  it('requests --expire ends those older than their limit, and no others; not in a frozen cluster', async () => {
    const dir = await accessCluster();
    cfs(ask('c1'), { dir });
    cfs(ask('c2', '--limit', '1s'), { dir });
    cfs(ask('c3', '--limit', '1h'), { dir });
    await new Promise((done) => setTimeout(done, 1100));
    cfs(['cluster', 'freeze'], { dir });
    refuses(dir, ['volume', 'requests', '--expire'], { status: 4, code: 'CLUSTER_FROZEN', says: /No request expires/ });
    cfs(['cluster', 'unfreeze'], { dir });
    assert.deepEqual(cfsJson(['volume', 'requests', '--expire'], { dir }).expired, ['v1/c2']);
    assert.equal((await responseOf(dir, 'c2'))?.response, 'expired');
    assert.equal((await responseOf(dir, 'c3'))?.response, 'pending');
    assert.deepEqual(cfsJson(['volume', 'requests', '--expire'], { dir }).expired, []);
  });
});
