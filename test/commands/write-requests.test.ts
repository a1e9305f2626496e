/** Asking for the right to write: who is refused, who waits, and how a wait ends (spec/access-control.md, rule 2). */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { respond } from '../../src/core/access/answers.js';
import { requestWrite } from '../../src/core/access/requests.js';
import { clientLogoff, volumeControl, volumeDeny, volumeLockout } from '../../src/index.js';
import { accessCluster, layLease, opened } from '../kit/access-cluster.js';
import { cfs, cfsJson, runCfs, startCfs } from '../kit/cli.js';
import { database, errorOf, generationOf, onTerminal, type Refusal, refuses, runBeside } from '../kit/commands.js';

const ask = (client: string, ...more: string[]) => ['volume', 'request-write', 'v1', '--client', client, ...more];

/** Polls; the machine may be busy. */
async function until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  const end = Date.now() + 30_000;
  while (!(await holds())) {
    if (Date.now() > end) throw new Error(`never came: ${what}`);
    await new Promise((done) => setTimeout(done, 10));
  }
}

async function responseOf(dir: string, client: string, volume = 'v1') {
  return (await opened(dir)).snapshot().table('requests').get(`${volume}/${client}`);
}

async function writerOf(dir: string, volume = 'v1') {
  return (await opened(dir)).snapshot().table('writers').get(volume)?.writer ?? null;
}

const isWaiting = (dir: string, client: string) => async () => (await responseOf(dir, client))?.response === 'pending';

