import assert from 'node:assert/strict';
import { MailSweeper } from '../../src/core/mail/sweeper.js';
import { mailToHooks, mailVariables } from '../../src/core/mail/to-hooks.js';
import { Killed } from '../kit/faulty-files.js';
import { id, MailWorld } from './kit.js';

describe('the sweeper of mailboxes', () => {
  it('removes what it has itself watched for its time to live, and nothing else', () => {
    const world = new MailWorld();
    const sweeper = new MailSweeper(world.place, world.log, 120_000);
    world.send({ id: id('a'), ttlMs: 60_000 });
    world.send({ id: id('b'), ttlMs: 120_000, to: 'ü n' });
    world.put(`/c/mail/n1/${id('c')}`, 'damaged');
    world.put('/c/mail/n1/README', 'foreign');
    world.put('/c/mail/not%zz', 'no mailbox');
    assert.equal(sweeper.sweep(), 0, 'nothing before it has watched');
    world.nowMs += 59_999;
    assert.equal(sweeper.sweep(), 0);
    world.nowMs += 1;
    assert.equal(sweeper.sweep(), 1);
    assert.deepEqual(world.box(), [id('c'), 'README'].sort());
    world.nowMs += 60_000;
    assert.equal(sweeper.sweep(), 1);
    assert.deepEqual(world.sim.list('test.list', '/c/mail/%C3%BC%20n'), []);
  });

  it('does not count time in which it did not look', () => {
    const world = new MailWorld();
    const sweeper = new MailSweeper(world.place, world.log, 20_000);
    world.send({ ttlMs: 60_000 });
    sweeper.sweep();
    world.nowMs += 3_600_000;
    assert.equal(sweeper.sweep(), 0);
    world.nowMs += 20_000;
    assert.equal(sweeper.sweep(), 0);
    world.nowMs += 20_000;
    assert.equal(sweeper.sweep(), 1);
  });

  it('removes what a killed sender left half-written, after an hour', () => {
    const world = new MailWorld();
    world.files.play((call) => (call.label === 'mail.link' ? { kill: 'before' } : undefined));
    assert.throws(() => world.send(), Killed);
    world.files.play(() => undefined);
    assert.equal(world.box().length, 1);
    const sweeper = new MailSweeper(world.place, world.log, 3_600_000);
    sweeper.sweep();
    world.nowMs += 3_599_999;
    assert.equal(sweeper.sweep(), 0);
    world.nowMs += 1;
    assert.equal(sweeper.sweep(), 1);
    assert.deepEqual(world.box(), []);
  });

  it('reads each message once, and then lists only', () => {
    const world = new MailWorld();
    for (let i = 0; i < 5; i++) world.send();
    const sweeper = new MailSweeper(world.place, world.log, 60_000);
    sweeper.sweep();
    world.files.play(() => undefined);
    sweeper.sweep();
    assert.deepEqual(
      world.files.calls.map(({ label }) => label),
      ['mail.list', 'mail.list'],
    );
  });
});

describe('a message that no part of cfs handles itself', () => {
  it('is logged and runs the hook mail, with its parts as variables', async () => {
    const world = new MailWorld();
    const { message } = world.send({ id: id('a'), body: { text: 'disk swap\0 at noon' } });
    const runs: [string, Record<string, string>][] = [];
    await mailToHooks(world.log, {
      run: async (event, variables) => {
        runs.push([event, variables]);
      },
    })(message);
    assert.deepEqual(runs, [['mail', mailVariables(message)]]);
    assert.equal(runs[0]![1].CFS_MAIL_TEXT, 'disk swap at noon');
    assert.equal(runs[0]![1].CFS_MAIL_ID, id('a'));
    assert.deepEqual(world.said, ['note from n2: disk swap at noon']);
    assert.equal(mailVariables({ ...message, body: [1] }).CFS_MAIL_BODY, '[1]');
  });
});
