/** Standard input, output and error as shells use them: closed, full, cut off, in loops; and Ctrl-C. */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { cfs, startCfs } from '../kit/cli.js';
import { contents, database, generationOf, inShell, livedInCluster, smallCluster } from '../kit/commands.js';

describe('standard streams', function () {
  this.timeout(60_000);
  let dir: string;
  before(() => {
    dir = livedInCluster();
  });

  it('commands do without standard input', () => {
    const { stdout, status, stderr } = inShell('cfs status <&-; cfs node set n1 --weight 6 <&-', { dir });
    assert.equal(status, 0, stderr);
    assert.match(stdout, /^FROZEN[\s\S]*Generation 8\.\n$/);
  });

  it('a closed standard input is an empty file (2)', () => {
    const before = database(dir);
    const { stderr, status } = inShell('cfs volume create -f - <&-', { dir });
    assert.equal(status, 2);
    assert.match(stderr, /Standard input/);
    assert.deepEqual(database(dir), before);
  });

  it('a closed standard output is as good as /dev/null', () => {
    const copy = smallCluster();
    const { stdout, stderr, status } = inShell('cfs node list >&- && cfs node set n1 --weight 6 >&- 2>&-', {
      dir: copy,
    });
    assert.deepEqual([stdout, stderr, status], ['', '', 0]);
    assert.equal(generationOf(copy), 3);
    assert.equal(inShell('cfs frobnicate 2>&-', { dir: copy }).status, 2);
  });

  it('a reader that goes away ends a command quietly', () => {
    for (const line of [
      'cfs export',
      'cfs history -n 0 -o json',
      'cfs node list',
      'cfs --help',
      'cfs completion bash',
    ]) {
      const { stdout, stderr } = inShell(`set -o pipefail; ${line} | head -1`, { dir });
      assert.equal(stderr, '', line);
      assert.equal(stdout.split('\n').length, 2, line);
    }
  });

  it('a full disk behind standard output is told (1), and that nothing is undone', () => {
    const { stderr, status } = inShell('cfs node list >/dev/full', { dir });
    assert.equal(status, 1);
    assert.match(stderr, /^Error: Cannot write to standard output: ENOSPC\nCheck where the output goes/);
  });

  it('a change that cannot be told is committed all the same, and does not look as if nothing had been changed (10)', () => {
    const copy = smallCluster();
    const { stderr, status } = inShell('cfs node set n1 --weight 6 >/dev/full', { dir: copy });
    assert.equal(status, 10);
    assert.match(
      stderr,
      /^Error: Generation 3 was committed, but what came after it failed: .*ENOSPC\nSee what was changed: cfs diff 3/,
    );
    assert.equal(generationOf(copy), 3);
  });

  it('a loop that reads lines keeps its input', () => {
    const copy = smallCluster();
    const lines = ['n1', 'n2', 'n3'];
    const body = [
      'cfs node set "$n" --weight 8',
      'cfs node show "$n" >/dev/null',
      'cfs why v1 >/dev/null',
      'cfs status >/dev/null',
      'cfs undo >/dev/null',
      'cfs volume remove v1 >/dev/null 2>&1 || true',
    ].join('; ');
    const { stdout, stderr, status } = inShell(`while read -r n; do ${body}; done`, {
      dir: copy,
      input: `${lines.join('\n')}\n`,
    });
    assert.equal(status, 0, stderr);
    assert.equal(stdout.match(/^Changed node n\d\.$/gm)?.length, lines.length);
  });

  it('what a command prints as names another one takes', () => {
    const copy = smallCluster();
    const line =
      'cfs volume list --filter group=eng -o name | xargs "$CFS_NODE_PROGRAM" "$CFS_RUN" volume set --weight 4';
    const { stdout, status } = inShell(line, { dir: copy });
    assert.equal(status, 0);
    assert.equal(stdout, 'Changed v1.\nGeneration 3.\n');
  });

  it('colours and spinners stay away from pipes', () => {
    const { stdout, stderr } = inShell('cfs status; cfs rebalance --dry-run; cfs node show nobody', {
      dir,
      env: { TERM: 'xterm-256color', FORCE_COLOR: '3' },
    });
    assert.ok(!(stdout + stderr).includes('\u001b'));
  });

  it('Ctrl-C while waiting for the lock ends with 130, and nothing is changed', async () => {
    const copy = smallCluster();
    holdLock(copy);
    const before = database(copy);
    const child = startCfs(['node', 'set', 'n1', '--weight', '9', '--lock-timeout', '30s'], { dir: copy });
    let said = '';
    child.stderr?.on('data', (chunk) => {
      said += chunk;
    });
    // It waits as soon as it has left its mark for the holder.
    const until = Date.now() + 20_000;
    while (!existsSync(join(copy, 'lock.wanted')) && Date.now() < until)
      await new Promise((done) => setTimeout(done, 20));
    const ended = new Promise<number>((done) =>
      child.on('exit', (code, signal) => done(signal === 'SIGINT' ? 130 : (code ?? -1))),
    );
    child.kill('SIGINT');
    assert.equal(await ended, 130, said);
    const after = database(copy);
    assert.deepEqual(after, before);
    assert.ok(Object.keys(contents(copy)).every((name) => !name.endsWith('.tmp')));
  });

  it('a lock that is held is waited for so long, and then told with its holder (6)', () => {
    const copy = smallCluster();
    holdLock(copy);
    const before = database(copy);
    const { stderr, status } = inShell('cfs node set n1 --weight 9 --lock-timeout 300ms', { dir: copy });
    assert.equal(status, 6, stderr);
    assert.match(stderr, /lock/);
    assert.deepEqual(database(copy), before);
    assert.match(cfs(['status'], { dir: copy }), /Generation: +2\n/);
  });
});

/** The lock as this process would hold it: alive, and renewed just now. */
function holdLock(dir: string): void {
  mkdirSync(join(dir, 'lock'));
  const since = new Date().toISOString();
  const holder = { host: hostname(), pid: process.pid, user: 'tester', command: 'a test', since, txid: '0'.repeat(16) };
  writeFileSync(join(dir, 'lock.owner'), JSON.stringify(holder));
}
