import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runCfs, startCfs } from '../kit/cli.js';
import { onTerminal, smallCluster } from '../kit/commands.js';
import { renewLease } from '../kit/leases.js';

/** Starts cfs and gives what it says as it comes, and how it ends. */
function following(args: string[], dir: string) {
  const child = startCfs(args, { dir });
  const said = { stdout: '', stderr: '' };
  child.stdout!.on('data', (data) => {
    said.stdout += data;
  });
  child.stderr!.on('data', (data) => {
    said.stderr += data;
  });
  const ended = new Promise<number | null>((resolve) => child.on('close', resolve));
  const until = async (pattern: RegExp) => {
    while (!pattern.test(said.stdout)) {
      if (child.exitCode !== null) assert.fail(`it ended: ${said.stdout}${said.stderr}`);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  };
  return { said, ended, until, isRunning: () => child.exitCode === null };
}

describe('--wait', function () {
  this.timeout(60_000);

  it('ends at once where no agent runs, and says so', () => {
    const dir = smallCluster();
    const { stdout, stderr, status } = runCfs(['volume', 'set', 'v1', '--weight', '5', '--wait', '20s'], { dir });
    assert.equal(status, 0);
    assert.match(stdout, /Generation 3\.\n$/);
    assert.equal(stderr, 'No agent runs: nothing to wait for.\n');
  });

  it('lasts until the agents have applied the generation; what was done is printed before', async () => {
    const dir = smallCluster();
    renewLease(dir, { node: 'n1', seq: 1, released: 2, applied: 2 });
    renewLease(dir, { node: 'n2', seq: 1, released: 2, applied: 2 });
    const { said, ended, until, isRunning } = following(['volume', 'set', 'v1', '--weight', '5', '--wait', '50s'], dir);
    await until(/Generation 3\.\n/);
    renewLease(dir, { node: 'n1', seq: 2, released: 3, applied: 3 });
    renewLease(dir, { node: 'n2', seq: 2, released: 3, applied: 2 });
    assert.ok(isRunning());
    renewLease(dir, { node: 'n2', seq: 3, released: 4, applied: 4 });
    assert.equal(await ended, 0);
    assert.match(said.stderr, /^All 2 agents have applied generation 3, after \d+\.\d s\.\n$/);
  });

  it('exits with 6 when time is over, names who is late, and says that the change stands; repeated, it waits again', () => {
    const dir = smallCluster();
    renewLease(dir, { node: 'n1', seq: 1, released: 3, applied: 3 });
    renewLease(dir, { node: 'n2', seq: 1, released: 2, applied: 2 });
    const args = ['volume', 'set', 'v1', '--weight', '5', '--wait', '300ms'];
    const late = runCfs(args, { dir });
    assert.equal(late.status, 6);
    assert.match(late.stdout, /Generation 3\.\n$/);
    assert.match(
      late.stderr,
      /^Error: Generation 3 is committed, but after 300ms 1 of 2 nodes has not applied generation 3: n2 \(released 2, applied 2\)\n/,
    );
    const again = runCfs([...args, '--json'], { dir });
    assert.equal(again.status, 6);
    const { committed, wait } = JSON.parse(again.stdout) as { committed: boolean; wait: { converged: boolean } };
    assert.deepEqual([committed, wait.converged], [false, false]);
    const { error } = JSON.parse(again.stderr) as { error: { code: string; details: { nodes: { node: string }[] } } };
    assert.equal(error.code, 'WAIT_TIMEOUT');
    assert.deepEqual(
      error.details.nodes.map(({ node }) => node),
      ['n2'],
    );
  });

  it('tells on a terminal who is waited for, while it waits', function () {
    const dir = smallCluster();
    renewLease(dir, { node: 'n1', seq: 1, released: 3, applied: 2 });
    const waiting = /0 of 1 node have applied generation 3; waiting for n1 \(starting\)/;
    const args = ['volume', 'set', 'v1', '--weight', '5', '--wait', '500ms'];
    const { status, output } = onTerminal(this, args, [[waiting, '']], { dir });
    assert.equal(status, 6);
    assert.match(output, /Error: Generation 3 is committed, but/);
  });

  it('has its result in the JSON of every change, placements too', () => {
    const dir = smallCluster();
    renewLease(dir, { node: 'n1', seq: 4, released: 9, applied: 9 });
    for (const args of [['rebalance'], ['volume', 'set', 'v1', '--weight', '5']]) {
      const { stdout, stderr } = runCfs([...args, '--wait', '20s', '--json'], { dir });
      assert.equal(stderr, '');
      const { wait, generation } = JSON.parse(stdout) as { wait: { waitedMs: number }; generation: number };
      assert.deepEqual(wait, {
        converged: true,
        generation,
        waitedMs: wait.waitedMs,
        nodes: [{ node: 'n1', state: 'applied', released: 9, applied: 9, quietMs: 0 }],
      });
    }
  });

  it('waits for nothing on a dry run, nor after a refusal', () => {
    const dir = smallCluster();
    renewLease(dir, { node: 'n1', seq: 1, released: 1, applied: 1 });
    const dry = runCfs(['volume', 'set', 'v1', '--weight', '5', '--wait', '20s', '--dry-run', '--json'], { dir });
    assert.equal(dry.status, 0);
    assert.equal((JSON.parse(dry.stdout) as { wait?: unknown }).wait, undefined);
    assert.equal(runCfs(['volume', 'set', 'nobody', '--weight', '5', '--wait', '20s'], { dir }).status, 3);
  });

  it('that cannot read the directory any more does not say that nothing was changed', () => {
    const dir = smallCluster();
    // Listing it fails, while everything that the change needs is there.
    writeFileSync(join(dir, 'leases'), '');
    const { status, stderr } = runCfs(['volume', 'set', 'v1', '--weight', '5', '--wait', '2s'], { dir });
    assert.equal(status, 10);
    assert.match(stderr, /Generation 3 was committed, but what came after it failed/);
  });
});
