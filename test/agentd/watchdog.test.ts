import assert from 'node:assert/strict';
import fc from 'fast-check';
import { FENCE_AT, FENCED_BY, type Now, Watchdog } from '../../src/agentd/watchdog.js';

const T = 10_000;
const HELD = { volume: 'v1', epoch: 7 };

/** The machine never slept. */
const at = (monotonicMs: number): Now => ({ monotonicMs, bootMs: monotonicMs + 500 });

function guarding(beganMs = 0): Watchdog {
  const watchdog = new Watchdog();
  watchdog.renewed(beganMs, T, at(beganMs + 3));
  watchdog.holds(HELD, at(beganMs + 4));
  return watchdog;
}

describe('the watchdog', () => {
  it('waits until 0.7 of the timeout after the last renewal began, and then fences', () => {
    const watchdog = guarding();
    for (const ms of [10, 1000, 6999]) assert.equal(watchdog.look(at(ms)).kind, 'wait', `${ms}`);
    const verdict = watchdog.look(at(7000));
    assert.equal(verdict.kind, 'fence');
    assert.equal(verdict.kind === 'fence' && verdict.byMs, 9500);
    assert.match(verdict.kind === 'fence' ? verdict.why : '', /began 7000 ms ago, lease.timeout is 10 s/);
  });

  it('counts from the beginning of a renewal, not from when it was told', () => {
    const watchdog = guarding();
    watchdog.renewed(1000, T, at(5000));
    assert.equal(watchdog.look(at(7999)).kind, 'wait');
    assert.equal(watchdog.look(at(8000)).kind, 'fence');
  });

  it('never waits longer than the deadline, and looks often while something is held', () => {
    const watchdog = guarding();
    const early = watchdog.look(at(100));
    assert.deepEqual(early, { kind: 'wait', untilMs: 350 });
    assert.deepEqual(watchdog.look(at(6900)), { kind: 'wait', untilMs: 7000 });
    watchdog.released(HELD.volume);
    assert.deepEqual(watchdog.look(at(100)), { kind: 'wait', untilMs: 7000 });
  });

  it('that comes late itself first reads what was told meanwhile, once', () => {
    const watchdog = guarding();
    assert.equal(watchdog.look(at(7021)).kind, 'read');
    watchdog.renewed(6000, T, at(7021));
    assert.equal(watchdog.look(at(7022)).kind, 'wait', 'the worker had renewed all the time');
    assert.equal(watchdog.look(at(20_000)).kind, 'read');
    assert.equal(watchdog.look(at(20_001)).kind, 'fence', 'nothing was told');
  });

  it('takes the time that the machine slept for time without a renewal', () => {
    const watchdog = guarding();
    assert.equal(watchdog.look({ monotonicMs: 2000, bootMs: 2500 }).kind, 'wait');
    const slept = { monotonicMs: 2100, bootMs: 2100 + 500 + 3_600_000 };
    assert.equal(watchdog.look(slept).kind, 'read');
    // What was in the channel began before the sleep.
    watchdog.renewed(2050, T, slept);
    const verdict = watchdog.look(slept);
    assert.match(verdict.kind === 'fence' ? verdict.why : '', /the machine slept for 3600 s/);
    // A renewal of the waking machine changes nothing of that.
    watchdog.renewed(2200, T, { ...slept, monotonicMs: 2210, bootMs: slept.bootMs + 110 });
    assert.equal(watchdog.look({ monotonicMs: 2300, bootMs: slept.bootMs + 200 }).kind, 'fence');
  });

  it('fences after everything stood still, however fresh the next renewal is', () => {
    const watchdog = guarding();
    assert.equal(watchdog.look(at(60_000)).kind, 'read');
    watchdog.renewed(59_990, T, at(60_000));
    const verdict = watchdog.look(at(60_001));
    assert.match(
      verdict.kind === 'fence' ? verdict.why : '',
      /renewed 53 s after its deadline: others may have taken over/,
    );
    assert.equal(verdict.kind === 'fence' && verdict.byMs, 60_001, 'which is too late already');
  });

  it('does not mind what stood still while nothing was held', () => {
    const watchdog = guarding();
    watchdog.released(HELD.volume);
    watchdog.renewed(59_990, T, at(60_000));
    watchdog.holds(HELD, at(60_001));
    assert.equal(watchdog.look(at(60_002)).kind, 'wait');
  });

  it('gives a worker that holds something and has not renewed seven seconds', () => {
    const watchdog = new Watchdog();
    watchdog.holds(HELD, at(100));
    assert.equal(watchdog.look(at(7099)).kind, 'wait');
    assert.equal(watchdog.look(at(7100)).kind, 'fence');
  });

  it('has nothing to do for a worker that has begun nothing, or has left', () => {
    const watchdog = new Watchdog();
    assert.deepEqual(watchdog.look(at(1e9)), { kind: 'wait', untilMs: null });
    const left = guarding();
    left.released(HELD.volume);
    left.workerLeft();
    assert.deepEqual(left.look(at(1e9)), { kind: 'wait', untilMs: null });
  });

  it('follows a timeout that the cluster has changed', () => {
    const watchdog = guarding();
    watchdog.renewed(1000, 2000, at(1001));
    assert.equal(watchdog.look(at(2399)).kind, 'wait');
    assert.equal(watchdog.look(at(2400)).kind, 'fence');
  });

  it('fences in time whatever the renewals are, and never while the lease is fresh', () => {
    const step = fc.record({ waitMs: fc.integer({ min: 1, max: 4000 }), ageMs: fc.integer({ min: 0, max: 3000 }) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), fc.integer({ min: 300, max: 20_000 }), (steps, timeoutMs) => {
        const watchdog = new Watchdog();
        let now = 10_000;
        let began = now;
        watchdog.renewed(began, timeoutMs, at(now));
        watchdog.holds(HELD, at(now));
        for (const { waitMs, ageMs } of steps) {
          // The supervisor's timer: it looks whenever it was told to.
          for (const until = now + waitMs; now < until; ) {
            const verdict = watchdog.look(at(now));
            const age = now - began;
            if (verdict.kind === 'fence') {
              assert.ok(age >= FENCE_AT * timeoutMs - 1e-6, 'not before its time');
              assert.ok(age <= FENCE_AT * timeoutMs + 1, 'at once');
              assert.ok(verdict.byMs <= began + FENCED_BY * timeoutMs + 1, 'with time left');
              return;
            }
            assert.ok(age < FENCE_AT * timeoutMs, 'the time is not over');
            assert.equal(verdict.kind, 'wait');
            const next = verdict.kind === 'wait' ? (verdict.untilMs ?? until) : now;
            now = Math.min(until, Math.max(next, now));
          }
          const said = Math.max(began, now - ageMs);
          watchdog.renewed(said, timeoutMs, at(now));
          began = said;
        }
      }),
    );
  });
});
