/** cfs volume access. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { clientAdd } from '../../src/core/access/clients.js';
import { clientLogon } from '../../src/core/access/logon.js';
import { requestWrite } from '../../src/core/access/requests.js';
import { volumeAllow, volumeControl, volumeLockout } from '../../src/core/access/rights.js';
import { volumeCreate } from '../../src/core/config/volumes.js';
import { openCluster } from '../../src/open.js';
import { cfs, cfsJson, runCfs, sampleCluster, tempDir } from '../kit/cli.js';
import { changesNothing, onTerminal, refuses } from '../kit/commands.js';
import { agree, clientLease, withClients } from './clients-kit.js';

type Item = Record<string, unknown>;

const SUITES = Array.from({ length: 12 }, (_, i) => `${['edit', 'grade', 'render'][i % 3]}-suite-${i + 1}`);
const VOLUMES = Array.from({ length: 40 }, (_, i) => `footage-${String(i + 1).padStart(2, '0')}`);

/** 12 clients, 40 volumes: each client reads all, the first writes every fourth, and the second waits for those. */
async function studio(): Promise<string> {
  const dir = sampleCluster();
  const cluster = await openCluster({ dir });
  await cluster.change(volumeCreate, { volumes: VOLUMES.map((name) => ({ name, domains: ['east'] })) });
  await cluster.change(clientAdd, { clients: SUITES.map((name) => ({ name })) });
  await cluster.change(volumeAllow, { volume: VOLUMES, client: SUITES });
  for (const client of SUITES.slice(0, 11)) await cluster.change(clientLogon, { client });
  for (const volume of VOLUMES.filter((_, i) => i % 4 === 0)) {
    for (const client of SUITES.slice(0, 2)) await cluster.change(requestWrite, { volume, client });
  }
  await cluster.change(volumeControl, { volume: VOLUMES[1]!, enabled: false, readOnly: [] });
  await cluster.change(volumeControl, { volume: VOLUMES[2]!, readOnlyMedia: true, readOnly: [] });
  return dir;
}

