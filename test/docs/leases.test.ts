/** What docs/FORMAT.md says of leases and tickets, compared with what agents make and take. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { OwnLease } from '../../src/core/agent/own-lease.js';
import { clientHolder, leaseName, parseHolderLease, parseLeaseName } from '../../src/core/membership/leases.js';
import { parseTicketName, writeTicket } from '../../src/core/membership/tickets.js';
import { newCluster } from '../kit/store-kit.js';
import { FORMAT_DOCUMENT, tableOf } from './format-document.js';

const rows = tableOf('name of a lease or ticket').map((row) => ({
  pattern: new RegExp(row['name of a lease or ticket']!),
  kind: row.kind!,
  example: row.example!,
}));
const [lease, clientLease, ticket] = ['leases/n', 'leases/client~', 'joins/n'].map(
  (start) => rows.find(({ example }) => example.startsWith(start))!,
) as [(typeof rows)[0], (typeof rows)[0], (typeof rows)[0]];

/** Names below a directory as the document writes them, with their kinds. */
function names(dir: string): [name: string, kind: string][] {
  return fs
    .readdirSync(dir, { recursive: true, withFileTypes: true })
    .map((entry): [string, string] => [
      path.relative(dir, path.join(entry.parentPath, entry.name)),
      entry.isDirectory() ? 'd' : 'f',
    ])
    .filter(([name]) => /^(leases|joins)/.test(name));
}

describe('docs/FORMAT.md, leases and tickets', () => {
  it('match their own examples, which are those that the program reads', () => {
    for (const { pattern, example } of rows) assert.match(example, pattern);
    assert.deepEqual(parseLeaseName(path.basename(lease.example)), {
      node: 'nähe',
      seq: 812,
      released: 17,
      applied: 16,
      timeoutMs: 10_000,
    });
    assert.deepEqual(parseTicketName(path.basename(ticket.example)), { node: 'n1', seq: 3 });
    const clients = path.basename(clientLease.example);
    assert.equal(parseLeaseName(clients), null, 'a lease of a client is none of a node');
    assert.deepEqual(parseHolderLease(clients), {
      node: clientHolder('web1'),
      seq: 7,
      released: 2,
      applied: 2,
      timeoutMs: 10_000,
    });
  });

  it('are what an agent makes, whatever its node is called', () => {
    const { place } = newCluster();
    for (const node of ['n1', 'nähe (2)*', 'a.1.2.3']) {
      const own = new OwnLease(place, node, '0.1.0');
      own.prepare();
      for (const applied of [0, 5, null]) own.renew({ released: 5, applied }, 10_000, ['a problem']);
      writeTicket(place, node);
    }
    const client = new OwnLease(place, clientHolder('nähe (2)*'), '0.1.0');
    client.prepare();
    for (const applied of [0, 5, null]) client.renew({ released: 5, applied }, 10_000, []);
    const made = names(place.paths.root);
    assert.equal(made.length, 2 + 4 * 2 + 3, 'the directories, the two newest leases of each, a ticket of each node');
    const used = new Set<RegExp>();
    for (const [name, kind] of made) {
      const matching = rows.filter((row) => row.kind === kind && row.pattern.test(name));
      assert.equal(matching.length, 1, name);
      used.add(matching[0]!.pattern);
    }
    assert.equal(used.size, rows.length);
    const content = JSON.parse(fs.readFileSync(path.join(place.paths.leases, 'n1.3.5.left.10000'), 'utf8')) as object;
    const section = /^## Leases and tickets$[\s\S]*?^## /m.exec(FORMAT_DOCUMENT)![0];
    for (const member of Object.keys(content)) assert.ok(section.includes(`\`${member}\``), member);
  });

  it('are taken by the program exactly where the document says so', () => {
    const text = fc.stringMatching(/^[A-Za-z0-9%._~-]{1,6}(\.[0-9]{1,17}){1,3}(\.left)?(\.[0-9]{1,10})?$/);
    const whole = fc.nat();
    fc.assert(
      fc.property(text, fc.string({ unit: 'grapheme', minLength: 1 }), whole, whole, (name, node, seq, released) => {
        // The document's pattern says nothing of what is wrongly encoded.
        if (parseLeaseName(name) !== null) assert.match(`leases/${name}`, lease.pattern);
        const ofClient = `client~${name}`;
        if (parseHolderLease(ofClient) !== null) assert.match(`leases/${ofClient}`, clientLease.pattern);
        if (!clientLease.pattern.test(`leases/${ofClient}`)) assert.equal(parseHolderLease(ofClient), null);
        if (!lease.pattern.test(`leases/${name}`)) assert.equal(parseLeaseName(name), null);
        if (parseTicketName(name) !== null) assert.match(`joins/${name}`, ticket.pattern);
        assert.match(
          `leases/${leaseName({ node: node.toWellFormed(), seq, released, applied: null, timeoutMs: 10_000 })}`,
          lease.pattern,
        );
        assert.match(
          `leases/${leaseName({ node: clientHolder(node.toWellFormed()), seq, released, applied: 0, timeoutMs: 9 })}`,
          clientLease.pattern,
        );
      }),
    );
  });
});
