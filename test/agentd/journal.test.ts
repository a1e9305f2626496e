import assert from 'node:assert/strict';
import { appendFileSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { OwnershipJournal, openIntervals, parseJournal, readJournal } from '../../src/agentd/journal.js';
import { tempDir } from '../kit/cli.js';

const BOOT = '11111111-1111-4111-8111-111111111111';

function journalIn(
  stateDir: string,
  bootId = BOOT,
  limitBytes?: number,
): { journal: OwnershipJournal; at: (t: number) => void } {
  let now = 0;
  const journal = new OwnershipJournal({
    stateDir,
    node: 'n1',
    bootId,
    monotonicMs: () => (now += 0.001),
    ...(limitBytes === undefined ? {} : { limitBytes }),
  });
  return {
    journal,
    at: (t) => {
      now = t;
    },
  };
}

describe('the ownership journal', () => {
  it('has a line for each event, and nobody else can read it', () => {
    const stateDir = join(tempDir('journal'), 'deep/state');
    const { journal, at } = journalIn(stateDir);
    at(5123.1);
    journal.add('start', { volume: 'v 1', epoch: 7 });
    const path = join(stateDir, 'ownership.log');
    const [line, rest] = readFileSync(path, 'utf8').split('\n');
    assert.equal(rest, '');
    const { wall, ...event } = JSON.parse(line!) as Record<string, unknown>;
    assert.deepEqual(event, { t: 5123.101, boot: BOOT, node: 'n1', volume: 'v 1', epoch: 7, event: 'start' });
    assert.ok(Math.abs(Date.parse(String(wall)) - Date.now()) < 60_000);
    assert.equal(statSync(path).mode & 0o777, 0o600);
    assert.equal(statSync(stateDir).mode & 0o777, 0o700);
  });

  it('tells what still runs, whoever wrote the lines', () => {
    const stateDir = tempDir('journal');
    const { journal: worker, at } = journalIn(stateDir);
    const { journal: supervisor, at: later } = journalIn(stateDir);
    at(1);
    for (const volume of ['v1', 'v2', 'v3', 'v4']) worker.add('start', { volume, epoch: 3 });
    worker.add('stop', { volume: 'v1', epoch: 3 });
    later(2);
    supervisor.add('fenced', { volume: 'v2', epoch: 3 });
    at(3);
    worker.add('start', { volume: 'v3', epoch: 9 });
    worker.add('found', { volume: 'v2', epoch: 3 });
    const open = [
      { volume: 'v4', epoch: 3 },
      { volume: 'v3', epoch: 9 },
      { volume: 'v2', epoch: 3 },
    ];
    const byName = (a: { volume: string }, b: { volume: string }) => (a.volume < b.volume ? -1 : 1);
    assert.deepEqual(supervisor.open().sort(byName), open.sort(byName));
  });

  it('forgets what ran before the machine started again', () => {
    const stateDir = tempDir('journal');
    journalIn(stateDir, 'before').journal.add('start', { volume: 'v1', epoch: 3 });
    const { journal } = journalIn(stateDir);
    assert.deepEqual(journal.open(), []);
    journal.add('start', { volume: 'v2', epoch: 4 });
    assert.deepEqual(journal.open(), [{ volume: 'v2', epoch: 4 }]);
  });

  it('is empty where there is none', () => {
    assert.deepEqual(readJournal(tempDir('journal')), []);
  });

  it('loses a line that a full disk cut off, and no other', () => {
    const stateDir = tempDir('journal');
    const { journal } = journalIn(stateDir);
    journal.add('start', { volume: 'v1', epoch: 3 });
    appendFileSync(join(stateDir, 'ownership.log'), '{"t":0.002,"wall":"2030-01-0');
    journal.add('start', { volume: 'v2', epoch: 3 });
    appendFileSync(join(stateDir, 'ownership.log'), 'null\n[]\n{"t":"x"}\n');
    assert.deepEqual(
      journal.open().map(({ volume }) => volume),
      ['v1', 'v2'],
    );
    assert.equal(parseJournal(readFileSync(join(stateDir, 'ownership.log'), 'utf8')).damaged.length, 4);
  });

  it('is put aside when it has grown, without losing an open interval, whatever happens and whoever does it', () => {
    const step = fc.record({
      who: fc.nat(1),
      volume: fc.integer({ min: 1, max: 4 }),
      event: fc.constantFrom('start' as const, 'stop' as const, 'fenced' as const, 'found' as const),
    });
    fc.assert(
      fc.property(fc.array(step, { minLength: 30, maxLength: 60 }), (steps) => {
        const stateDir = tempDir('journal');
        const writers = [journalIn(stateDir, BOOT, 700), journalIn(stateDir, BOOT, 700)];
        const open = new Map<string, number>();
        steps.forEach(({ who, volume, event }, i) => {
          const writer = writers[who]!;
          writer.at(i);
          const holding = { volume: `v${volume}`, epoch: i };
          writer.journal.add(event, holding);
          if (event === 'stop' || event === 'fenced') open.delete(holding.volume);
          else open.set(holding.volume, i);
        });
        const read = new Map(openIntervals(readJournal(stateDir), BOOT).map((e) => [e.volume, e.epoch]));
        assert.deepEqual(new Map([...read].sort()), new Map([...open].sort()));
        const aside = readdirSync(stateDir).filter((name) => /^ownership\.\d+\.log$/.test(name));
        assert.ok(aside.length >= 1 && aside.length <= 3, aside.join());
      }),
      { numRuns: 30 },
    );
  });

  it('loses no line of one that still writes into the file that another has put aside', () => {
    const stateDir = tempDir('journal');
    const { journal, at } = journalIn(stateDir, BOOT, 400);
    at(1);
    journal.add('start', { volume: 'v1', epoch: 3 });
    journal.add('start', { volume: 'v2', epoch: 3 });
    at(5);
    // The third line puts the file aside, with v1 repeated in the new one as open.
    journal.add('start', { volume: 'v3', epoch: 3 });
    const late = { t: 4, wall: '', boot: BOOT, node: 'n1', volume: 'v1', epoch: 3, event: 'stop' };
    appendFileSync(join(stateDir, 'ownership.1.log'), `${JSON.stringify(late)}\n`);
    assert.match(readFileSync(join(stateDir, 'ownership.log'), 'utf8'), /"v1"/);
    assert.deepEqual(
      journal.open().map(({ volume }) => volume),
      ['v2', 'v3'],
    );
  });

  it('refuses an event that cannot be written', () => {
    const stateDir = tempDir('journal');
    const { journal } = journalIn(stateDir);
    rmSync(stateDir, { recursive: true });
    assert.throws(() => journal.add('start', { volume: 'v', epoch: 1 }), /ENOENT/);
  });
});
