/** What every change has in common, over all of them: rehearsal, expectation, message, generation, JSON. */
import assert from 'node:assert/strict';
import { cfs, cfsJson, runCfs } from '../kit/cli.js';
import { changesNothing, errorOf, fileOf, livedInCluster, refuses } from '../kit/commands.js';

interface ChangeCase {
  line: string[];
  operation: string;
  /** Running it again is refused (what it makes is there already) instead of changing nothing. */
  again?: { status: number; code: 'NODE_EXISTS' | 'VOLUME_EXISTS' | 'GROUP_EXISTS' | 'DOMAIN_EXISTS' | 'gone' };
  /** Running it again is another change (undo). */
  repeats?: true;
}

const GONE = { status: 3, code: 'gone' } as const;

const CHANGES: ChangeCase[] = [
  { line: ['node', 'add', 'n9'], operation: 'node.add', again: { status: 4, code: 'NODE_EXISTS' } },
  { line: ['node', 'set', 'n1', '--weight', '2.5'], operation: 'node.set' },
  { line: ['node', 'remove', 'n2', '--force', '--yes'], operation: 'node.remove', again: GONE },
  { line: ['node', 'rename', 'n1', 'first'], operation: 'node.rename', again: GONE },
  { line: ['node', 'online', 'n2'], operation: 'node.online' },
  { line: ['node', 'standby', 'n1'], operation: 'node.standby' },
  { line: ['node', 'offline', 'n1'], operation: 'node.offline' },
  { line: ['volume', 'create', 'v9'], operation: 'volume.create', again: { status: 4, code: 'VOLUME_EXISTS' } },
  { line: ['volume', 'set', 'v1', 'v2', '--weight', '9'], operation: 'volume.set' },
  { line: ['volume', 'remove', 'v1', '--yes'], operation: 'volume.remove', again: GONE },
  { line: ['volume', 'rename', 'v1', 'first'], operation: 'volume.rename', again: GONE },
  { line: ['group', 'add', 'fresh'], operation: 'group.add', again: { status: 4, code: 'GROUP_EXISTS' } },
  { line: ['group', 'set', 'eng', '--description', 'x'], operation: 'group.set' },
  { line: ['group', 'remove', 'archive', '--yes'], operation: 'group.remove', again: GONE },
  { line: ['group', 'rename', 'eng', 'ENG'], operation: 'group.rename' },
  { line: ['domain', 'add', 'north'], operation: 'domain.add', again: { status: 4, code: 'DOMAIN_EXISTS' } },
  { line: ['domain', 'rename', 'east', 'orient'], operation: 'domain.rename', again: GONE },
  { line: ['cluster', 'set', 'lock.timeout=3m'], operation: 'cluster.set' },
  { line: ['cluster', 'unset', 'lock.timeout'], operation: 'cluster.unset' },
  { line: ['cluster', 'freeze', '--reason', 'other'], operation: 'cluster.freeze' },
  { line: ['cluster', 'unfreeze'], operation: 'cluster.unfreeze' },
  { line: ['failover', 'n1'], operation: 'failover' },
  { line: ['failback', 'n2'], operation: 'failback' },
  { line: ['undo'], operation: 'undo', repeats: true },
  { line: ['undo', '--to', '2', '--yes'], operation: 'restore' },
];

