/** What the agent of a client tells of the rights that it gives up, where the answer gets lost. */
import assert from 'node:assert/strict';
import { GivingUp } from '../../src/core/access/agent/giving-up.js';

interface Told {
  volume: string;
  since: number;
  problem: string | null;
}

/** A right to v1 that was agreed to be given up. The mount is read-only, or busy with what this says. */
function yielding(busy: string | null) {
  const told: Told[][] = [];
  const answers: ('failed' | 'done')[] = [];
  const item = { volume: 'v1', isWriter: true, since: 5, desired: 'ro', mayKeep: true };
  const host = { busy };
  const givingUp = new GivingUp({
    client: 'A',
    view: { volumes: new Map([['v1', item]]) },
    mounts: { isReadOnly: () => host.busy === null, busyWith: () => host.busy, shownAt: () => 5, shows: () => {} },
    marks: { isModified: async () => false },
    asking: {
      mayAsk: () => true,
      ask: async (_: string, request: { volumes: Told[] }) => {
        told.push(request.volumes.map(({ volume, since, problem }) => ({ volume, since, problem })));
        const kind = answers.shift() ?? 'done';
        return kind === 'done' ? { kind, generation: 9, value: { volumes: [] } } : { kind, why: 'the directory hangs' };
      },
    },
    causeOf: () => 'yield',
  } as never);
  return { told, answers, host, givingUp };
}

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('giving a right up', () => {
  it('tells a problem again as that problem where it may or may not have been taken: never as a mount that is read-only', async () => {
    const { told, answers, givingUp } = yielding('vi has notes.txt open');
    answers.push('failed');
    givingUp.step(6);
    await settled();
    givingUp.step(7);
    await settled();
    const problem = { volume: 'v1', since: 5, problem: 'vi has notes.txt open' };
    assert.deepEqual(told, [[problem], [problem]]);
  });

  it('mounts nothing for writing between its word and the generation that shows what came of it', async () => {
    const { told, givingUp } = yielding(null);
    givingUp.step(6);
    assert.ok(givingUp.holds('v1'));
    await settled();
    givingUp.step(8);
    assert.ok(givingUp.holds('v1'), 'generation 9 says what came of it');
    givingUp.step(9);
    assert.equal(told[0]![0]!.problem, null);
  });
});
