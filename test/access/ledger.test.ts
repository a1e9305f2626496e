/** The soak's ledger: what it takes as written, and what it says of a file that is not that. */
import assert from 'node:assert/strict';
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ledger } from '../../scripts/access/ledger.js';
import { waitsOf } from '../../scripts/access/waits.js';
import { tempDir } from '../kit/cli.js';
import type { Interval } from '../kit/ownership-check.js';
import type { Right } from '../kit/writers-check.js';

function ledgerOf(): Ledger {
  return new Ledger(join(tempDir('ledger'), 'v1.jsonl'));
}

function written(ledger: Ledger, client: string, n: number, at: number, text: string, isAcknowledged = true): void {
  ledger.add({ k: 'write', client, epoch: n, n, at, text });
  if (isAcknowledged) ledger.add({ k: 'ack', client, epoch: n, n });
  ledger.follow();
}

describe('the ledger of a soak', () => {
  it('expects every acknowledged byte, and follows what other processes add', () => {
    const ledger = ledgerOf();
    const other = new Ledger(ledger.path);
    written(ledger, 'A', 1, 0, 'one\n');
    written(ledger, 'B', 2, 4, 'two\n');
    other.follow();
    for (const each of [ledger, other]) {
      assert.equal(each.whyNot(Buffer.from('one\ntwo\n')), null);
      assert.equal(each.whyNot(Buffer.from('one\n')), '8 bytes were written, and 4 are there');
      assert.match(each.whyNot(Buffer.from('one\ntwX\n'))!, /byte 6, which B wrote with token 2, is another one/);
      assert.deepEqual(each.wrong, []);
    }
  });

  it('allows a tail only where somebody began a record there and was never told that it is written', () => {
    const ledger = ledgerOf();
    written(ledger, 'A', 1, 0, 'one\n');
    assert.match(ledger.whyNot(Buffer.from('one\ntw'))!, /2 bytes are there that nobody wrote/);
    written(ledger, 'B', 2, 4, 'two\n', false);
    for (const tail of ['', 'tw', 'two\n']) assert.equal(ledger.whyNot(Buffer.from(`one\n${tail}`)), null);
    assert.match(ledger.whyNot(Buffer.from('one\nXX'))!, /nobody wrote/);
  });

  it('says when a record was written over another one, or where nothing ends', () => {
    const ledger = ledgerOf();
    written(ledger, 'A', 1, 0, 'one\n');
    written(ledger, 'B', 2, 0, 'two\n');
    assert.match(ledger.wrong[0]!, /record 2 of B \(token 2\) was written at 0, and 4 bytes were there/);
  });

  it('reads a line that is not there as a whole yet later', () => {
    const ledger = ledgerOf();
    const line = `${JSON.stringify({ k: 'wrong', client: 'A', epoch: 1, t: 1, says: 'no' })}\n`;
    appendFileSync(ledger.path, line.slice(0, 10));
    ledger.follow();
    assert.deepEqual(ledger.wrong, []);
    appendFileSync(ledger.path, line.slice(10));
    ledger.follow();
    assert.deepEqual(ledger.wrong, ['no']);
  });
});

describe('waiting for the right to write', () => {
  const at = (ms: number) => new Date(1_900_000_000_000 + ms).toISOString();

  function interval(client: string, epoch: number, from: number, to: number): Interval {
    const place = (ms: number) => ({
      source: client,
      event: { t: ms, wall: at(ms), boot: 'b', node: client, volume: 'v1', epoch, event: 'start' as const },
    });
    return { source: client, node: client, volume: 'v1', epoch, from, to, began: place(from), ended: place(to) };
  }

  it('is measured from asking to the mount, and idle is a volume that somebody waits for in vain', () => {
    const right = { volume: 'v1', until: null, endedAt: null, endedBy: null };
    const rights: Right[] = [
      { ...right, client: 'A', since: 2, givenAt: at(0), asked: null, endedAt: at(100) },
      { ...right, client: 'B', since: 5, givenAt: at(180), asked: 3 },
    ];
    const request = {
      volume: 'v1',
      client: 'B',
      asked: 3,
      askedMs: Date.parse(at(60)),
      answeredMs: Date.parse(at(180)),
    };
    const mounts = [interval('A', 2, 10, 100), interval('B', 5, 200, 300)];
    const waits = waitsOf(rights, [{ ...request, response: 'granted' }], mounts);
    assert.deepEqual(waits.toMount, [10, 140]);
    assert.equal(waits.longestIdle?.ms, 100);
  });

  it('is not idle while nobody waits', () => {
    const right = { volume: 'v1', until: null, endedAt: null, endedBy: null, asked: null };
    const rights: Right[] = [
      { ...right, client: 'A', since: 2, givenAt: at(0), endedAt: at(100) },
      { ...right, client: 'B', since: 5, givenAt: at(195) },
    ];
    const { longestIdle } = waitsOf(rights, [], [interval('A', 2, 10, 100), interval('B', 5, 200, 300)]);
    assert.equal(longestIdle?.ms, 5);
  });
});
