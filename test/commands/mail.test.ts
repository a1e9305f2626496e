/** cfs mail: messages as an administrator sends, lists and reads them. */
import assert from 'node:assert/strict';
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cfs, cfsJson, runCfs, startCfs, tempDir } from '../kit/cli.js';
import { changesNothing, errorOf, generationOf, inTurns, refuses, runBeside, smallCluster } from '../kit/commands.js';

interface Message {
  id: string;
  to: string;
  kind: string;
  body: unknown;
  problem: string | null;
}

const listed = (dir: string) => cfsJson(['mail', 'list'], { dir }).messages as Message[];

describe('cfs mail', function () {
  this.timeout(120_000);

  it('sends, lists and reads; what was read is gone, and no generation is made', () => {
    const dir = smallCluster();
    const said = cfs(['mail', 'send', 'n1', 'swap at noon', '--node', 'n2'], { dir });
    assert.match(said, /^Message [0-9a-f]{32} sent to n1\.\n$/);
    cfs(['mail', 'send', 'n3', '--kind', 'flush', '--body', '{"cache":"names"}', '--ttl', '30s'], { dir });
    assert.deepEqual(
      listed(dir).map(({ to, kind, body }) => [to, kind, body]),
      [
        ['n1', 'note', { text: 'swap at noon' }],
        ['n3', 'flush', { cache: 'names' }],
      ],
    );
    assert.match(changesNothing(dir, ['mail', 'list', 'n3']).stdout, / n3 .* flush .*\{"cache":"names"\}\n$/);
    assert.match(
      changesNothing(dir, ['mail', 'read', '--node', 'n1', '--peek']).stdout,
      / n2 note .*: swap at noon\n$/,
    );
    assert.match(cfs(['mail', 'read', '--node', 'n1'], { dir }), / n2 note [0-9a-f]{32}: swap at noon\n$/);
    assert.equal(runCfs(['mail', 'read', '--node', 'n1'], { dir }).stderr, 'No mail for n1.\n');
    const read = cfsJson(['mail', 'read', '--node', 'n3'], { dir });
    assert.deepEqual([read.schemaVersion, read.node, (read.messages as Message[]).length], [1, 'n3', 1]);
    assert.deepEqual(listed(dir), []);
    assert.equal(generationOf(dir), 2);
  });

  it('sends a message once, however often and from wherever it is sent under one id', async () => {
    const dir = smallCluster();
    const send = ['mail', 'send', 'n1', 'once', '--id', 'ab'.repeat(16), '--json'];
    const results = await inTurns(
      Array.from({ length: 6 }, () => () => runBeside(send, dir)),
      6,
    );
    const news = results.map(({ status, stdout, stderr }) => {
      assert.equal(status, 0, stderr);
      return (JSON.parse(stdout) as { isNew: boolean }).isNew;
    });
    assert.equal(news.filter((isNew) => isNew).length, 1);
    assert.deepEqual(readdirSync(join(dir, 'mail/n1')), ['ab'.repeat(16)]);
  });

  it('keeps mail from others, in directories and files with the modes of the cluster', () => {
    const dir = smallCluster();
    const { id } = cfsJson(['mail', 'send', 'n1', 'secret'], { dir });
    const mode = (path: string) => (statSync(join(dir, path)).mode & 0o7777).toString(8);
    assert.deepEqual([mode('mail'), mode('mail/n1'), mode(`mail/n1/${id}`)], ['750', '750', '640']);
  });

  it('lists damaged and foreign files with the reason, and leaves them when it reads', () => {
    const dir = smallCluster();
    cfs(['mail', 'send', 'n1', 'whole'], { dir });
    writeFileSync(join(dir, 'mail/n1', 'cd'.repeat(16)), '{');
    writeFileSync(join(dir, 'mail/n1/README'), 'hello');
    assert.deepEqual(
      listed(dir).map(({ problem }) => problem),
      [null, 'no message', 'damaged: it is cut short'],
    );
    assert.equal(cfs(['mail', 'read', '--node', 'n1'], { dir }).split('\n').length, 2);
    assert.equal(listed(dir).length, 2);
    cfs(['db', 'check'], { dir });
  });

  it('shows what a message holds without letting it act on the terminal', () => {
    const dir = smallCluster();
    cfs(['mail', 'send', 'n1', 'a\u001b[2Jb\nc'], { dir });
    for (const args of [
      ['mail', 'list'],
      ['mail', 'read', '--node', 'n1'],
    ]) {
      assert.match(cfs(args, { dir }), /a\\u001b\[2Jb\\u000ac\n$/, args.join(' '));
    }
  });

  it('refuses what cannot be sent, with the reason', () => {
    const dir = smallCluster();
    refuses(dir, ['mail', 'send', 'n7', 'x'], { status: 3, code: 'NODE_NOT_FOUND', says: /no node "n7"/ });
    refuses(dir, ['mail', 'read', '--node', 'n7'], { status: 3, code: 'NODE_NOT_FOUND', says: /no node "n7"/ });
    refuses(dir, ['mail', 'send', 'n1'], { status: 2, code: 'USAGE', says: /either a text or --body/ });
    refuses(dir, ['mail', 'send', 'n1', 'x', '--body', '1'], { status: 2, code: 'USAGE', says: /either a text or/ });
    refuses(dir, ['mail', 'send', 'n1', '--body', '{'], { status: 2, code: 'BAD_VALUE', says: /--body is not JSON/ });
    refuses(dir, ['mail', 'send', 'n1', 'x', '--kind', 'A B'], { status: 2, code: 'BAD_VALUE', says: /its kind/ });
    refuses(dir, ['mail', 'send', 'n1', 'x', '--ttl', '1y'], { status: 2, code: 'BAD_VALUE', says: /duration/ });
    refuses(dir, ['mail', 'send', 'n1', 'x', '--ttl', '8d'], { status: 2, code: 'BAD_VALUE', says: /from 1s to 7d/ });
    refuses(dir, ['mail', 'send', 'n1', 'x', '--id', 'X'], { status: 2, code: 'USAGE', says: /no identifier/ });
    refuses(dir, ['mail', 'list', '--at', '1'], { status: 2, code: 'USAGE', says: /no generations/ });
    const long = runCfs(['mail', 'send', 'n1', 'x'.repeat(70_000), '--json'], { dir });
    assert.deepEqual([long.status, errorOf(long).code], [2, 'BAD_VALUE']);
  });

  it('refuses more than a mailbox holds with exit code 6', () => {
    const dir = smallCluster();
    cfs(['mail', 'send', 'n1', 'first'], { dir });
    for (let i = 1; i < 1000; i++) writeFileSync(join(dir, 'mail/n1', i.toString(16).padStart(32, '0')), '');
    refuses(dir, ['mail', 'send', 'n1', 'x'], {
      status: 6,
      code: 'MAILBOX_FULL',
      says: /the mailbox of node "n1" is full: 1000 messages/i,
      hint: /cfs mail read/,
    });
  });

  it('is taken out by the agent of the node, which logs it, runs the hook mail and sees to the ballast', async () => {
    const dir = smallCluster();
    cfs(['cluster', 'set', 'lease.interval=200ms', 'lease.timeout=5s'], { dir });
    const own = tempDir('agent');
    const out = join(own, 'heard');
    mkdirSync(join(own, 'hooks.d/mail'), { recursive: true });
    const hook = join(own, 'hooks.d/mail/note');
    writeFileSync(
      hook,
      `#!/bin/sh\necho "$CFS_MAIL_KIND from $CFS_MAIL_FROM: $CFS_MAIL_TEXT" > ${out}.new && mv ${out}.new ${out}\n`,
    );
    chmodSync(hook, 0o755);
    const config = join(own, 'agent.json');
    writeFileSync(
      config,
      JSON.stringify({ node: 'n1', dir, stateDir: join(own, 'state'), hooksDir: join(own, 'hooks.d') }),
    );
    chmodSync(config, 0o600);
    cfs(['mail', 'send', 'n1', 'swap at noon', '--node', 'n2'], { dir });
    const agent = startCfs(['agentd', '--config', config], { dir });
    let log = '';
    agent.stderr!.setEncoding('utf8').on('data', (text: string) => {
      log += text;
    });
    try {
      const deadline = Date.now() + 30_000;
      const isDone = () =>
        existsSync(out) && existsSync(join(dir, 'ballast')) && readdirSync(join(dir, 'mail/n1')).length === 0;
      while (!isDone()) {
        assert.ok(Date.now() < deadline && agent.exitCode === null, log);
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
      assert.equal(readFileSync(out, 'utf8'), 'note from n2: swap at noon\n');
      assert.match(log, /note from n2: swap at noon/);
      assert.equal(statSync(join(dir, 'ballast')).size, 4 << 20);
    } finally {
      agent.kill('SIGTERM');
      await new Promise((resolve) => agent.on('close', resolve));
    }
  });
});
