import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import type { JournalEvent, JournalEventName } from '../../src/agentd/journal.js';
import { ROOT, tempDir } from '../kit/cli.js';
import { checkOwnership, type JournalOf, spread } from '../kit/ownership-check.js';

const line = (t: number, node: string, event: JournalEventName, volume = 'v1', epoch = 1): JournalEvent => ({
  t,
  wall: '',
  boot: 'b',
  node,
  volume,
  epoch,
  event,
});
const journal = (node: string, ...events: JournalEvent[]): JournalOf => ({ source: `/state/${node}`, events });

/** Owners one after the other, each on a node of its own choosing, with a pause (maybe none) between; as journals of nodes. */
const schedule = fc.array(
  fc.record({
    node: fc.integer({ min: 1, max: 4 }),
    volume: fc.integer({ min: 1, max: 3 }),
    pause: fc.integer({ min: 0, max: 50 }),
    length: fc.integer({ min: 1, max: 100 }),
    begins: fc.constantFrom('start' as const, 'found' as const),
    ends: fc.constantFrom('stop' as const, 'fenced' as const),
  }),
  { minLength: 2, maxLength: 40 },
);
type Schedule = Parameters<Parameters<typeof schedule.map>[0]>[0];

interface Turn {
  node: string;
  volume: string;
  from: number;
  to: number;
  turn: Schedule[number];
}

function turnsOf(steps: Schedule): Turn[] {
  const now = new Map<number, number>();
  return steps.map((turn) => {
    const from = (now.get(turn.volume) ?? 0) + turn.pause;
    const to = from + turn.length;
    now.set(turn.volume, to);
    return { node: `n${turn.node}`, volume: `v${turn.volume}`, from, to, turn };
  });
}

function journalsOf(turns: readonly Turn[]): JournalOf[] {
  const nodes = [...new Set(turns.map(({ node }) => node))];
  return nodes.map((node) => {
    const own = turns.filter((turn) => turn.node === node);
    const events = own.flatMap(({ volume, from, to, turn }, i) => [
      line(from, node, turn.begins, volume, i),
      line(to, node, turn.ends, volume, i),
    ]);
    return journal(node, ...events);
  });
}

