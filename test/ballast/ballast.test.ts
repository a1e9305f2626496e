import assert from 'node:assert/strict';
import { BALLAST_BYTES, ballastState, freeBallast, withBallast } from '../../src/core/ballast/ballast.js';
import { BallastKeeper, firstOf, makeBallast, SPACE_TO_MAKE_BYTES } from '../../src/core/ballast/keeper.js';
import { CfsError } from '../../src/core/errors.js';
import type { Call } from '../kit/faulty-files.js';
import { FaultyFiles, Killed } from '../kit/faulty-files.js';
import { SimFiles } from '../kit/sim-files.js';
import { hastyPlatform } from '../kit/store-kit.js';
import { ballastPlace } from './place.js';

const whole = { state: 'whole', bytes: BALLAST_BYTES };
const missing = { state: 'missing', bytes: 0 };

/** Names in the cluster directory. */
const names = (place: ReturnType<typeof inMemory>['place']) => place.platform.files.list('test.list', '/c').sort();

function inMemory() {
  const sim = new SimFiles();
  sim.mkdir('test.mkdir', '/c', 0o750);
  const files = new FaultyFiles(sim);
  return { sim, files, place: ballastPlace('/c', hastyPlatform({ files })) };
}

describe('the ballast', () => {
  it('is made of bytes that cannot be compressed or shared, once, and given up once', async () => {
    const { place, files } = inMemory();
    assert.deepEqual(ballastState(place), missing);
    assert.equal(makeBallast(place), true);
    assert.deepEqual(ballastState(place), whole);
    assert.deepEqual(names(place), ['ballast']);
    const fd = files.openRead('test.open', '/c/ballast');
    const bytes = Buffer.alloc(BALLAST_BYTES);
    assert.equal(files.read('test.read', fd, bytes, 0, BALLAST_BYTES, null), BALLAST_BYTES);
    const { deflateSync } = await import('node:zlib');
    assert.ok(deflateSync(bytes).length > BALLAST_BYTES, 'it does not get smaller');
    assert.equal(makeBallast(place), false);
    assert.equal(freeBallast(place), true);
    assert.equal(freeBallast(place), false);
    assert.deepEqual(ballastState(place), missing);
  });

  it('that is short is made anew', () => {
    const { place, files } = inMemory();
    files.close('test.close', files.openNew('test.create', '/c/ballast', 0o640));
    assert.deepEqual(ballastState(place), { state: 'short', bytes: 0 });
    assert.equal(makeBallast(place), true);
    assert.deepEqual(ballastState(place), whole);
  });

  it('is there whole or not at all, whichever call of making it fails, and nothing is left of the attempt', () => {
    const { place, files } = inMemory();
    makeBallast(place);
    const calls = files.calls.length;
    assert.ok(calls >= 8);
    for (let at = 1; at <= calls; at++) {
      for (const fate of [{ fail: 'ENOSPC' }, { failAfter: 'EIO' }] as const) {
        const { place, files } = inMemory();
        let failed: Call | undefined;
        files.play((call) => {
          if (call.number !== at) return undefined;
          failed = call;
          return fate;
        });
        let error: unknown;
        try {
          makeBallast(place);
        } catch (e) {
          error = e;
        }
        files.play(() => undefined);
        const about = `${failed?.label} ${JSON.stringify(fate)}`;
        // A failure to remove the temporary name changes nothing; and what is not there is not there, however late that is told.
        const isIdle =
          failed?.label === 'ballast.unlink-temporary' || (failed?.label === 'ballast.stat' && 'failAfter' in fate);
        if (isIdle) assert.equal(error, undefined, about);
        else assert.ok(error instanceof CfsError, `${about}: ${String(error)}`);
        assert.ok(['whole', 'missing'].includes(ballastState(place).state), about);
        const left = names(place).filter((name) => name !== 'ballast');
        assert.equal(left.length, failed?.label === 'ballast.unlink-temporary' && 'fail' in fate ? 1 : 0, about);
      }
    }
  });

  it('is there whole or not at all, wherever its maker is killed', () => {
    const { place, files } = inMemory();
    makeBallast(place);
    const calls = files.calls.length;
    for (let at = 1; at <= calls; at++) {
      const { place, files } = inMemory();
      files.play((call) => (call.number === at ? { kill: at === 1 ? 'before' : 'after' } : undefined));
      assert.throws(() => makeBallast(place), Killed);
      files.play(() => undefined);
      assert.ok(['whole', 'missing'].includes(ballastState(place).state));
      makeBallast(place);
      assert.deepEqual(ballastState(place), whole, `after a kill at call ${at}`);
    }
  });
});

