/** Answering write requests: by flags, at a prompt, and where the mount is busy (spec/access-control.md, rule 3). */
import assert from 'node:assert/strict';
import { writerOf } from '../../src/core/access/look.js';
import { requestWrite } from '../../src/index.js';
import { accessCluster, layLease, opened, ScriptedHost } from '../kit/access-cluster.js';
import { cfs, cfsJson, runCfs } from '../kit/cli.js';
import { contents, database, errorOf, generationOf, onTerminal, refuses } from '../kit/commands.js';

const ESCAPES = /\u001b\[[0-9;?]*[A-Za-z]/g;
const plain = (output: string): string => output.replace(ESCAPES, '').replaceAll('\r', '');
const DOWN = '\u001b[B';

describe('cfs volume respond', function () {
  this.timeout(120_000);
  let dir: string;

  /** c1 writes v1; c2 and then c3 ask for it. */
  beforeEach(async () => {
    dir = await accessCluster();
    const cluster = await opened(dir);
    await cluster.change(requestWrite, { volume: 'v1', client: 'c1' });
    await cluster.change(requestWrite, { volume: 'v1', client: 'c2', message: 'new titles' });
    await cluster.change(requestWrite, { volume: 'v1', client: 'c3' });
  });

  const writer = async () => writerOf((await opened(dir)).snapshot(), 'v1').writer;
  const request = async (client: string) => (await opened(dir)).snapshot().table('requests').get(`v1/${client}`);

  it('--grant lets the first one write, with the message', async () => {
    const result = cfsJson(['volume', 'respond', 'v1', '--grant', '-m', 'done for today', '--client', 'c1'], { dir });
    assert.equal(result.answer, 'granted');
    assert.equal(result.client, 'c2');
    assert.equal(await writer(), 'c2');
    assert.equal((await request('c2'))?.response, 'granted');
    assert.equal((await request('c2'))?.responseMessage, 'done for today');
  });

  it('--deny denies, the first one or a certain one; the writer stays', async () => {
    cfs(['volume', 'respond', 'v1/c3', '--deny', '-m', 'not you'], { dir });
    assert.equal((await request('c3'))?.response, 'denied');
    cfs(['volume', 'respond', 'v1', '--deny', '--client', 'c1'], { dir });
    assert.equal((await request('c2'))?.response, 'denied');
    assert.equal(await writer(), 'c1');
  });

  it('is refused: for others than the writer (5), out of turn (4), where nobody waits (3), without an answer (2)', () => {
    refuses(dir, ['volume', 'respond', 'v1', '--grant', '--client', 'c3'], {
      status: 5,
      code: 'NOT_THE_WRITER',
      says: /"c3" is not the writer of volume "v1": "c1" is/,
    });
    refuses(dir, ['volume', 'respond', 'v1', '--deny', '--client', 'c2'], {
      status: 5,
      code: 'NOT_THE_WRITER',
      says: /"c2"/,
    });
    refuses(dir, ['volume', 'respond', 'v1/c3', '--grant'], {
      status: 4,
      code: 'REQUEST_STANDS',
      says: /"c2" has asked for volume "v1" before/,
    });
    refuses(dir, ['volume', 'respond', 'v2', '--grant'], {
      status: 3,
      code: 'REQUEST_NOT_FOUND',
      says: /No request for volume "v2" waits/,
    });
    refuses(dir, ['volume', 'respond', 'v1/c4', '--deny'], {
      status: 3,
      code: 'REQUEST_NOT_FOUND',
      says: /of client "c4"/,
    });
    refuses(dir, ['volume', 'respond', 'v1'], {
      status: 2,
      code: 'CONFIRMATION_NEEDED',
      says: /c2 asks c1 to let it write v1/,
      hint: /--grant or --deny/,
    });
    refuses(dir, ['volume', 'respond', 'v1', '--grant', '--deny'], { status: 2, code: 'USAGE', says: /deny/ });
    refuses(dir, ['volume', 'respond', 'v1/c2/x', '--grant'], {
      status: 2,
      code: 'USAGE',
      says: /neither VOLUME nor VOLUME\/CLIENT/,
    });
  });

  it('--dry-run and --expect-generation are those of every change', () => {
    const before = database(dir);
    assert.match(cfs(['volume', 'respond', 'v1', '--grant', '--dry-run'], { dir }), /writer/);
    assert.deepEqual(database(dir), before);
    const args = ['volume', 'respond', 'v1', '--grant', '--expect-generation', '2'];
    refuses(dir, args, { status: 4, code: 'GENERATION_CONFLICT', says: /2/ });
  });

  it('where the writer has an agent, it agrees, and the agent makes the mount read-only', async () => {
    layLease(dir, 'c1', { seq: 3, applied: 2, timeoutMs: 10_000 });
    const result = cfsJson(['volume', 'respond', 'v1', '--grant', '--force'], { dir });
    assert.equal(result.answer, 'agreed');
    assert.equal(result.byAgent, true);
    const record = writerOf((await opened(dir)).snapshot(), 'v1');
    assert.equal(record.writer, 'c1');
    assert.deepEqual(record.yields, { to: 'c2', force: true, message: null });
  });

  it('in a frozen cluster people answer all the same', async () => {
    cfs(['cluster', 'freeze'], { dir });
    cfs(['volume', 'respond', 'v1', '--grant'], { dir });
    assert.equal(await writer(), 'c2');
  });

  describe('on the host of the writer, without an agent', () => {
    let host: ScriptedHost;
    const here = (...args: string[]) => ['volume', 'respond', 'v1', ...args, '--config', host.config];

    beforeEach(() => {
      host = new ScriptedHost('c1');
      host.mounted = { v1: 'rw' };
    });

    it('the mount is read-only before the other may write', async () => {
      const before = generationOf(dir);
      const { steps } = cfsJson(here('--grant'), { dir });
      assert.deepEqual(steps, [{ volume: 'v1', from: 'rw', to: 'ro' }]);
      assert.deepEqual(host.mounted, { v1: 'ro' });
      assert.equal(generationOf(dir), before + 1);
      assert.equal(await writer(), 'c2');
    });

    it('a busy mount is not torn away: the answer is a denial with the reason, and exit 4', async () => {
      host.busy('v1', 'process 4711 (vi) writes /srv/v1/titles');
      const result = runCfs([...here('--grant'), '--json'], { dir });
      assert.equal(result.status, 4);
      const error = errorOf(result);
      assert.equal(error.code, 'MOUNT_BUSY');
      assert.match(error.message, /The request of c2 is denied \(generation \d+\): .*process 4711 \(vi\)/);
      assert.deepEqual(host.mounted, { v1: 'rw' });
      assert.equal(await writer(), 'c1');
      assert.equal((await request('c2'))?.response, 'denied');
      assert.match((await request('c2'))?.responseMessage ?? '', /process 4711/);
      assert.equal((await request('c3'))?.response, 'pending');
    });

    it('--force ends who keeps it busy', async () => {
      host.busy('v1', 'process 4711 (vi)');
      cfs(here('--grant', '--force'), { dir });
      assert.deepEqual(host.mounted, { v1: 'ro' });
      assert.equal(await writer(), 'c2');
    });
  });

  describe('at a terminal', () => {
    const respond = ['volume', 'respond', 'v1', '--client', 'c1'];

    it('shows the request and asks: grant, and what to say', async function () {
      const { status, output } = onTerminal(
        this,
        respond,
        [
          [/deny/, '\r'],
          [/What do you say to c2\?/, 'go ahead\r'],
        ],
        { dir },
      );
      assert.equal(status, 0, output);
      assert.match(plain(output), /c2 asks c1 to let it write v1, for \d+\w+ \(place 1 of 2\): "new titles"/);
      assert.match(plain(output), /c2 may write v1 now\./);
      assert.equal(await writer(), 'c2');
      assert.equal((await request('c2'))?.responseMessage, 'go ahead');
    });

    it('deny, without a word', async function () {
      const { status, output } = onTerminal(
        this,
        respond,
        [
          [/later/, `${DOWN}\r`],
          [/What do you say to c2\?/, '\r'],
        ],
        { dir },
      );
      assert.equal(status, 0, output);
      assert.equal((await request('c2'))?.response, 'denied');
      assert.equal((await request('c2'))?.responseMessage, null);
    });

    it('later leaves it waiting (9), and so does Ctrl-C (130)', function () {
      const before = contents(dir);
      const later = onTerminal(this, respond, [[/later/, `${DOWN}${DOWN}\r`]], { dir });
      assert.equal(later.status, 9, later.output);
      assert.match(plain(later.output), /Left for later; nothing was changed/);
      assert.equal(onTerminal(this, respond, [[/later/, '\u0003']], { dir }).status, 130);
      assert.deepEqual(contents(dir), before);
    });

    it('an answer to a request that is not the one that was shown any more is refused (3)', async () => {
      const { asked } = (await request('c2'))!;
      assert.ok(asked > 1);
      const cluster = await opened(dir);
      const { respond: operation } = await import('../../src/index.js');
      await assert.rejects(
        cluster.change(operation, {
          volume: 'v1',
          client: 'c2',
          asked: asked - 1,
          grant: true,
          by: 'c1',
          readOnly: true,
        }),
        { code: 'REQUEST_NOT_FOUND' },
      );
    });
  });
});