describe('the checker of ownership journals', () => {
  it('finds nothing where owners follow one another', () => {
    fc.assert(
      fc.property(schedule, (steps) => {
        const { overlaps, problems } = checkOwnership(journalsOf(turnsOf(steps)));
        assert.deepEqual({ overlaps, problems }, { overlaps: [], problems: [] });
      }),
    );
  });

  it('always finds it when one began before another had ended', () => {
    fc.assert(
      fc.property(schedule, fc.nat(), fc.integer({ min: 1, max: 99 }), (steps, which, percent) => {
        const turns = turnsOf(steps);
        const victim = turns[which % turns.length]!;
        // Somebody else has it for a while, from within its time on.
        const from = victim.from + ((victim.to - victim.from) * percent) / 100;
        const intruder: Turn = { ...victim, node: 'intruder', from, to: from + 0.01 };
        const { overlaps } = checkOwnership(journalsOf([...turns, intruder]));
        assert.ok(
          overlaps.some(({ first, second }) => [first.node, second.node].includes('intruder')),
          'the intruder is found',
        );
        assert.ok(overlaps.every(({ first, second }) => first.volume === second.volume && second.from < first.to));
      }),
    );
  });

  it('takes two agents of one node name for two owners', () => {
    const one = { source: '/a', events: [line(1, 'n1', 'start')] };
    const other = { source: '/b', events: [line(2, 'n1', 'start')] };
    assert.equal(checkOwnership([one, other]).overlaps.length, 1);
  });

  it('takes what never ended for still running, unless the node lost its power', () => {
    const journals = [journal('n1', line(1, 'n1', 'start')), journal('n2', line(10, 'n2', 'start'))];
    assert.equal(checkOwnership(journals).overlaps.length, 1);
    assert.deepEqual(checkOwnership(journals).takeovers, [], 'what never ended was not taken over');
    assert.equal(checkOwnership(journals, [{ t: 4, node: 'n1', event: 'kill' }]).overlaps.length, 1);
    const { overlaps, gaps, takeovers } = checkOwnership(journals, [{ t: 4, node: 'n1', event: 'power-off' }]);
    assert.deepEqual(overlaps, []);
    assert.deepEqual(gaps, [{ volume: 'v1', from: 4, ms: 6 }]);
    assert.deepEqual(takeovers, [{ volume: 'v1', from: 'n1', to: 'n2', cause: 'power-off', ms: 6 }]);
    const late = checkOwnership(journals, [{ t: 11, node: 'n1', event: 'power-off' }]);
    assert.equal(late.overlaps.length, 1);
  });

  it('counts a takeover from what was done to the node, not from when it noticed', () => {
    const journals = [
      journal('n1', line(1, 'n1', 'start'), line(7, 'n1', 'fenced')),
      journal('n2', line(9, 'n2', 'start')),
    ];
    const { takeovers, gaps } = checkOwnership(journals, [{ t: 5, node: 'n1', event: 'kill' }]);
    assert.deepEqual(takeovers, [{ volume: 'v1', from: 'n1', to: 'n2', cause: 'kill', ms: 4 }]);
    assert.deepEqual(gaps, [{ volume: 'v1', from: 7, ms: 2 }]);
  });

  it('goes on without a gap when the epoch changes on one node', () => {
    const events = [line(1, 'n1', 'start'), line(3, 'n1', 'found', 'v1', 5), line(4, 'n1', 'stop', 'v1', 5)];
    const { intervals, gaps } = checkOwnership([journal('n1', ...events)]);
    assert.deepEqual(
      intervals.map(({ from, to, epoch }) => [from, to, epoch]),
      [
        [1, 3, 1],
        [3, 4, 5],
      ],
    );
    assert.deepEqual(gaps, []);
  });

  it('proves nothing from journals of several boots', () => {
    const other = { ...line(1, 'n2', 'start', 'v2'), boot: 'another' };
    const { problems } = checkOwnership([journal('n1', line(1, 'n1', 'start')), journal('n2', other)]);
    assert.match(problems.join(), /2 boots/);
  });

  it('gives the median and the largest', () => {
    assert.equal(spread([]), null);
    assert.deepEqual(spread([5, 1, 3]), { median: 3, max: 5 });
    assert.deepEqual(spread([4, 1, 3, 2]), { median: 2.5, max: 4 });
  });
});

describe('scripts/lab/check-ownership.ts', () => {
  const check = (...args: string[]) =>
    spawnSync(process.execPath, ['--import', 'tsx', 'scripts/lab/check-ownership.ts', ...args], {
      cwd: ROOT,
      encoding: 'utf8',
    });
  const stateOf = (...events: JournalEvent[]): string => {
    const dir = tempDir('state');
    writeFileSync(join(dir, 'ownership.log'), events.map((event) => `${JSON.stringify(event)}\n`).join(''));
    return dir;
  };

  it('ends with 1 and shows both lines when two nodes had a volume at one time', () => {
    const first = stateOf(line(1, 'n1', 'start'), line(5, 'n1', 'stop'));
    const second = stateOf(line(3, 'n2', 'start'));
    const { status, stdout } = check(first, second);
    assert.equal(status, 1, stdout);
    assert.match(stdout, /^volume v1 had two owners from 3 to 5:\n/);
    assert.ok(stdout.includes(`  ${first}: ${JSON.stringify(line(1, 'n1', 'start'))}\n`));
    assert.ok(stdout.includes(`  ${second}: ${JSON.stringify(line(3, 'n2', 'start'))}\n`));
  });

  it('ends with 0 and measures when there were none; with 2 when there is nothing to judge', () => {
    const events = join(tempDir('events'), 'events');
    writeFileSync(events, '{"t":2,"node":"n1","event":"power-off"}\n');
    const args = ['--events', events, stateOf(line(1, 'n1', 'start')), stateOf(line(1500, 'n2', 'start'))];
    const { status, stdout } = check(...args);
    assert.equal(status, 0, stdout);
    assert.match(stdout, /volume v1: without owner 1498 ms\n/);
    assert.match(stdout, /takeovers counted from power-off: 1, median 1498 ms, longest 1498 ms\n/);
    assert.equal(check(tempDir('empty')).status, 2);
  });
});