describe('withBallast', () => {
  const noSpace = () => new CfsError('NO_SPACE', 'no space');

  it('gives up the ballast for a second attempt when there was no space, and not otherwise', async () => {
    const { place } = inMemory();
    makeBallast(place);
    assert.deepEqual(await withBallast(place, () => 1), { value: 1, freed: false });
    await assert.rejects(
      withBallast(place, () => {
        throw new CfsError('COMMIT_UNSURE', 'who knows', { errno: 'ENOSPC' });
      }),
      { code: 'COMMIT_UNSURE' },
    );
    assert.deepEqual(ballastState(place), whole, 'an unsure commit is never tried again');
    let tries = 0;
    const outcome = await withBallast(place, async () => {
      tries++;
      if (tries === 1) throw noSpace();
      return tries;
    });
    assert.deepEqual(outcome, { value: 2, freed: true });
    assert.deepEqual(ballastState(place), missing);
  });

  it('tries once without a ballast, and gives the failure of the second attempt', async () => {
    const { place } = inMemory();
    let tries = 0;
    const attempt = () => {
      tries++;
      throw noSpace();
    };
    await assert.rejects(withBallast(place, attempt), { code: 'NO_SPACE' });
    assert.equal(tries, 1);
    makeBallast(place);
    await assert.rejects(withBallast(place, attempt), { code: 'NO_SPACE' });
    assert.equal(tries, 3);
  });

  it('takes a result that says no space for a failure', async () => {
    const { place } = inMemory();
    makeBallast(place);
    const results = [false, true];
    const outcome = await withBallast(
      place,
      () => results.shift()!,
      (isDone) => isDone,
    );
    assert.deepEqual(outcome, { value: true, freed: true });
  });
});

describe('the keeper of the ballast', () => {
  it('makes it when twice as much is free, tells of a full disk once, and of space once it is back', () => {
    const { sim, place } = inMemory();
    const keeper = new BallastKeeper(place);
    sim.freeBytes = SPACE_TO_MAKE_BYTES;
    assert.deepEqual([keeper.ballastDuty().event, ballastState(place).state], ['made', 'whole']);
    assert.equal(keeper.ballastDuty().event, null);
    sim.freeBytes = 0;
    assert.equal(keeper.ballastDuty().event, null, 'a full disk with its ballast is no alarm yet');
    freeBallast(place);
    sim.freeBytes = SPACE_TO_MAKE_BYTES - 1;
    const alarm = keeper.ballastDuty();
    assert.equal(alarm.event, 'disk-full');
    assert.match(alarm.says!, /there is no ballast, and 8191 KiB are free; to make one takes 8192 KiB/);
    assert.equal(keeper.ballastDuty().event, null);
    sim.freeBytes = SPACE_TO_MAKE_BYTES;
    assert.equal(keeper.ballastDuty().event, 'space-back');
    assert.deepEqual(ballastState(place), whole);
  });

  it('makes it in steps where the file system is slow, so that its agent can renew meanwhile, and tells when it is whole', () => {
    const { files, place } = inMemory();
    let nowMs = 0;
    const platform = { ...place.platform, clock: { ...place.platform.clock, monotonicMs: () => nowMs } };
    files.play((call) => {
      if (call.label === 'ballast.fsync') nowMs += 150;
      return undefined;
    });
    const keeper = new BallastKeeper({ ...place, platform });
    const events: unknown[] = [];
    while (ballastState(place).state !== 'whole') {
      const beganMs = nowMs;
      events.push(keeper.ballastDuty().event);
      assert.ok(nowMs - beganMs <= 300, `one call took ${nowMs - beganMs} ms`);
    }
    assert.deepEqual(events, [null, null, null, 'made']);
    assert.deepEqual(names(place), ['ballast']);
  });

  it('that another agent has made meanwhile takes its own half away', () => {
    const { files, place } = inMemory();
    let nowMs = 0;
    const platform = { ...place.platform, clock: { ...place.platform.clock, monotonicMs: () => nowMs } };
    files.play((call) => {
      if (call.label === 'ballast.fsync') nowMs += 1000;
      return undefined;
    });
    const keeper = new BallastKeeper({ ...place, platform });
    keeper.ballastDuty();
    assert.equal(names(place).length, 1);
    makeBallast(place);
    assert.deepEqual([keeper.ballastDuty().ballast, keeper.ballastDuty().event], ['whole', null]);
    assert.deepEqual(names(place), ['ballast']);
  });

  it('takes space that a quota does not give for a full disk', () => {
    const { files, place } = inMemory();
    files.play((call) => (call.label === 'ballast.write' ? { fail: 'EDQUOT' } : undefined));
    const keeper = new BallastKeeper(place);
    assert.equal(keeper.ballastDuty().event, 'disk-full');
    assert.deepEqual(names(place), []);
  });

  it('is the first online node by name, as people order names', () => {
    assert.equal(firstOf(['n10', 'n9', 'n11']), 'n9');
    assert.equal(firstOf([]), undefined);
  });
});
