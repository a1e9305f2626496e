import assert from 'node:assert/strict';
import { failAt } from '../../scripts/crash/inject.js';
import { judge } from '../../scripts/crash/judge.js';
import { needStrace, prepare } from './faults.js';

/** The short form of scripts/crash/errors.ts. Without space only calls that change something can fail. */
describe('A command of which any system call fails', function () {
  this.timeout(300_000);
  before(function () {
    needStrace(this);
  });

  for (const name of ['small', 'init']) {
    for (const errno of ['EIO', 'ENOSPC']) {
      it(`says by its exit code and message what became of the change: ${name}, ${errno}`, async () => {
        const { stage, calls, expected } = await prepare(name, ['--json']);
        const exits = new Set<number>();
        for (let k = 1; k <= calls.length; k++) {
          if (errno === 'ENOSPC' && !calls[k - 1]!.changes) continue;
          const run = failAt(stage, calls, k, errno, false, ['--json']);
          const { exit, problems } = await judge(stage.app, stage.dir, run, errno, expected);
          assert.deepEqual(problems, [], `${errno} at call ${k} of ${calls.length}, ${calls[k - 1]!.shape}`);
          exits.add(exit);
        }
        assert(exits.has(1) && exits.has(10), `exit codes seen: ${[...exits]}`);
      });
    }
  }
});
