/** cfs client add, set, remove, list, show, logon and logoff. */
import assert from 'node:assert/strict';
import { utimesSync } from 'node:fs';
import { join } from 'node:path';
import { cfs, cfsJson, needsProgram, runCfs } from '../kit/cli.js';
import { changesNothing, errorOf, generationOf, onTerminal, refuses, runBeside } from '../kit/commands.js';
import { clientLease, configOfClient, withClients, writerIn } from './clients-kit.js';
import { whileRenewing } from './sweep-kit.js';

type Item = Record<string, unknown>;
const clientsOf = (dir: string): Item[] => cfsJson(['client', 'list'], { dir }).clients as Item[];

describe('cfs client add, set and remove', function () {
  this.timeout(60_000);
  let dir: string;
  beforeEach(async () => {
    dir = await withClients();
  });

  it('add several with the same settings as one generation', () => {
    const before = generationOf(dir);
    const said = cfs(['client', 'add', 'c8', 'c9', '--auto-respond', '--locked-out'], { dir });
    assert.equal(said, `2 clients added.\nGeneration ${before + 1}.\n`);
    const added = clientsOf(dir).filter(({ name }) => name === 'c8' || name === 'c9');
    for (const { autoRespond, lockedOut, refreshNotify, loggedOn } of added) {
      assert.deepEqual([autoRespond, lockedOut, refreshNotify, loggedOn], [true, true, false, false]);
    }
    assert.equal(added.length, 2);
  });

  it('add all or none: one name that exists refuses all', () => {
    refuses(dir, ['client', 'add', 'c9', 'c1'], { status: 4, code: 'CLIENT_EXISTS', says: /already a client "c1"/ });
  });

  it('add refuses a name given twice (2), in two spellings as well', () => {
    const twice = { status: 2, code: 'BAD_VALUE' } as const;
    refuses(dir, ['client', 'add', 'c9', 'c9'], { ...twice, says: /The client "c9" is given twice/ });
    refuses(dir, ['client', 'add', 'caf\u00e9', 'cafe\u0301'], {
      ...twice,
      says: /The client "caf\u00e9" is given twice/,
    });
  });

  it('print the plan of a dry run and commit nothing', () => {
    const { stdout } = changesNothing(dir, ['client', 'add', 'c9', '--dry-run']);
    assert.equal(stdout, '+ client c9: refreshNotify false, autoRespond false, lockedOut false\n');
  });

  it('set what is given and leave the rest; the same again changes nothing', () => {
    cfs(['client', 'set', 'c1', 'c2', '--auto-respond', '--refresh-notify'], { dir });
    cfs(['client', 'set', 'c1', '--no-refresh-notify'], { dir });
    const [c1, c2] = clientsOf(dir);
    assert.deepEqual([c1!.autoRespond, c1!.refreshNotify], [true, false]);
    assert.deepEqual([c2!.autoRespond, c2!.refreshNotify], [true, true]);
    assert.match(cfs(['client', 'set', 'c1', '--no-refresh-notify'], { dir }), /^Nothing to change/);
    refuses(dir, ['client', 'set', 'c1'], { status: 2, code: 'USAGE', says: /needs something to change/ });
    refuses(dir, ['client', 'set', 'c7', '--auto-respond'], {
      status: 3,
      code: 'CLIENT_NOT_FOUND',
      says: /There is no client "c7"/,
    });
  });

  it('remove a client with its rights and requests, and nobody who is logged on', () => {
    const use = { status: 4, code: 'CLIENT_IN_USE', hint: /cfs client logoff c1/ } as const;
    refuses(dir, ['client', 'remove', 'c1', '--yes'], { ...use, says: /is the writer of "v1"/ });
    refuses(dir, ['client', 'remove', 'c3', '--yes'], { ...use, says: /is logged on/, hint: /cfs client logoff c3/ });
    refuses(dir, ['client', 'remove', 'c4'], { status: 2, code: 'CONFIRMATION_NEEDED', says: /Remove client c4/ });
    cfs(['client', 'logoff', 'c3'], { dir });
    cfs(['client', 'remove', 'c3', 'c4', '--yes'], { dir });
    assert.deepEqual(
      clientsOf(dir).map(({ name }) => name),
      ['c1', 'c2'],
    );
    const { access, waiting } = cfsJson(['volume', 'access'], { dir });
    assert.ok(!JSON.stringify([access, waiting]).includes('c3'));
  });
});