describe('every change', function () {
  this.timeout(120_000);
  let template: string;
  before(() => {
    template = livedInCluster();
  });

  for (const { line, operation, again, repeats } of CHANGES) {
    const text = `cfs ${line.join(' ')}`;

    it(`${text} is rehearsed, expects a generation, keeps its message, prints its generation`, () => {
      const dir = livedInCluster();
      const base = 7;
      const rehearsed = changesNothing(dir, [...line, '--dry-run', '--json']);
      const plan = JSON.parse(rehearsed.stdout) as Record<string, unknown>;
      assert.equal(plan.schemaVersion, 1);
      assert.equal(plan.dryRun, true);
      assert.equal(plan.committed, false);

      refuses(dir, [...line, '--expect-generation', '3'], {
        status: 4,
        code: 'GENERATION_CONFLICT',
        says: /7.*3|3.*7/,
      });

      const expected = [...line, '--expect-generation', String(base), '--message', 'because of “it”', '--json'];
      const done = JSON.parse(cfs(expected, { dir })) as Record<string, unknown>;
      assert.equal(done.schemaVersion, 1);
      assert.equal(done.generation, base + 1);
      assert.equal(done.base, base);
      assert.equal(done.committed, true);
      assert.equal(done.dryRun, false);
      assert.match(String(done.txid), /^[0-9a-f]{16}$/);

      const { history } = cfsJson(['history', '--limit', '1'], { dir }) as { history: Record<string, unknown>[] };
      const [newest] = history;
      assert.equal(newest?.generation, base + 1);
      assert.equal(newest?.operation, operation);
      assert.equal(newest?.message, 'because of “it”');
      assert.equal(newest?.txid, done.txid);
      assert.match(String(newest?.command), new RegExp(`^cfs ${line[0]} .*--message`));

      if (repeats) return;
      const repeated = runCfs([...line, '--json'], { dir });
      if (again === undefined) {
        assert.equal(repeated.status, 0, repeated.stderr);
        const second = JSON.parse(repeated.stdout) as Record<string, unknown>;
        assert.equal(second.generation, base + 1, 'no new generation');
        assert.equal(second.committed, false);
      } else {
        assert.equal(repeated.status, again.status, repeated.stderr);
        const { code } = errorOf(repeated);
        if (again.code === 'gone') assert.match(code, /_NOT_FOUND$/);
        else assert.equal(code, again.code);
      }
    });
  }

  it('says in text what it did and which generation it made', () => {
    const dir = livedInCluster();
    assert.equal(cfs(['node', 'set', 'n1', '--weight', '5'], { dir }), 'Changed node n1.\nGeneration 8.\n');
    assert.equal(cfs(['node', 'set', 'n1', '--weight', '5'], { dir }), 'Nothing to change (generation 8).\n');
    const rehearsed = runCfs(['node', 'set', 'n1', '--weight', '6', '--dry-run'], { dir });
    assert.equal(rehearsed.stdout, '~ node n1: weight 5 -> 6\n');
    assert.equal(rehearsed.stderr, 'Dry run: generation 8 stays; without --dry-run this would be committed.\n');
    const nothing = runCfs(['node', 'set', 'n1', '--weight', '5', '--dry-run'], { dir });
    assert.equal(nothing.stdout, 'Nothing would change (generation 8).\n');
  });

  it('refuses a message that is too long (2) and leaves the cluster as it is', () => {
    refuses(template, ['node', 'set', 'n1', '--weight', '5', '--message', 'x'.repeat(100_000)], {
      status: 2,
      code: 'BAD_VALUE',
      says: /The message is longer than 16384 characters/,
      hint: /fewer words/,
    });
  });

  it('shows a message with control characters escaped', () => {
    const dir = livedInCluster();
    cfs(['node', 'set', 'n1', '--weight', '5', '-m', 'red \u001b[31m\u202e alert\nsecond line'], { dir });
    const shown = cfs(['history', '--limit', '1'], { dir });
    assert.match(shown, /red \\u001b\[31m\\u202e alert\\u000asecond line/);
  });

  it('asks before it destroys: without a terminal and --yes it is refused (exit 2) and nothing is changed', () => {
    const lines = [
      ['node', 'remove', 'n2', '--force'],
      ['volume', 'remove', 'v1'],
      ['group', 'remove', 'archive'],
      ['domain', 'remove', 'west'],
      ['undo', '--to', '1'],
      ['apply', '-f', fileOf('volumes: []\n'), '--prune'],
    ];
    for (const line of lines) {
      refuses(template, line, {
        status: 2,
        code: 'CONFIRMATION_NEEDED',
        says: /^This needs a confirmation: /,
        hint: /--yes .*--dry-run/,
      });
    }
  });

  it('takes its names once, however often they are given', () => {
    const dir = livedInCluster();
    assert.match(cfs(['node', 'set', 'n1', 'n1', '--weight', '4'], { dir }), /^Changed node n1\.\n/);
    assert.match(cfs(['volume', 'remove', 'v1', 'v1', 'v2', '--yes'], { dir }), /^Removed v1, v2\.\n/);
    assert.match(cfs(['group', 'remove', 'archive', 'ARCHIVE', '--yes'], { dir }), /^Removed group archive\.\n/);
  });
});
