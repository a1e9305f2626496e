/** What docs/FORMAT.md says of mail and of the ballast, compared with what is there at any system call. */
import assert from 'node:assert/strict';
import { makeBallast } from '../../src/core/ballast/keeper.js';
import { encodeMessage } from '../../src/core/mail/message.js';
import { FORMAT_DOCUMENT, tableOf } from '../docs/format-document.js';
import { id, MailWorld } from './kit.js';

const rows = tableOf('path').map(({ path, kind, example }) => ({
  pattern: new RegExp(path!),
  kind,
  example: example!,
}));

describe('docs/FORMAT.md, mail and ballast', () => {
  it('names everything that is in the directory at any system call, and nothing else', async () => {
    const world = new MailWorld();
    const seen = new Map<string, string>();
    const walk = (dir: string): void => {
      for (const name of world.sim.list('test.list', dir)) {
        const path = `${dir}/${name}`;
        const { kind } = world.sim.stat('test.stat', path);
        seen.set(path.slice('/c/'.length), kind === 'directory' ? 'd' : 'f');
        if (kind === 'directory') walk(path);
      }
    };
    world.files.play(() => {
      walk('/c');
      return undefined;
    });
    world.send({ id: id('a') });
    world.send({ to: 'nähe (2)*' });
    makeBallast(world.place);
    await world.mailbox().poll();
    const used = new Set<RegExp>();
    for (const [name, kind] of seen) {
      const matches = rows.filter((row) => row.kind === kind && row.pattern.test(name));
      assert.equal(matches.length, 1, `${name} is documented once`);
      used.add(matches[0]!.pattern);
    }
    for (const { pattern, example } of rows) {
      assert.ok(used.has(pattern), `nothing is called ${pattern}`);
      assert.match(example, pattern);
    }
  });

  it('names every member of a message', () => {
    const { message } = new MailWorld().send();
    const section = /^A message is one line of JSON[\s\S]*?\n\n/m.exec(FORMAT_DOCUMENT)![0];
    for (const member of Object.keys(JSON.parse(encodeMessage(message).toString()) as object)) {
      assert.ok(section.includes(`\`${member}\``), member);
    }
  });
});