const lines = (text: string): string[] => text.replaceAll('\r\n', '\n').trimEnd().split('\n');
const plain = (text: string): string => text.replace(/\u001b\[[0-9;?]*[a-zA-Z=>]?/g, '');

describe('cfs volume access', function () {
  this.timeout(120_000);
  let small: string;
  let large: string;
  before(async () => {
    small = await withClients();
    large = await studio();
  });

  it('tells in letters who writes, reads, waits and may mount, and below what waits', () => {
    const { stdout } = changesNothing(small, ['volume', 'access']);
    const shown = lines(stdout);
    assert.deepEqual(shown.slice(0, 6), [
      'VOLUME  c1   c2   c3',
      'v1      rw   1st  2nd',
      'v2      ro   ro   ro',
      '',
      'rw writes   ro reads   1st waits to write (its place)',
      'Without any right: 1 volume and 1 client; --all shows them.',
    ]);
    assert.match(shown[6]!, /^v1: c2 waits for c1, 1st, since 20\d\d-\d\d-\d\d \d\d:\d\d:\d\d: "new titles"$/);
    assert.match(shown[7]!, /^v1: c3 waits for c1, 2nd, since [-0-9: ]+$/);
    const all = lines(cfs(['volume', 'access', '--all'], { dir: small }));
    assert.deepEqual(all.slice(0, 5), [
      'VOLUME  c1   c2   c3   c4',
      '                       out',
      'v1      rw   1st  2nd  ·',
      'v2      ro   ro   ro   ·',
      'v3      ·    ·    ·    ·',
    ]);
  });

  it('tells who gives its right up, who is locked out, and what agents could not do', async () => {
    const dir = await withClients();
    await agree(dir, 'v1');
    const cluster = await openCluster({ dir });
    await cluster.change(volumeLockout, { volume: ['v2', 'v3'], client: 'c2', lockout: true });
    clientLease(dir, 'c3', { applied: null });
    clientLease(dir, 'c1', {}, { problems: ['volume v1: /srv/v1 is busy: 4711 (vim)'] });
    const shown = lines(cfs(['volume', 'access'], { dir }));
    assert.deepEqual(shown.slice(0, 4), [
      'VOLUME  c1   c2   c3',
      'v1      rw>  1st  2nd',
      'v2      ro   ro!  ro',
      'v3      ·    x    ·',
    ]);
    assert.ok(shown.includes('v1: c1 gives its right to write up, to c2'));
    assert.deepEqual(shown.slice(-2), [
      'c1: volume v1: /srv/v1 is busy: 4711 (vim)',
      'c3: its agent has left, and it is still logged on',
    ]);
    const { problems, givingUp } = cfsJson(['volume', 'access'], { dir }) as { problems: Item[]; givingUp: Item[] };
    assert.deepEqual(givingUp, [{ volume: 'v1', writer: 'c1', to: 'c2' }]);
    assert.deepEqual(
      problems.map(({ client }) => client),
      ['c1', 'c3'],
    );
    assert.deepEqual((cfsJson(['volume', 'access', '--at', '9'], { dir }) as { problems: Item[] }).problems, []);
  });

  it('gives a row for each pair in JSON, CSV, by names, and with --filter and --sort', () => {
    const { access, waiting } = cfsJson(['volume', 'access'], { dir: small }) as { access: Item[]; waiting: Item[] };
    assert.equal(access.length, 6);
    const { lastRefresh, ...c2 } = access[1]!;
    assert.match(String(lastRefresh), /^20/);
    assert.deepEqual(c2, {
      pair: 'v1/c2',
      volume: 'v1',
      client: 'c2',
      state: 'waits',
      mode: 'ro',
      mount: true,
      mounted: true,
      writer: false,
      givesUp: false,
      place: 1,
      lockout: false,
      autoUpdate: false,
      autoUpdateIntervalMs: 30_000,
      stale: false,
    });
    assert.deepEqual(
      waiting.map(({ client, message }) => [client, message]),
      [
        ['c2', 'new titles'],
        ['c3', null],
      ],
    );
    const csv = lines(cfs(['volume', 'access', '-o', 'csv', '--filter', 'state=reads'], { dir: small }));
    assert.match(csv[0]!, /^pair,volume,client,state,mode,/);
    assert.equal(csv.length, 4);
    assert.equal(cfs(['volume', 'access', '-o', 'name', '--filter', 'place=2'], { dir: small }), 'v1/c3\n');
    assert.match(
      cfs(['volume', 'access', '--sort', '-place'], { dir: small }),
      /^VOLUME +CLIENT +STATE .*\nv1 +c3 +waits/,
    );
  });

  it('shows what is named and nothing else', () => {
    const shown = lines(cfs(['volume', 'access', 'v1', 'v3', '--client', 'c4,c1'], { dir: small }));
    assert.deepEqual(shown.slice(0, 4), ['VOLUME  c1  c4', '            out', 'v1      rw  ·', 'v3      ·   ·']);
    refuses(small, ['volume', 'access', 'v9'], { status: 3, code: 'VOLUME_NOT_FOUND', says: /"v9"/ });
    refuses(small, ['volume', 'access', '--client', 'c9'], { status: 3, code: 'CLIENT_NOT_FOUND', says: /"c9"/ });
  });

  it('says how to begin where no client has a right', () => {
    const { stdout, stderr, status } = runCfs(['volume', 'access'], { dir: sampleCluster() });
    assert.deepEqual([stdout, status], ['', 0]);
    assert.match(stderr, /cfs volume allow VOLUME CLIENT/);
  });

  it('is one table without headings in between when it is piped, however large', () => {
    const shown = lines(cfs(['volume', 'access'], { dir: large }));
    assert.match(shown[0]!, /^VOLUME +edit-suite-1 {2}edit-suite-4 {2}.*render-suite-12$/);
    assert.equal(shown.filter((line) => line.startsWith('footage-') && !line.includes(':')).length, 40);
    assert.equal(shown.filter((line) => line.startsWith('VOLUME')).length, 1);
    assert.match(shown.find((line) => line.startsWith('footage-02'))!, /^footage-02 +off +ro /);
    assert.match(shown.find((line) => line.startsWith('footage-03'))!, /^footage-03 +r\/o +ro /);
  });

  it('fits 12 clients and 40 volumes on a terminal of 80 columns, in pages that each have their heading', function () {
    const { output, status } = onTerminal(this, ['volume', 'access'], [], { dir: large, env: { CFS_PAGER: 'cat' } });
    assert.equal(status, 0);
    const shown = lines(plain(output));
    for (const line of shown.filter((text) => !text.includes(' waits for '))) assert.ok(line.length <= 80, line);
    assert.match(shown[0]!, /^page 1\/3 · generation \d+ · 40 volumes, 10 written · 12 clients · 10 waiting$/);
    assert.match(shown[1]!, /^ +edit-suite- ─+ +grade-suite- ─+ +render-suite- ─*$/);
    assert.match(shown[2]!, /^VOLUME +1 +4 +7 +10 +2 +5 +8 +11 +3 +6 +9 +12$/);
    assert.match(shown[3]!, /^ +out$/);
    assert.match(shown[4]!, /^footage-01 +rw +ro +ro +ro +1st +ro /);
    assert.match(shown[23]!, /^page 2\/3/, 'a page is as high as what a pager shows at once');
    assert.equal(shown[25], shown[2]);
  });

  it('goes through the pager on a terminal that is too low, and only there', function () {
    const pager = `sed 's/page /PAGED /'`;
    const paged = onTerminal(this, ['volume', 'access'], [], { dir: large, env: { PAGER: pager } });
    assert.match(plain(paged.output), /^PAGED 1\/3/m);
    const short = onTerminal(this, ['volume', 'access', '--client', SUITES[0]!, VOLUMES[0]!], [], {
      dir: large,
      env: { PAGER: pager, CFS_PAGER: 'false' },
    });
    assert.match(plain(short.output), /^generation \d+ · 1 volume, 1 written · 1 client/m);
    const missing = onTerminal(this, ['volume', 'access'], [], { dir: large, env: { CFS_PAGER: '/no/such/pager' } });
    assert.equal(missing.status, 0);
    assert.match(plain(missing.output), /^page 3\/3/m);
    assert.equal(runCfs(['volume', 'access'], { dir: large, env: { CFS_PAGER: 'false' } }).status, 0);
  });

  it('prints one page with --page, also where it is piped', () => {
    const page = (n: number) => lines(cfs(['volume', 'access', '--rows', '15', '--page', String(n)], { dir: large }));
    assert.match(page(1)[2]!, /^footage-01 /);
    assert.match(page(3)[2]!, /^footage-31 /);
    const { status, stderr } = runCfs(['volume', 'access', '--rows', '15', '--page', '4'], { dir: large });
    assert.equal(status, 2);
    assert.match(stderr, /There is no page 4\nThe pages go from 1 to 3\./);
    refuses(large, ['volume', 'access', '--rows', '0'], { status: 2, code: 'USAGE', says: /shows nothing/ });
  });
});

describe('a hundred thousand clients', function () {
  this.timeout(120_000);
  let dir: string;
  before(async () => {
    dir = join(tempDir('many'), 'cfs');
    cfs(['init', '--sample', '3x10', '--yes'], { dir });
    const cluster = await openCluster({ dir });
    const clients = Array.from({ length: 100_000 }, (_, i) => ({ name: `client${String(i).padStart(6, '0')}` }));
    await cluster.change(clientAdd, { clients });
    const [volume] = [...cluster.snapshot().table('volumes').names()].sort();
    await cluster.change(volumeAllow, { volume: volume!, client: ['client000007', 'client099999'] });
  });

  it('are completed in bounded time and space', () => {
    const { stdout, status } = runCfs(['__complete', 'bash', 'cfs client show client'], { dir });
    assert.equal(status, 0);
    assert.ok(stdout.startsWith(':nospace\n') && stdout.length < 1000, stdout.slice(0, 200));
    const few = lines(
      runCfs(['__complete', 'bash', 'cfs volume allow v1,v2 client000007,client00001'], { dir }).stdout,
    );
    assert.equal(few.length, 10);
    assert.ok(few[0]!.startsWith('client000007,client0000'), few[0]);
  });

  it('cost the matrix no more than their records', () => {
    const shown = lines(cfs(['volume', 'access'], { dir }));
    assert.match(shown[0]!, /^VOLUME +client000007 {2}client099999$/);
    assert.match(shown.at(-1)!, /9 volumes and 99998 clients/);
    refuses(dir, ['volume', 'access', '--client', ''], { status: 2, code: 'USAGE', says: /names nobody/ });
  });
});
