import assert from 'node:assert/strict';
import { lockAnswer } from '../../src/node/doctor-locks.js';
import { judgeRace } from '../../src/node/doctor-races.js';

const won = (owner: string | null) => ({ told: 'won', owner });
const lost = (owner: string | null, told = 'EEXIST') => ({ told, owner });

describe('judging a race for names', () => {
  it('counts one winner where the content is the winner’s on both sides', () => {
    assert.deepEqual(
      judgeRace([
        { a: won('0'), b: lost('1') },
        { a: lost('0'), b: won('1') },
      ]),
      {
        tries: 2,
        oneWinner: 2,
        noWinner: 0,
        severalWinners: 0,
        wins: [1, 1],
        wrongOwner: 0,
        errors: { EEXIST: 2 },
      },
    );
  });

  it('sees a name that both were given, and one that nobody got', () => {
    const race = judgeRace([
      { a: won('0'), b: lost(null, 'EIO') },
      { a: won('0'), b: lost(null, 'EIO') },
    ]);
    assert.deepEqual([race.severalWinners, race.noWinner, race.oneWinner], [1, 1, 0]);
    assert.deepEqual(race.errors, { EIO: 2 });
  });

  it('sees a winner that was told to have lost: the content is its own', () => {
    const race = judgeRace([{ a: lost('1') }, { a: lost('1') }]);
    assert.deepEqual([race.noWinner, race.wrongOwner], [1, 1]);
  });

  it('takes no content for no evidence: a directory, or an exclusive create not yet written', () => {
    assert.equal(judgeRace([{ a: won(null) }, { a: lost('') }]).wrongOwner, 0);
  });
});

describe('the answer of a lock', () => {
  it('is about the second, and only where the first got it', () => {
    assert.equal(lockAnswer('held', 'refused'), 'refused');
    assert.equal(lockAnswer('held', 'held'), 'given-to-both');
    assert.equal(lockAnswer('unsupported', 'unsupported'), 'unsupported');
    assert.equal(lockAnswer('held', 'no-program'), 'no-program');
    assert.equal(lockAnswer('refused', 'refused'), 'unsupported');
  });
});