describe('cfs client list and show', function () {
  this.timeout(60_000);
  let dir: string;
  beforeEach(async () => {
    dir = await withClients();
  });

  it('count what is mounted, written and waited for', () => {
    const lines = cfs(['client', 'list'], { dir }).split('\n');
    assert.equal(lines[0], 'NAME  LOGGED ON  AGENT  AUTO RESPOND  MOUNTED  WRITES  WAITS  LAST SEEN');
    assert.match(lines[1]!, /^c1 +yes +none +no +2 +1 +0 {2}20\d\d-\d\d-\d\d \d\d:\d\d:\d\d$/);
    assert.match(lines[2]!, /^c2 +yes +none +no +2 +0 +1 /);
    assert.match(lines[4]!, /^c4 +no +none +no +0 +0 +0 {2}-$/);
  });

  it('name the volumes in JSON and find clients by them', () => {
    const [c1, c2] = clientsOf(dir);
    assert.deepEqual([c1!.mounted, c1!.writes, c1!.waits], [['v1', 'v2'], ['v1'], []]);
    assert.deepEqual([c2!.writes, c2!.waits], [[], ['v1']]);
    assert.equal(cfs(['client', 'list', '--filter', 'waits=v1', '-o', 'name'], { dir }), 'c2\nc3\n');
  });

  it('tell an agent that lives from one that is quiet or has left, with what it could not do', () => {
    clientLease(dir, 'c1', { seq: 41, applied: 3, released: 4 }, { host: 'alpha', problems: ['v2: no such device'] });
    clientLease(dir, 'c2', { seq: 7 });
    const hourAgo = Date.now() / 1000 - 3600;
    utimesSync(join(dir, 'leases', 'client~c2.7.1.1.10000'), hourAgo, hourAgo);
    clientLease(dir, 'c3', { applied: null });
    const items = clientsOf(dir);
    assert.deepEqual(
      items.map(({ agent }) => agent),
      ['alive', 'quiet', 'left', 'none'],
    );
    const [c1] = items;
    assert.deepEqual([c1!.seq, c1!.released, c1!.applied, c1!.host], [41, 4, 3, 'alpha']);
    assert.match(cfs(['client', 'list'], { dir }), /^c2 +yes +quiet ~60m /m);
    assert.match(cfs(['client', 'list', '-o', 'wide'], { dir }), / PROBLEMS\nc1 .* v2: no such device\n/);
    assert.match(cfs(['client', 'show', 'c1'], { dir }), /^Problem: +v2: no such device$/m);
    // A lease of now says nothing of an earlier generation.
    assert.equal((cfsJson(['client', 'list', '--at', '4'], { dir }).clients as Item[])[0]!.agent, 'none');
  });

  it('show the rights and mounts of one client by volume', () => {
    cfs(['volume', 'allow', 'v2', 'c2', '--auto-update', '--interval', '90s'], { dir });
    cfs(['volume', 'lockout', 'v2', 'c2'], { dir });
    const shown = changesNothing(dir, ['client', 'show', 'c2']).stdout;
    assert.match(shown, /^Waits for: +v1$/m);
    assert.match(shown, /^v1 +yes +ro +waits, place 1 +no +by hand +20/m);
    assert.match(shown, /^v2 +yes +ro +- +yes +every 1m30s +20/m);
    const { client } = cfsJson(['client', 'show', 'c2'], { dir }) as { client: Item & { volumes: Item[] } };
    assert.deepEqual(
      client.volumes.map(({ volume, place, lockout }) => [volume, place, lockout]),
      [
        ['v1', 1, false],
        ['v2', null, true],
      ],
    );
    refuses(dir, ['client', 'show', 'c11'], { status: 3, code: 'CLIENT_NOT_FOUND', says: /no client "c11"/ });
  });
});