describe('cfs volume request-write', function () {
  this.timeout(120_000);

  describe('is refused (acceptance: "Denied paths: no mount right, lockout, disabled, read-only media, unknown client, not logged on")', () => {
    let dir: string;
    before(async () => {
      dir = await accessCluster();
      const cluster = await opened(dir);
      await cluster.change(volumeDeny, { volume: 'v1', client: 'c3', readOnly: [] });
      await cluster.change(volumeLockout, { volume: 'v2', client: 'c3', lockout: true });
      await cluster.change(volumeControl, { volume: 'v2', enabled: false, readOnly: [] });
      await cluster.change(volumeControl, { volume: 'v3', readOnlyMedia: true, readOnly: [] });
    });

    const denied: [what: string, volume: string, client: string, refusal: Refusal][] = [
      [
        'no mount right',
        'v1',
        'c3',
        {
          status: 5,
          code: 'MOUNT_DENIED',
          says: /Client "c3" may not mount volume "v1"/,
          hint: /cfs volume allow v1 c3/,
        },
      ],
      [
        'lockout',
        'v2',
        'c3',
        {
          status: 5,
          code: 'LOCKED_OUT',
          says: /"c3" is locked out from asking for changes of volume "v2"/,
          hint: /cfs volume unlock v2 c3/,
        },
      ],
      [
        'disabled',
        'v2',
        'c1',
        {
          status: 4,
          code: 'VOLUME_DISABLED',
          says: /"v2" is disabled: nobody can write to it/,
          hint: /cfs volume enable v2/,
        },
      ],
      [
        'read-only media',
        'v3',
        'c1',
        { status: 4, code: 'READ_ONLY_MEDIA', says: /"v3" is on read-only media/, hint: /--no-read-only-media/ },
      ],
      [
        'unknown client',
        'v1',
        'c9',
        { status: 3, code: 'CLIENT_NOT_FOUND', says: /There is no client "c9"/, hint: /c/ },
      ],
      [
        'not logged on',
        'v1',
        'c4',
        { status: 4, code: 'NOT_LOGGED_ON', says: /Client "c4" is not logged on/, hint: /cfs client logon c4/ },
      ],
      ['unknown volume', 'v9', 'c1', { status: 3, code: 'VOLUME_NOT_FOUND', says: /There is no volume "v9"/ }],
    ];
    for (const [what, volume, client, refusal] of denied) {
      it(`${what}: exit ${refusal.status}, with and without --wait, and by mount --rw`, () => {
        const args = [volume, '--client', client];
        refuses(dir, ['volume', 'request-write', ...args], refusal);
        refuses(dir, ['volume', 'request-write', ...args, '--wait', '20s'], refusal);
        refuses(dir, ['volume', 'mount', ...args, '--rw'], refusal);
      });
    }

    it('nobody said which client: exit 2 with the ways to say it', () => {
      refuses(dir, ['volume', 'request-write', 'v1'], {
        status: 2,
        code: 'USAGE',
        says: /Which client is meant/,
        hint: /--client C or CFS_CLIENT/,
      });
      const env = { CFS_CLIENT: 'c4' };
      refuses(
        dir,
        ['volume', 'request-write', 'v1'],
        { status: 4, code: 'NOT_LOGGED_ON', says: /"?c4"? is not/ },
        { env },
      );
    });
  });

  it('gives a volume that nobody writes at once, with and without --wait, and again without a new generation', async () => {
    const dir = await accessCluster();
    const first = cfsJson(ask('c1', '--wait', '10s'), { dir });
    assert.equal(first.response, 'granted');
    assert.equal(first.writer, 'c1');
    assert.equal(first.mounted, 'record');
    assert.equal(first.since, generationOf(dir));
    const generation = generationOf(dir);
    assert.match(cfs(ask('c1'), { dir }), /Nothing to change/);
    assert.match(
      cfs(ask('c1', '--wait', '1s'), { dir }),
      new RegExp(`c1 may write v1 \\(generation ${generation}, waited`),
    );
    assert.equal(generationOf(dir), generation);
  });

  it('waits without the lock, and says when it was granted', async () => {
    const dir = await accessCluster();
    cfs(ask('c1'), { dir });
    const waiting = runBeside(ask('c2', '--wait', '60s', '--json'), dir);
    await until('the request', isWaiting(dir, 'c2'));
    assert.match(cfs(['lock', 'show'], { dir }), /[Nn]obody|not held|free/);
    cfs(['volume', 'touch', 'v1', '--client', 'c1', '--lock-timeout', '5s'], { dir });
    const answered = performance.now();
    cfs(['volume', 'respond', 'v1', '--grant', '--client', 'c1'], { dir });
    const { status, stdout, stderr } = await waiting;
    assert.equal(status, 0, stderr);
    assert.ok(performance.now() - answered < 10_000);
    const result = JSON.parse(stdout) as Record<string, unknown>;
    assert.equal(result.response, 'granted');
    assert.equal(result.since, generationOf(dir));
    assert.equal(await writerOf(dir), 'c2');
  });

  it('is denied with the message of the writer: exit 5', async () => {
    const dir = await accessCluster();
    cfs(ask('c1'), { dir });
    const waiting = runBeside(ask('c2', '--wait', '60s', '--json'), dir);
    await until('the request', isWaiting(dir, 'c2'));
    cfs(['volume', 'respond', 'v1/c2', '--deny', '-m', 'still rendering', '--client', 'c1'], { dir });
    const ended = await waiting;
    assert.equal(ended.status, 5);
    const error = errorOf(ended);
    assert.equal(error.code, 'REQUEST_DENIED');
    assert.match(error.message, /The request of c2 for v1 was denied: still rendering/);
    assert.equal(error.details?.message, 'still rendering');
  });

  it('withdraws its request when its time is over: exit 6', async () => {
    const dir = await accessCluster();
    cfs(ask('c1'), { dir });
    const { status, stderr } = runCfs(ask('c2', '--wait', '200ms', '-m', 'titles'), { dir });
    assert.equal(status, 6, stderr);
    assert.match(stderr, /The request of c2 for v1 is withdrawn: no answer within 200ms/);
    const request = await responseOf(dir, 'c2');
    assert.equal(request?.response, 'withdrawn');
    assert.equal(request?.message, 'titles');
    assert.deepEqual((await opened(dir)).snapshot().table('writers').get('v1')?.queue, []);
  });

  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    it(`withdraws its request at ${signal}: exit 130`, async () => {
      const dir = await accessCluster();
      cfs(ask('c1'), { dir });
      const child = startCfs(ask('c2', '--wait', '60s'), { dir });
      let says = '';
      child.stderr?.on('data', (chunk) => {
        says += chunk;
      });
      await until('the request', isWaiting(dir, 'c2'));
      const ended = new Promise((done) => child.on('close', done));
      // It waits for signals from its first look on; one that comes before ends it as any program.
      await new Promise((done) => setTimeout(done, 300));
      child.kill(signal);
      assert.equal(await ended, 130, says);
      assert.match(says, /Interrupted; the request of c2 for v1 is withdrawn/);
      assert.equal((await responseOf(dir, 'c2'))?.response, 'withdrawn');
    });
  }

  it('that is granted in the very moment in which it is withdrawn says so, and exits 0', async () => {
    const dir = await accessCluster();
    cfs(ask('c1'), { dir });
    const waiting = runBeside(ask('c2', '--wait', '500ms'), dir);
    await until('the request', isWaiting(dir, 'c2'));
    const cluster = await opened(dir);
    // Under the lock until the other waits for it: its time is over.
    const late: typeof respond = {
      ...respond,
      run(draft, request, context) {
        const end = Date.now() + 30_000;
        const pause = new Int32Array(new SharedArrayBuffer(4));
        while (!existsSync(join(dir, 'lock.wanted')) && Date.now() < end) Atomics.wait(pause, 0, 0, 5);
        return respond.run(draft, request, context);
      },
    };
    await cluster.change(late, { volume: 'v1', client: 'c2', grant: true, by: 'c1', readOnly: true });
    const { status, stdout, stderr } = await waiting;
    assert.equal(status, 0, stderr);
    assert.match(
      stdout,
      /It was granted in the very moment in which the time was over\.\nc2 may write v1 \(generation \d+/,
    );
    assert.equal(await writerOf(dir), 'c2');
  });

  it('of one client from two processes is one request, and both are told', async () => {
    const dir = await accessCluster();
    cfs(ask('c1'), { dir });
    const both = [
      runBeside(ask('c2', '--wait', '60s', '--json'), dir),
      runBeside(ask('c2', '--wait', '60s', '--json'), dir),
    ];
    await until('the request', isWaiting(dir, 'c2'));
    await new Promise((done) => setTimeout(done, 300));
    cfs(['volume', 'release-write', 'v1', '--client', 'c1'], { dir });
    const results = (await Promise.all(both)).map(({ status, stdout, stderr }) => {
      assert.equal(status, 0, stderr);
      return JSON.parse(stdout) as { since: number };
    });
    assert.equal(results[0]!.since, results[1]!.since);
  });

  it('goes on when somebody breaks the lock and when the cluster is frozen: a person may hand over all the same', async () => {
    const dir = await accessCluster();
    cfs(ask('c1'), { dir });
    const waiting = runBeside(ask('c2', '--wait', '60s'), dir);
    await until('the request', isWaiting(dir, 'c2'));
    runCfs(['lock', 'break', '--yes'], { dir });
    cfs(['cluster', 'freeze'], { dir });
    cfs(['volume', 'respond', 'v1', '--grant', '--client', 'c1'], { dir });
    assert.equal((await waiting).status, 0);
  });

  it('ends when nobody answers within its limit: exit 6', async () => {
    const dir = await accessCluster();
    cfs(ask('c1'), { dir });
    const { status, stderr } = runCfs(ask('c2', '--limit', '1s', '--wait', '60s'), { dir });
    assert.equal(status, 6, stderr);
    assert.match(stderr, /The request of c2 for v1 has expired: nobody answered within 1s/);
    assert.equal((await responseOf(dir, 'c2'))?.response, 'expired');
  });

  it('gets past a request that somebody left behind who died', async () => {
    const dir = await accessCluster();
    cfs(ask('c1'), { dir });
    cfs(ask('c3', '--limit', '1s'), { dir });
    const waiting = runBeside(ask('c2', '--wait', '60s'), dir);
    await until('the other to expire', async () => (await responseOf(dir, 'c3'))?.response === 'expired');
    cfs(['volume', 'release-write', 'v1', '--client', 'c1'], { dir });
    assert.equal((await waiting).status, 0);
    assert.equal(await writerOf(dir), 'c2');
  });

  describe('of a writer whose agent is dead', () => {
    async function deadWriter(): Promise<string> {
      const dir = await accessCluster();
      cfs(['cluster', 'set', 'lease.interval=200ms', 'lease.timeout=1s'], { dir });
      cfs(ask('c1'), { dir });
      layLease(dir, 'c1', { seq: 7, applied: 3, timeoutMs: 1000 });
      return dir;
    }

    it('is granted when its lease has lapsed, though no agent runs anywhere', async () => {
      const dir = await deadWriter();
      const { status, stdout, stderr } = runCfs(ask('c2', '--wait', '60s'), { dir });
      assert.equal(status, 0, stderr);
      assert.match(stdout, /c2 may write v1 \(generation \d+, waited [1-9]/);
      const logon = (await opened(dir)).snapshot().table('logons').get('c1');
      assert.equal(logon?.loggedOn, false);
      assert.equal(logon?.lease, 7);
      assert.match(logon?.reason ?? '', /lease quiet for \d+\.\d s, confirmed by c2/);
    });

    it('waits in a frozen cluster: nothing is done without a person', async () => {
      const dir = await deadWriter();
      cfs(['cluster', 'freeze'], { dir });
      assert.equal(runCfs(ask('c2', '--wait', '2500ms'), { dir }).status, 6);
      assert.equal(await writerOf(dir), 'c1');
    });

    it('waits as long as its lease is renewed', async () => {
      const dir = await deadWriter();
      let seq = 8;
      const renewing = setInterval(() => layLease(dir, 'c1', { seq: seq++, applied: 3, timeoutMs: 1000 }), 100);
      try {
        assert.equal((await runBeside(ask('c2', '--wait', '2500ms'), dir)).status, 6);
      } finally {
        clearInterval(renewing);
      }
      assert.equal(await writerOf(dir), 'c1');
    });

    it('waits for a writer that logged on without an agent after its former one: that lease says nothing of it', async () => {
      const dir = await deadWriter();
      const cluster = await opened(dir);
      await cluster.change(clientLogoff, { client: 'c1', readOnly: true });
      const { clientLogon } = await import('../../src/index.js');
      await cluster.change(clientLogon, { client: 'c1', lease: 7 });
      await cluster.change(requestWrite, { volume: 'v1', client: 'c1' });
      assert.equal(runCfs(ask('c2', '--wait', '2500ms'), { dir }).status, 6);
      assert.equal(await writerOf(dir), 'c1');
    });
  });

  it('takes --dry-run, --expect-generation and -m as every change does', async () => {
    const dir = await accessCluster();
    const before = database(dir);
    assert.match(cfs(ask('c1', '--dry-run', '--wait', '10s'), { dir }), /writer/);
    assert.deepEqual(database(dir), before);
    refuses(dir, ask('c1', '--expect-generation', '2'), { status: 4, code: 'GENERATION_CONFLICT', says: /2/ });
    cfs(ask('c1', '-m', 'why not'), { dir });
    assert.match(cfs(['history', '--limit', '1'], { dir }), /why not/);
  });

  it('shows on a terminal whom it waits for, since when, and the place in the queue', async function () {
    const dir = await accessCluster();
    cfs(ask('c1'), { dir });
    cfs(ask('c3'), { dir });
    const { output, status } = onTerminal(this, ask('c2', '--wait', '2s'), [], { dir });
    assert.equal(status, 6, output);
    assert.match(output, /Waiting for v1, \d s: c1 writes it since \d\d:\d\d:\d\d UTC; place 2 of 2/);
  });
});
