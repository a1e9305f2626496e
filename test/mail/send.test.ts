import assert from 'node:assert/strict';
import { CfsError } from '../../src/core/errors.js';
import { MAX_MESSAGE_BYTES, type MailMessage } from '../../src/core/mail/message.js';
import { MAX_MESSAGES, readMessage } from '../../src/core/mail/place.js';
import { Killed } from '../kit/faulty-files.js';
import { refusal } from '../kit/memory.js';
import { id, MailWorld } from './kit.js';

/** How many calls one send makes. */
function callsOfSend(): number {
  const world = new MailWorld();
  world.send({ id: id('a') });
  return world.files.calls.length;
}

describe('sending a message', () => {
  it('puts one whole file with its id into the mailbox of the node', () => {
    const world = new MailWorld();
    const { message, isNew } = world.send({ kind: 'write-request', body: { volume: 'v1' }, ttlMs: 30_000 });
    assert.equal(isNew, true);
    assert.deepEqual(world.box(), [message.id]);
    assert.deepEqual(readMessage(world.place, 'n1', message.id), message);
    assert.deepEqual([message.to, message.from, message.ttlMs], ['n1', 'n2', 30_000]);
  });

  it('is durable when it returns: no power cut loses the message or leaves half of it', () => {
    const world = new MailWorld();
    const { message } = world.send();
    let cuts = 0;
    for (const { files, lost } of world.sim.afterPowerCut()) {
      const after = new MailWorld(files);
      assert.deepEqual(readMessage(after.place, 'n1', message.id), message, lost);
      cuts++;
    }
    assert.ok(cuts > 0);
  });

  it('of a message that lies there already is durable too, whoever had begun it', () => {
    const world = new MailWorld();
    world.files.play((call) => (call.label === 'mailbox.fsync' ? { kill: 'before' } : undefined));
    assert.throws(() => world.send({ id: id('a') }), Killed);
    world.files.play(() => undefined);
    assert.equal(world.send({ id: id('a') }).isNew, false);
    for (const { files, lost } of world.sim.afterPowerCut()) {
      const message = readMessage(new MailWorld(files).place, 'n1', id('a')) as MailMessage;
      assert.equal(message.id, id('a'), lost);
    }
  });

  it('again under its id delivers nothing twice', () => {
    const world = new MailWorld();
    assert.equal(world.send({ id: id('a'), body: 1 }).isNew, true);
    assert.equal(world.send({ id: id('a'), body: 2 }).isNew, false);
    assert.deepEqual(world.box(), [id('a')]);
    assert.equal((readMessage(world.place, 'n1', id('a')) as MailMessage).body, 1, 'the first one stays');
  });

  it('by two at once under one id leaves one message, whichever call the other comes before', () => {
    for (let at = 1; at <= callsOfSend(); at++) {
      const world = new MailWorld();
      let other: boolean | null = null;
      world.files.play((call) => {
        if (call.number === at && other === null) {
          const second = new MailWorld(world.sim);
          other = second.send({ id: id('a') }).isNew;
        }
        return undefined;
      });
      const { isNew } = world.send({ id: id('a') });
      assert.deepEqual([isNew, other].sort(), [false, true], `at call ${at}`);
      assert.deepEqual(world.box(), [id('a')]);
    }
  });

  it('that fails at any call says so, is not delivered half, and succeeds when it is repeated', () => {
    for (let at = 1; at <= callsOfSend(); at++) {
      for (const fate of [{ fail: 'ENOSPC' }, { fail: 'EIO' }, { failAfter: 'EIO' }] as const) {
        const world = new MailWorld();
        let label = '';
        world.files.play((call) => {
          if (call.number !== at) return undefined;
          label = call.label;
          return fate;
        });
        let error: unknown = null;
        try {
          world.send({ id: id('a') });
        } catch (e) {
          error = e;
        }
        world.files.play(() => undefined);
        const about = `${label} ${JSON.stringify(fate)}: ${String(error)}`;
        const isDelivered = world.box().includes(id('a'));
        // A link whose reply was lost is looked at again; a temporary name left behind hurts nobody.
        const isHarmless = label === 'mail.unlink-temporary' || (label === 'mail.link' && 'failAfter' in fate);
        if (isHarmless) assert.equal(error, null, about);
        else assert.ok(error instanceof CfsError, about);
        if (error instanceof CfsError && error.code !== 'COMMIT_UNSURE') assert.equal(isDelivered, false, about);
        if (error === null) assert.equal(isDelivered, true, about);
        world.send({ id: id('a') });
        assert.ok(readMessage(world.place, 'n1', id('a')) !== 'gone', about);
      }
    }
  });

  it('that is killed at any call leaves the whole message or none, and can be repeated', () => {
    for (let at = 1; at <= callsOfSend(); at++) {
      for (const kill of ['before', 'after'] as const) {
        const world = new MailWorld();
        world.files.play((call) => (call.number === at ? { kill } : undefined));
        assert.throws(() => world.send({ id: id('a') }), Killed);
        world.files.play(() => undefined);
        for (const file of world.box().filter((name) => !name.startsWith('.'))) {
          assert.ok('kind' in (readMessage(world.place, 'n1', file) as MailMessage));
        }
        world.send({ id: id('a') });
        assert.ok(world.box().includes(id('a')));
      }
    }
  });

  it('that is refused says why: too long, no kind, no time to live, a full mailbox', () => {
    const world = new MailWorld();
    refusal(() => world.send({ body: 'x'.repeat(MAX_MESSAGE_BYTES) }), 'BAD_VALUE', /more than 65536/);
    refusal(() => world.send({ kind: 'Write Request' }), 'BAD_VALUE', /its kind is not a word/);
    refusal(() => world.send({ ttlMs: 1 }), 'BAD_VALUE', /time to live is not from 1s to 7d/);
    refusal(() => world.send({ body: undefined }), 'BAD_VALUE', /it has no body/);
    refusal(() => world.send({ to: '../n1' }), 'BAD_VALUE', /to which node/);
    assert.deepEqual(world.box(), []);
    for (let i = 0; i < MAX_MESSAGES; i++) world.send();
    const kept = world.send({ id: world.box()[0]! });
    assert.equal(kept.isNew, false, 'a message that lies there already needs no room');
    refusal(() => world.send(), 'MAILBOX_FULL', /the mailbox of node "n1" is full: 1000 messages/);
    assert.equal(world.send({ to: 'n3' }).isNew, true, 'other mailboxes are other mailboxes');
  });

  it('goes to the mailbox of any name, percent-encoded', () => {
    const world = new MailWorld();
    for (const to of ['näher dran', "it's (here)*", '100%', 'a.b', 'Ω']) {
      const { message } = world.send({ to });
      const [box] = world.sim.list('test.list', '/c/mail').filter((name) => decodeURIComponent(name) === to);
      assert.match(box!, /^[A-Za-z0-9._%-]+$/);
      assert.deepEqual(world.sim.list('test.list', `/c/mail/${box}`), [message.id]);
      assert.deepEqual(readMessage(world.place, to, message.id), message);
    }
  });
});
