import assert from 'node:assert/strict';
import { killAt } from '../../scripts/crash/inject.js';
import { verify } from '../../scripts/crash/state.js';
import { needStrace, prepare } from './faults.js';

/** The short form of scripts/crash/kill.ts: two commands, one file system, no power cuts. */
describe('A command that is killed at any of its system calls', function () {
  this.timeout(300_000);
  before(function () {
    needStrace(this);
  });

  for (const name of ['small', 'init']) {
    it(`leaves the old state or the new one whole, and the next goes on: ${name}`, async () => {
      const { stage, calls, expected } = await prepare(name);
      assert(calls.length > 40, `only ${calls.length} calls were seen`);
      const seen = { old: 0, new: 0, neither: 0 };
      let last = 'old';
      for (let k = 1; k <= calls.length; k++) {
        killAt(stage, calls, k);
        const { which, problems } = await verify(stage.app, stage.dir, expected, 'either', true);
        assert.deepEqual(problems, [], `killed at call ${k} of ${calls.length}, ${calls[k - 1]!.shape}`);
        assert(!(last === 'new' && which === 'old'), `call ${k} takes the change back`);
        last = which;
        seen[which] += 1;
      }
      // The link of the manifest (or of cluster.json) is in the middle: both outcomes must have been seen.
      assert(seen.old > 20 && seen.new > 2, JSON.stringify(seen));
    });
  }
});
