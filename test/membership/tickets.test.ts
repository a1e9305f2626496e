import assert from 'node:assert/strict';
import {
  listTickets,
  parseTicketName,
  removeTickets,
  type TicketPlace,
  writeTicket,
} from '../../src/core/membership/tickets.js';
import { isSystemCallError } from '../../src/core/platform/files.js';
import { PLAIN_MODES, pathsOf } from '../../src/core/store/layout.js';
import { FaultyFiles, Killed } from '../kit/faulty-files.js';
import { SimFiles } from '../kit/sim-files.js';
import { hastyPlatform } from '../kit/store-kit.js';

interface Kit {
  place: TicketPlace;
  files: FaultyFiles;
  names: () => string[];
}

function joins({ isMade = true } = {}): Kit {
  const sim = new SimFiles();
  sim.mkdir('test.mkdir', '/c', 0o755);
  if (isMade) sim.mkdir('test.mkdir', '/c/joins', 0o755);
  const files = new FaultyFiles(sim);
  const place = { platform: hastyPlatform({ files }), paths: pathsOf('/c'), modes: PLAIN_MODES };
  return { place, files, names: () => sim.list('test.list', '/c/joins').sort() };
}

describe('tickets', () => {
  it('are names with a rising number; the newest of each node counts', () => {
    const { place, names } = joins();
    assert.equal(writeTicket(place, 'n1'), 1);
    assert.equal(writeTicket(place, 'caf\u00e9 1'), 1);
    assert.equal(writeTicket(place, 'n1'), 2);
    assert.deepEqual(names(), ['caf%C3%A9%201.1', 'n1.2']);
    assert.deepEqual(
      listTickets(place.platform, place.paths.joins),
      new Map([
        ['caf\u00e9 1', 1],
        ['n1', 2],
      ]),
    );
  });

  it('are removed by their node alone', () => {
    const { place, names } = joins();
    writeTicket(place, 'n1');
    writeTicket(place, 'n1.1');
    writeTicket(place, 'n10');
    assert.equal(removeTickets(place, 'n1'), true);
    assert.deepEqual(names(), ['n1.1.1', 'n10.1']);
    assert.equal(removeTickets(place, 'n1'), true);
  });

  it('are none where the directory is not made yet', () => {
    const { place } = joins({ isMade: false });
    assert.deepEqual(listTickets(place.platform, place.paths.joins), new Map());
    assert.equal(removeTickets(place, 'n1'), true);
    assert.throws(() => writeTicket(place, 'n1'), { code: 'ENOENT' });
  });

  it('ignore names that are none', () => {
    for (const name of ['n1', 'n1.', 'n1.01', '.1', 'n1.x', 'n%1.1', 'n1.1.tmp', '%6e1.1']) {
      assert.equal(parseTicketName(name), null, name);
    }
    assert.deepEqual(parseTicketName('a.b.12'), { node: 'a.b', seq: 12 });
  });

  it('find a free number where the listing lags behind', () => {
    const { place, files, names } = joins();
    for (let i = 0; i < 3; i++) writeTicket(place, 'n1');
    files.play((call) => (call.label === 'ticket.list' ? { answer: [] } : undefined));
    place.platform.files.openNew('test.open', '/c/joins/n1.1', 0o640);
    assert.equal(writeTicket(place, 'n1'), 2);
    files.play(() => undefined);
    assert.deepEqual(names(), ['n1.1', 'n1.2', 'n1.3']);
  });

  it('are there or are not, whichever call fails or is the last', () => {
    const calls = (() => {
      const { place, files } = joins();
      writeTicket(place, 'n1');
      files.play(() => undefined);
      writeTicket(place, 'n1');
      return files.calls.map(({ label }) => label);
    })();
    assert.deepEqual(calls, ['ticket.list', 'ticket.create', 'ticket.close', 'ticket.list', 'ticket.unlink']);
    for (let at = 1; at <= calls.length; at++) {
      for (const fate of [{ fail: 'EIO' }, { failAfter: 'EIO' }, { kill: 'before' }, { kill: 'after' }] as const) {
        const { place, files } = joins();
        writeTicket(place, 'n1');
        files.play(({ number }) => (number === at ? fate : undefined));
        let given: number | null = null;
        try {
          given = writeTicket(place, 'n1');
        } catch (error) {
          assert.ok(isSystemCallError(error, 'EIO') || error instanceof Killed, String(error));
        }
        files.play(() => undefined);
        const newest = listTickets(place.platform, place.paths.joins).get('n1');
        const says = `${calls[at - 1]} ${JSON.stringify(fate)}`;
        // The former one is only gone when the new one is there; what is given is there.
        assert.ok(newest === 1 || newest === 2, says);
        if (given !== null) assert.equal(newest, given, says);
        // The next time everything is as it should be.
        const next = writeTicket(place, 'n1');
        assert.deepEqual([...listTickets(place.platform, place.paths.joins)], [['n1', next]], says);
      }
    }
  });

  it('say what stays when nothing can be removed', () => {
    const { place, files } = joins();
    writeTicket(place, 'n1');
    files.play(({ label }) => (label === 'ticket.unlink' ? { fail: 'EACCES' } : undefined));
    assert.equal(removeTickets(place, 'n1'), false);
    files.play(({ label }) => (label === 'ticket.list' ? { fail: 'ESTALE' } : undefined));
    assert.equal(removeTickets(place, 'n1'), false);
  });
});
