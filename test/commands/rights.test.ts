/** cfs volume allow, deny, lockout, unlock, enable, disable and control. */
import assert from 'node:assert/strict';
import { cfs, cfsJson } from '../kit/cli.js';
import { changesNothing, generationOf, refuses } from '../kit/commands.js';
import { clientLease, configOfClient, withClients, writerIn } from './clients-kit.js';

type Item = Record<string, unknown>;

function pair(dir: string, volume: string, client: string): Item | undefined {
  const { access } = cfsJson(['volume', 'access', volume, '--client', client], { dir }) as { access: Item[] };
  return access[0];
}

describe('rights of clients', function () {
  this.timeout(60_000);
  let dir: string;
  beforeEach(async () => {
    dir = await withClients();
  });

  it('are given to several clients for several volumes as one generation', () => {
    const before = generationOf(dir);
    const said = cfs(['volume', 'allow', 'v2,v3', 'c3,c4', '--auto-update', '--interval', '1m'], { dir });
    assert.equal(said, `c3, c4 may mount v2, v3.\nGeneration ${before + 1}.\n`);
    for (const volume of ['v2', 'v3']) {
      const { mount, mounted, autoUpdate, autoUpdateIntervalMs } = pair(dir, volume, 'c4')!;
      assert.deepEqual([mount, mounted, autoUpdate, autoUpdateIntervalMs], [true, false, true, 60_000]);
    }
    cfs(['volume', 'allow', 'v2', 'c4', '--no-auto-update'], { dir });
    assert.equal(pair(dir, 'v2', 'c4')!.autoUpdate, false);
    assert.match(cfs(['volume', 'allow', 'v2', 'c4'], { dir }), /^Nothing to change/);
  });

  it('are refused for clients and volumes that are not there, and nothing is changed', () => {
    refuses(dir, ['volume', 'allow', 'v1', 'c1,c9'], { status: 3, code: 'CLIENT_NOT_FOUND', says: /"c9"/ });
    refuses(dir, ['volume', 'allow', 'v9,v1', 'c1'], { status: 3, code: 'VOLUME_NOT_FOUND', says: /"v9"/ });
    refuses(dir, ['volume', 'allow', 'v1', 'c1', '--interval', 'soon'], { status: 2, code: 'BAD_VALUE', says: /soon/ });
    const both = ['volume', 'allow', 'v1', 'c1', '--interval', '1m', '--no-auto-update'];
    refuses(dir, both, { status: 2, code: 'USAGE', says: /--interval says nothing/ });
    refuses(dir, ['volume', 'deny', 'v1', 'c9'], { status: 3, code: 'CLIENT_NOT_FOUND', says: /"c9"/ });
    refuses(dir, ['volume', 'lockout', 'v9', 'c1'], { status: 3, code: 'VOLUME_NOT_FOUND', says: /"v9"/ });
  });

  it('are taken with mounts and requests; who asks then is denied (5)', () => {
    const { stdout } = changesNothing(dir, ['volume', 'deny', 'v1', 'c2', '--dry-run']);
    assert.match(stdout, /^~ access v1\/c2: mount true -> false$/m);
    assert.equal(cfsJson(['volume', 'deny', 'v1', 'c2'], { dir }).committed, true);
    assert.deepEqual([pair(dir, 'v1', 'c2')!.state, pair(dir, 'v1', 'c3')!.place], ['none', 1]);
    const ask = ['volume', 'request-write', 'v1', '--client', 'c2'];
    refuses(dir, ask, { status: 5, code: 'MOUNT_DENIED', says: /may not mount/, hint: /cfs volume allow v1 c2/ });
  });

  it('to ask are taken and given back; a request that waits is denied', () => {
    cfs(['volume', 'lockout', 'v1', 'c2'], { dir });
    const { place, lockout, mounted } = pair(dir, 'v1', 'c2')!;
    assert.deepEqual([place, lockout, mounted], [null, true, true]);
    const ask = ['volume', 'request-write', 'v1', '--client', 'c2'];
    refuses(dir, ask, { status: 5, code: 'LOCKED_OUT', says: /locked out/, hint: /cfs volume unlock v1 c2/ });
    cfs(['volume', 'unlock', 'v1', 'c2'], { dir });
    cfs(ask, { dir });
    assert.equal(pair(dir, 'v1', 'c2')!.place, 2);
  });
});

describe('the right of a writer that is denied, or whose volume is disabled', function () {
  this.timeout(60_000);
  let dir: string;
  beforeEach(async () => {
    dir = await withClients();
  });

  it('passes on in the same generation on its own host, where nothing is mounted for writing any more', async () => {
    const config = configOfClient('c1');
    const before = generationOf(dir);
    const said = cfs(['volume', 'deny', 'v1', 'c1', '--config', config], { dir });
    assert.equal(
      said,
      `c1 may not mount v1.\nc1 gave the right to write v1 up: c2 may write now.\nGeneration ${before + 1}.\n`,
    );
    assert.equal(await writerIn(dir, 'v1'), 'c2');
  });

  it('stays until its agent has given it up', async () => {
    clientLease(dir, 'c1');
    const { writers } = cfsJson(['volume', 'deny', 'v1', 'c1'], { dir });
    assert.deepEqual(writers, [{ volume: 'v1', from: 'c1', to: null }]);
    assert.equal(await writerIn(dir, 'v1'), 'c1');
    assert.equal(pair(dir, 'v1', 'c1')!.state, 'gives-up');
  });

  it('passes on at once where nothing is mounted by cfs (driver record); test/commands/other-host.test.ts has the other case', async () => {
    assert.match(cfs(['volume', 'disable', 'v1'], { dir }), /^Disabled v1\.\nc1 gave the right to write v1 up/);
    assert.equal(await writerIn(dir, 'v1'), null);
  });

  it('is taken by force where that is asked for: the agent sees it in the tables', () => {
    clientLease(dir, 'c1');
    const { stdout } = changesNothing(dir, ['volume', 'disable', 'v1', '--force', '--dry-run']);
    assert.match(stdout, /yields - -> to -, force true/);
  });
});

