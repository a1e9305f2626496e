import assert from 'node:assert/strict';
import { HANDLED_KEPT, MailboxState } from '../../src/core/mail/mailbox-state.js';
import { Killed } from '../kit/faulty-files.js';
import { id, MailWorld } from './kit.js';

describe('a mailbox', () => {
  it('hands over each message once, and removes it', async () => {
    const world = new MailWorld();
    world.send({ id: id('a') });
    world.send({ id: id('b') });
    const mailbox = world.mailbox();
    assert.equal(await mailbox.poll(), 2);
    assert.deepEqual(world.handled.sort(), [id('a'), id('b')]);
    assert.deepEqual(world.box(), []);
    assert.equal(await mailbox.poll(), 0);
  });

  it('that is empty, or was never written to, costs one listing', async () => {
    const world = new MailWorld();
    const mailbox = world.mailbox();
    for (let i = 0; i < 2; i++) {
      world.files.play(() => undefined);
      assert.equal(await mailbox.poll(), 0);
      assert.deepEqual(
        world.files.calls.map(({ label }) => label),
        ['mail.list'],
      );
      world.send();
      await mailbox.poll();
      await mailbox.poll();
    }
  });

  it('handles at least once and at most twice, whichever call its process is killed at, and is empty in the end', async () => {
    const calls = await callsOfPoll();
    const repeats: string[] = [];
    for (let at = 1; at <= calls; at++) {
      for (const kill of ['before', 'after'] as const) {
        const world = new MailWorld();
        world.send({ id: id('a') });
        const mailbox = world.mailbox();
        let label = '';
        world.files.play((call) => {
          if (call.number !== at) return undefined;
          label = call.label;
          return { kill };
        });
        // A call that fails by itself is not followed by the kill.
        await mailbox.poll().catch((error) => assert.ok(error instanceof Killed, String(error)));
        world.files.play(() => undefined);
        await world.mailbox().poll();
        assert.ok([1, 2].includes(world.handled.length), `${label}: handled ${world.handled.length} times`);
        if (world.handled.length === 2) repeats.push(label);
        assert.deepEqual(world.box(), [], label);
      }
    }
    // Only between the handler and the noted id can a kill lead to a repeat.
    assert.deepEqual(
      repeats.filter((label) => !label.startsWith('mail-state.')),
      [],
    );
    assert.ok(repeats.length > 0);
  });

  it('handles everything in the end, whichever call fails once', async () => {
    const calls = await callsOfPoll();
    for (let at = 1; at <= calls; at++) {
      const world = new MailWorld();
      world.send({ id: id('a') });
      const mailbox = world.mailbox();
      let label = '';
      world.files.play((call) => {
        if (call.number !== at) return undefined;
        label = call.label;
        return { fail: 'EIO' };
      });
      for (let polls = 0; polls < 3; polls++)
        await mailbox.poll().catch((error) => assert.equal(error.code, 'IO_ERROR'));
      assert.deepEqual(world.handled, [id('a')], label);
      assert.deepEqual(world.box(), [], label);
    }
  });

  it('does not handle again what is sent again after it was handled, also in the next process', async () => {
    const world = new MailWorld();
    world.send({ id: id('a') });
    await world.mailbox().poll();
    assert.equal(world.send({ id: id('a') }).isNew, true);
    assert.equal(await world.mailbox().poll(), 0);
    assert.deepEqual([world.handled.length, world.box().length], [1, 0]);
  });

  it('tries a handler that fails again, later and later, and holds up nothing else', async () => {
    const world = new MailWorld();
    world.send({ id: id('a') });
    world.send({ id: id('b') });
    let tries = 0;
    world.onMessage = (message) => {
      if (message.id !== id('a')) return;
      tries++;
      throw new Error('not yet');
    };
    const mailbox = world.mailbox();
    assert.equal(await mailbox.poll(), 1);
    await mailbox.poll();
    assert.equal(tries, 1, 'not at once');
    const triedAt: number[] = [];
    for (let second = 0; second < 100; second++) {
      world.nowMs += 1000;
      const before = tries;
      await mailbox.poll();
      if (tries > before) triedAt.push(second + 1);
    }
    assert.deepEqual(triedAt, [1, 3, 7, 15, 31, 63]);
    world.onMessage = () => {};
    world.nowMs += 60_000;
    assert.equal(await mailbox.poll(), 1);
    assert.deepEqual(world.handled, [id('b'), id('a')]);
  });

  it('lets a message expire by its own clock from when it first saw it, whatever the date says, and over a restart', async () => {
    const world = new MailWorld();
    world.send({ id: id('a'), ttlMs: 10_000 });
    world.onMessage = () => {
      throw new Error('never');
    };
    // It lay there for an hour before anybody looked.
    world.nowMs += 3_600_000;
    await world.mailbox().poll();
    world.nowMs += 9_999;
    await world.mailbox().poll();
    assert.deepEqual(world.box(), [id('a')]);
    world.nowMs += 1;
    await world.mailbox().poll();
    assert.deepEqual(world.box(), []);
    assert.deepEqual(world.handled, []);
    assert.ok(world.said.some((line) => line === 'a note expired before it could be handled'));
  });

  for (const [bootId, nowMs, when] of [
    ['boot-2', 5, 'when the node is booted again'],
    ['boot-2', 9_000_000, 'when the node is booted again and has been up for longer than before'],
    ['boot-1', 5, 'when its clock went back (a virtual machine set back to an earlier state)'],
    ['', 9_000_000, 'where boots cannot be told apart'],
  ] as const) {
    it(`goes on with the age that a message had ${when}`, async () => {
      const world = new MailWorld();
      if (bootId === '') world.bootId = '';
      world.send({ id: id('a'), ttlMs: 10_000 });
      world.onMessage = () => {
        throw new Error('never');
      };
      await world.mailbox().poll();
      world.nowMs += 6_000;
      world.send({ id: id('b'), ttlMs: 10_000 });
      // Notes what it remembers, as each look does that finds something new.
      await world.mailbox().poll();
      Object.assign(world, { bootId, nowMs });
      const mailbox = world.mailbox();
      await mailbox.poll();
      world.nowMs += bootId === '' ? 9_999 : 3_999;
      await mailbox.poll();
      assert.deepEqual(world.box(), [id('a'), id('b')]);
      world.nowMs += 1;
      await mailbox.poll();
      assert.ok(!world.box().includes(id('a')));
    });
  }

  it('leaves damaged and foreign files alone, says so once, and handles the rest', async () => {
    const world = new MailWorld();
    world.send({ id: id('c') });
    const text = JSON.stringify({ ...world.send({ id: id('d') }).message, id: id('e') });
    world.put(`/c/mail/n1/${id('a')}`, '{"id":"');
    world.put(`/c/mail/n1/${id('b')}`, 'not JSON\n');
    world.put(`/c/mail/n1/${id('f')}`, `${text}\n`);
    world.put('/c/mail/n1/README', 'hello');
    world.sim.mkdir('test.mkdir', `/c/mail/n1/${id('0')}`, 0o750);
    const mailbox = world.mailbox();
    assert.equal(await mailbox.poll(), 2);
    assert.equal(await mailbox.poll(), 0);
    assert.deepEqual(world.box(), [id('0'), id('a'), id('b'), id('f'), 'README'].sort());
    const told = world.said.filter((line) => line.includes('is damaged')).sort();
    assert.deepEqual(told, [
      `in the mailbox: ${id('0')} is damaged: it is not a plain file; it is left alone`,
      `in the mailbox: ${id('a')} is damaged: it is cut short; it is left alone`,
      `in the mailbox: ${id('b')} is damaged: it is not JSON; it is left alone`,
      `in the mailbox: ${id('f')} is damaged: it is the message of another name; it is left alone`,
    ]);
    assert.equal(world.said.filter((line) => line.includes('README is no message; it is left alone')).length, 1);
  });

  it('polled twice at once looks once', async () => {
    const world = new MailWorld();
    world.send();
    const mailbox = world.mailbox();
    assert.deepEqual(await Promise.all([mailbox.poll(), mailbox.poll()]), [1, 1]);
    assert.equal(world.handled.length, 1);
  });

  it('remembers a bounded number of ids, and those whose files are still there without bound', () => {
    const world = new MailWorld();
    const state = new MailboxState(world.platform, '/state');
    const name = (i: number) => i.toString(16).padStart(32, '0');
    for (let i = 0; i < HANDLED_KEPT + 10; i++) state.handle(name(i), (other) => other === name(3));
    state.save();
    const read = new MailboxState(world.platform, '/state');
    assert.equal(read.handled.size, HANDLED_KEPT);
    assert.deepEqual(
      [read.handled.has(name(2)), read.handled.has(name(3)), read.handled.has(name(11))],
      [false, true, true],
    );
  });

  it('begins anew where its state is damaged', async () => {
    const world = new MailWorld();
    for (const text of ['', '{', '[]', '{"bootId":1}', '{"bootId":"b","savedMs":1,"firstSeen":{"x":1},"handled":[]}']) {
      world.put('/state/mail.json', text);
      assert.equal(new MailboxState(world.platform, '/state').handled.size, 0);
      world.sim.unlink('test.unlink', '/state/mail.json');
    }
    world.put('/state/mail.json', 'rubbish');
    world.send();
    assert.equal(await world.mailbox().poll(), 1);
  });
});

/** How many calls one look at one message makes. */
async function callsOfPoll(): Promise<number> {
  const world = new MailWorld();
  world.send({ id: id('a') });
  const mailbox = world.mailbox();
  world.files.play(() => undefined);
  await mailbox.poll();
  return world.files.calls.length;
}