describe('cfs client logon and logoff', function () {
  this.timeout(60_000);
  let dir: string;
  beforeEach(async () => {
    dir = await withClients();
  });

  it('mount what access allows, and unmount it; the right to write passes on in the same generation', async () => {
    cfs(['volume', 'allow', 'v3', 'c4'], { dir });
    assert.match(cfs(['client', 'logon', 'c4'], { dir }), /^c4 is logged on, with v3 mounted\.\n/);
    assert.match(cfs(['client', 'logon', 'c4'], { dir }), /^Nothing to change/);
    const before = generationOf(dir);
    const { writers, generation } = cfsJson(['client', 'logoff', 'c1', '--message', 'home'], { dir });
    assert.deepEqual([writers, generation], [[{ volume: 'v1', writer: 'c2' }], before + 1]);
    assert.equal(await writerIn(dir, 'v1'), 'c2');
    assert.match(cfs(['client', 'show', 'c1'], { dir }), /^Logged on: +no \(home\)$/m);
    refuses(dir, ['client', 'logon', 'nobody'], { status: 3, code: 'CLIENT_NOT_FOUND', says: /"nobody"/ });
  });

  it('leave what is mounted to the agent where there is one: the right stays until that gives it up', async () => {
    clientLease(dir, 'c1');
    const said = cfs(['client', 'logoff', 'c1'], { dir });
    assert.match(said, /^c1 is logged off\.\nThe agent of "c1" sees to the mount\.\n/);
    assert.equal(await writerIn(dir, 'v1'), 'c1');
    assert.match(cfs(['volume', 'access'], { dir }), /^v1: c1 gives its right to write up$/m);
  });

  it('--wait waits for the agent, and says with 6 what it still has to do', () => {
    clientLease(dir, 'c1');
    const result = runCfs(['client', 'logoff', 'c1', '--wait', '300ms', '--json'], { dir });
    assert.equal(result.status, 6);
    const error = JSON.parse(result.stderr).error as { code: string; message: string; details: Item };
    assert.equal(error.code, 'WAIT_TIMEOUT');
    assert.match(error.message, /^Generation \d+ is committed, but after 300ms .*: c1 \(still has to give v1 up\)$/);
    assert.deepEqual(error.details.clients, ['c1']);
    const { wait } = JSON.parse(result.stdout) as { wait: Item };
    assert.equal(wait.converged, false);
    // c3 has no agent: nobody is waited for.
    const { wait: none } = cfsJson(['client', 'logoff', 'c3', '--wait', '10s'], { dir });
    assert.deepEqual([(none as Item).converged, (none as Item).clients], [true, undefined]);
  });

  it('--wait ends as soon as the agent has applied it', () => {
    clientLease(dir, 'c3', { applied: 1000, released: 1000 });
    const { wait } = cfsJson(['client', 'logoff', 'c3', '--wait', '20s'], { dir });
    const { converged, clients } = wait as { converged: boolean; clients: Item[] };
    assert.ok(converged);
    assert.deepEqual(clients, [{ client: 'c3', released: 1000, applied: 1000, givesUp: [] }]);
  });

  it('--fenced: a person says that the client is off, and whoever waits gets what it wrote', async () => {
    cfs(['cluster', 'set', 'lease.interval=100ms'], { dir });
    clientLease(dir, 'c1', { seq: 9 });
    refuses(dir, ['client', 'logoff', 'c1', '--fenced'], {
      status: 2,
      code: 'CONFIRMATION_NEEDED',
      says: /Is client c1 off, or cut off from the storage, for certain/,
    });
    const said = cfs(['client', 'logoff', 'c1', '--fenced', '--yes', '--message', 'unplugged'], { dir });
    assert.match(said, /^c1 counts as fenced and is logged off\.\nv1: c2 may write now\.\n/);
    assert.equal(await writerIn(dir, 'v1'), 'c2');
    assert.match(
      cfs(['client', 'show', 'c1'], { dir }),
      /^Logged on: +no \(it was said to be off; confirmed by \S+@\S+: unplugged\)$/m,
    );
    assert.match(cfs(['client', 'logoff', 'c1', '--fenced', '--yes'], { dir }), /^Nothing to change/);
  });

  it('--fenced asks on a terminal; no changes nothing', function () {
    needsProgram(this, 'expect');
    const { output, status } = onTerminal(this, ['client', 'logoff', 'c1', '--fenced'], [[/for certain/, 'n\r']], {
      dir,
    });
    assert.equal(status, 9);
    assert.match(output, /Declined; nothing was changed/);
  });

  it('--fenced is refused while the lease of the client moves', async () => {
    const argv = ['client', 'logoff', 'c1', '--fenced', '--yes', '--json'];
    const result = await whileRenewing(dir, ['client~c1'], () => runBeside(argv, dir));
    assert.equal(result.status, 4, result.stdout);
    const { code, message } = errorOf(result);
    assert.equal(code, 'AGENT_RUNNING');
    assert.match(message, /^Client "c1" is not off: its agent has renewed its lease just now$/);
    assert.equal(await writerIn(dir, 'v1'), 'c1');
  });
});

describe('a client that is locked out of its own settings', function () {
  this.timeout(60_000);

  it('is denied changing them on its own host (5); an administrator may, on another', async () => {
    const dir = await withClients();
    cfs(['client', 'set', 'c1', '--locked-out'], { dir });
    const change = (host: string) => ['client', 'set', 'c1', 'c2', '--auto-respond', '--config', configOfClient(host)];
    refuses(dir, change('c1'), { status: 5, code: 'LOCKED_OUT', says: /"c1" may not change its own settings/ });
    cfs(change('c2'), { dir });
    assert.deepEqual(
      clientsOf(dir).map(({ autoRespond }) => autoRespond),
      [true, true, false, false],
    );
    const missing = ['client', 'set', 'c1', '--auto-respond', '--config', '/nowhere/agent.json'];
    refuses(dir, missing, { status: 5, code: 'PROGRAM_NOT_TRUSTED', says: /nowhere/ });
  });
});