describe('cfs volume enable, disable and control', function () {
  this.timeout(60_000);
  let dir: string;
  beforeEach(async () => {
    dir = await withClients();
  });

  it('deny all requests that wait for a volume that is disabled, and new ones (4), until it is enabled', async () => {
    cfs(['volume', 'disable', 'v1', 'v2', '--config', configOfClient('c1')], { dir });
    assert.equal(await writerIn(dir, 'v1'), null);
    assert.deepEqual(cfsJson(['volume', 'access'], { dir }).waiting, []);
    const ask = ['volume', 'request-write', 'v2', '--client', 'c1'];
    refuses(dir, ask, { status: 4, code: 'VOLUME_DISABLED', says: /disabled/, hint: /cfs volume enable v2/ });
    assert.match(cfs(['volume', 'enable', 'v1', 'v2'], { dir }), /^Enabled v1, v2\.\n/);
    cfs(ask, { dir });
    assert.equal(await writerIn(dir, 'v2'), 'c1');
    refuses(dir, ['volume', 'disable', 'v9'], { status: 3, code: 'VOLUME_NOT_FOUND', says: /"v9"/ });
  });

  it('make a volume read-only media where nobody writes it (else 4), which then has no writer (4)', () => {
    refuses(dir, ['volume', 'control', 'v1', '--read-only-media'], {
      status: 4,
      code: 'VOLUME_HAS_WRITER',
      says: /has the writer "c1"/,
      hint: /cfs volume disable v1/,
    });
    cfs(['volume', 'control', 'v2', '--read-only-media', '--software-lock'], { dir });
    const ask = ['volume', 'request-write', 'v2', '--client', 'c1'];
    refuses(dir, ask, { status: 4, code: 'READ_ONLY_MEDIA', says: /read-only media/ });
    const [v2] = (cfsJson(['volume', 'access', 'v2'], { dir }) as { volumes: Item[] }).volumes;
    assert.deepEqual([v2!.readOnlyMedia, v2!.softwareLock, v2!.enabled], [true, true, true]);
    cfs(['volume', 'control', 'v2', '--no-read-only-media'], { dir });
    cfs(ask, { dir });
    refuses(dir, ['volume', 'control', 'v2'], { status: 2, code: 'USAGE', says: /needs something to change/ });
  });
});

describe('what happened to clients and rights', function () {
  this.timeout(60_000);
  let dir: string;
  before(async () => {
    dir = await withClients();
    cfs(['volume', 'deny', 'v1', 'c1', '--config', configOfClient('c1')], { dir });
    cfs(['node', 'set', 'n1', '--weight', '2'], { dir });
    cfs(['client', 'logoff', 'c3', '--message', 'home'], { dir });
  });

  it('is told by cfs watch --text, and alone with --access', () => {
    const lines = cfs(['watch', '--text', '--access', '--from', '1', '--for', '300ms'], { dir }).trimEnd().split('\n');
    const told = lines.map((line) => line.replace(/^(\d+) \S+ \S+ /, '$1 '));
    assert.deepEqual(told, [
      '2 client.add: c1, c2, c3, c4 added',
      '3 volume.allow: c1, c2, c3 may mount v1, v2',
      '4 client.logon: c1 logged on',
      '5 client.logon: c2 logged on',
      '6 client.logon: c3 logged on',
      '7 volume.request-write: v1 written by c1 now',
      '8 volume.request-write: v1 asked for by c2 of c1 ("new titles")',
      '9 volume.request-write: v1 asked for by c3 of c1',
      '10 volume.deny: c1 may no longer mount v1; v1 unmounted on c1; v1 written by c2 now, no longer by c1; v1 granted to c2',
      '12 client.logoff: c3 logged off (home); v1 no longer asked for by c3 ("it logged off") (home)',
    ]);
    assert.match(cfs(['watch', '--from', '11', '--text', '--count', '1'], { dir }), /node\.set: 1 node$/m);
  });

  it('stands in history, and alone with --access', () => {
    const rows = cfsJson(['history'], { dir }).history as { generation: number; access: string[] }[];
    assert.deepEqual(rows.find(({ generation }) => generation === 4)!.access, ['c1 logged on']);
    assert.deepEqual(rows.find(({ generation }) => generation === 11)!.access, []);
    const [head, first, second] = cfs(['history', '--access', '-n', '2'], { dir }).split('\n');
    assert.match(head!, /^GEN +TIME +ACCESS +WHO/);
    assert.match(first!, /^ 12 .* c3 logged off \(home\); v1 no longer asked for by c3/);
    assert.match(second!, /^ 10 /);
    assert.match(cfs(['history', '-n', '1'], { dir }), / MEMBERSHIP +ACCESS\n/);
    assert.doesNotMatch(cfs(['history', '--at', '1'], { dir }), /ACCESS/);
  });
});
