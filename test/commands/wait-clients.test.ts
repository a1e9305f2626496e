/** `--wait` and the agents of clients: rights that are kept after all, leases that are no news, nothing to wait for. */
import assert from 'node:assert/strict';
import { writerOf } from '../../src/core/access/look.js';
import { endRequests } from '../../src/core/access/requests.js';
import { givenUp, requestWrite } from '../../src/index.js';
import type { DirectoryCluster } from '../../src/open.js';
import { accessCluster, layLease, opened } from '../kit/access-cluster.js';
import { cfs, runCfs } from '../kit/cli.js';
import { generationOf, runBeside } from '../kit/commands.js';

const TIMEOUT_MS = 60_000;
const PROBLEM = 'editor (process 4711) has notes.txt open';

async function until(what: string, holds: () => boolean): Promise<void> {
  const end = Date.now() + 30_000;
  while (!holds()) {
    if (Date.now() > end) throw new Error(`never came: ${what}`);
    await new Promise((done) => setTimeout(done, 10));
  }
}

describe('--wait for the agent of a client', function () {
  this.timeout(120_000);
  let dir: string;
  let cluster: DirectoryCluster;

  const lease = (seq: number, applied = generationOf(dir)) =>
    layLease(dir, 'c1', { seq, applied, timeoutMs: TIMEOUT_MS });

  /** c1 writes v1, and has an agent. */
  beforeEach(async () => {
    dir = await accessCluster();
    cluster = await opened(dir);
    await cluster.change(requestWrite, { volume: 'v1', client: 'c1' });
    lease(1);
  });

  /** The agent of c1: tries what it is to give up, and says what came of it. */
  async function triesToGiveUp(problem: string | null): Promise<void> {
    await until('the right is to be given up', () => writerOf(cluster.snapshot(), 'v1').yields !== undefined);
    const { since } = writerOf(cluster.snapshot(), 'v1');
    await cluster.change(givenUp, { client: 'c1', volumes: [{ volume: 'v1', since, problem, modified: false }] });
    lease(2);
  }

  const RELEASE = ['volume', 'release-write', 'v1', '--client', 'c1', '--wait', '50s'];
  const GRANT = ['volume', 'respond', 'v1', '--grant', '--client', 'c1', '--wait', '50s'];

  it('release-write ends with 4 where programs have files open: the writer stays', async () => {
    const ended = runBeside([...RELEASE, '--json'], dir);
    await triesToGiveUp(PROBLEM);
    const { status, stdout, stderr } = await ended;
    assert.equal(status, 4, stderr);
    const { error } = JSON.parse(stderr) as { error: { code: string; message: string; hint: string } };
    assert.equal(error.code, 'MOUNT_BUSY');
    assert.equal(error.message, 'c1 keeps v1: programs have files open there');
    assert.match(error.hint, /cfs agentd status.*--force/);
    assert.equal((JSON.parse(stdout) as { wait: { converged: boolean } }).wait.converged, false);
    assert.equal(writerOf(cluster.snapshot(), 'v1').writer, 'c1');
  });

  it('release-write ends with 0 where the right has passed on', async () => {
    const ended = runBeside(RELEASE, dir);
    await triesToGiveUp(null);
    const { status, stderr } = await ended;
    assert.equal(status, 0, stderr);
    assert.match(stderr, /The agent of client c1 has applied generation \d+\./);
    assert.equal(writerOf(cluster.snapshot(), 'v1').writer, null);
  });

  it('respond --grant ends with 4 and names the programs where the request became a denial', async () => {
    await cluster.change(requestWrite, { volume: 'v1', client: 'c2' });
    const ended = runBeside(GRANT, dir);
    await triesToGiveUp(PROBLEM);
    const { status, stderr } = await ended;
    assert.equal(status, 4, stderr);
    assert.ok(stderr.includes(`c1 keeps v1: the request of c2 was denied: ${PROBLEM}`), stderr);
    assert.equal(writerOf(cluster.snapshot(), 'v1').writer, 'c1');
  });

  it('respond --grant ends with 6 where the request was withdrawn meanwhile', async () => {
    await cluster.change(requestWrite, { volume: 'v1', client: 'c2' });
    const ended = runBeside(GRANT, dir);
    await until('the agreement', () => writerOf(cluster.snapshot(), 'v1').yields !== undefined);
    const { asked } = cluster.snapshot().table('requests').get('v1/c2')!;
    const requests = [{ volume: 'v1', client: 'c2', asked, why: 'its command was ended' }];
    await cluster.change(endRequests, { requests, response: 'withdrawn' });
    lease(2);
    const { status, stderr } = await ended;
    assert.equal(status, 6, stderr);
    assert.match(stderr, /c1 keeps v1: the request of c2 was withdrawn/);
  });

  it('request-write of the writer itself waits for a lease that is newer than the command', async () => {
    const args = ['volume', 'request-write', 'v1', '--client', 'c1', '--wait'];
    const inVain = runCfs([...args, '1s'], { dir });
    assert.equal(inVain.status, 6, inVain.stderr);
    assert.match(inVain.stderr, /c1 may write v1 \(generation \d+\), but its agent has not mounted it yet/);
    const ended = runBeside([...args, '50s'], dir);
    let seq = 1;
    const renewing = setInterval(() => lease(++seq), 300);
    try {
      const { status, stdout, stderr } = await ended;
      assert.equal(status, 0, stderr);
      assert.match(stdout, /c1 may write v1/);
    } finally {
      clearInterval(renewing);
    }
  });

  it('says where nothing was changed that there is nothing to wait for, and not that no agent runs', () => {
    const args = ['volume', 'mount', 'v1', '--rw', '--client', 'c1', '--wait', '5s'];
    assert.match(cfs(args, { dir }), /Nothing to change/);
    const { status, stderr } = runCfs(args, { dir });
    assert.deepEqual([status, stderr], [0, 'No agent has anything to do: nothing to wait for.\n']);
  });
});
