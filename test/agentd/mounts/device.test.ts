/** The mount driver with devices: file systems on loop devices, two of them on one image as two hosts with one shared device. */
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { closeSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { MountBusyError, type MountDriver } from '../../../src/core/access/agent/ports.js';
import { CfsError } from '../../../src/core/errors.js';
import { CALM, endOf, FORCED, LOCKED, MountSite, optionsAt, run } from './kit.js';

const EXT4 = ['mkfs.ext4', '-q', '-E', 'lazy_itable_init=0,lazy_journal_init=0'];
/** What the kernel calls `noload` of ext4 and `norecovery` of xfs alike. */
const NO_REPLAY = 'norecovery';
const XFS = ['mkfs.xfs', '-q'];

interface Host {
  driver: MountDriver;
  at: string;
  device: string;
}

/** Two hosts whose devices are the same. */
function twoHosts(site: MountSite, image: string, volume: object = {}): [Host, Host] {
  const host = (name: string): Host => {
    const [device, at] = [site.loop(image), site.at(`${name}/v1`)];
    return { device, at, driver: site.driver({ v1: { device, at, ...volume } }) };
  };
  return [host('a'), host('b')];
}

const digest = (path: string) => createHash('sha256').update(readFileSync(path)).digest('hex');
const isSetReadOnly = (device: string) => run('blockdev', '--getro', device).trim() === '1';

/** The right to write goes to and fro; each writer finds every byte of the former one. */
async function handOverAndBack(site: MountSite, [a, b]: [Host, Host]): Promise<string[]> {
  const expected = new Map<string, string>();
  let [writer, reader] = [a, b];
  await writer.driver.mount('v1', 'rw', CALM);
  for (let round = 1; round <= 4; round++) {
    const bytes = randomBytes(700_000 + round);
    writeFileSync(join(writer.at, `f${round}`), bytes);
    expected.set(`f${round}`, createHash('sha256').update(bytes).digest('hex'));
    if (round > 1) writeFileSync(join(writer.at, 'f1'), bytes);
    expected.set('f1', createHash('sha256').update(bytes).digest('hex'));
    // Mounted while the other writes: it neither writes nor replays.
    await reader.driver.mount('v1', 'ro', CALM);
    assert.ok(
      optionsAt(reader.at).includes('ro') && optionsAt(reader.at).includes(NO_REPLAY),
      `${optionsAt(reader.at)}`,
    );
    assert.throws(() => writeFileSync(join(reader.at, 'x'), ''), { code: 'EROFS' });
    await writer.driver.mount('v1', 'ro', CALM);
    assert.throws(() => writeFileSync(join(writer.at, 'x'), ''), { code: 'EROFS' });
    assert.ok(optionsAt(writer.at).includes(NO_REPLAY), 'the former writer is a reader like others');
    [writer, reader] = [reader, writer];
    await writer.driver.mount('v1', 'rw', CALM);
    for (const [name, sum] of expected) assert.equal(digest(join(writer.at, name)), sum, `round ${round}, ${name}`);
  }
  for (const { driver } of [writer, reader]) await driver.unmount('v1', CALM);
  return site.log.lines.filter((line) => !line.startsWith('debug'));
}

describe('the mount driver with a device', function () {
  this.timeout(120_000);
  let site: MountSite;
  afterEach(async () => site?.remove());

  it('hands an ext4 device over and back: every byte is there, and the file system is clean', async function () {
    site = MountSite.for(this, ['losetup', 'mkfs.ext4', 'unshare']);
    const image = site.image('image', EXT4, 24);
    const hosts = twoHosts(site, image);
    // Who has the device open keeps its cache alive over the unmount.
    const open = hosts.map(({ device }) => openSync(device, 'r'));
    assert.deepEqual(await handOverAndBack(site, hosts), []);
    for (const fd of open) closeSync(fd);
    assert.match(run('fsck.ext4', '-n', '-f', image), /Pass 5/);
  });

  it('hands an xfs device over and back; nouuid is needed where both are on one machine', async function () {
    site = MountSite.for(this, ['losetup', 'mkfs.xfs', 'unshare']);
    const image = site.image('image', XFS, 320);
    const hosts = twoHosts(site, image, { roOptions: 'nouuid', rwOptions: 'nouuid' });
    assert.deepEqual(await handOverAndBack(site, hosts), []);
    run('xfs_repair', '-n', image);
  });

  it('writes nothing of a reader to the device, and says what a writer has written', async function () {
    site = MountSite.for(this, ['losetup', 'mkfs.ext4', 'unshare']);
    const image = site.image('image', EXT4, 24);
    const [a, b] = twoHosts(site, image);
    assert.equal(await b.driver.written('v1'), null);
    await b.driver.mount('v1', 'ro', CALM);
    assert.ok(isSetReadOnly(b.device));
    const before = await b.driver.written('v1');
    assert.match(before!, /^7:\d+\/\d+$/);
    await a.driver.mount('v1', 'rw', CALM);
    assert.ok(!isSetReadOnly(a.device));
    const first = await a.driver.written('v1');
    writeFileSync(join(a.at, 'f'), randomBytes(100_000));
    run('sync', '-f', a.at);
    assert.notEqual(await a.driver.written('v1'), first);
    await b.driver.mount('v1', 'ro', CALM);
    await b.driver.unmount('v1', CALM);
    assert.ok(!isSetReadOnly(b.device), 'left as it was found');
    await b.driver.mount('v1', 'ro', CALM);
    assert.equal(await b.driver.written('v1'), before);
  });

  it('makes a mount read-only under readers, whose files stay open, and renews it only when they have gone', async function () {
    site = MountSite.for(this, ['losetup', 'mkfs.ext4', 'unshare']);
    const [a, b] = twoHosts(site, site.image('image', EXT4, 24), { options: 'nosuid,noatime' });
    await a.driver.mount('v1', 'rw', CALM);
    writeFileSync(join(a.at, 'f'), 'before');
    const reader = await site.child(`cd ${a.at}; exec 3< f; echo ready; exec sleep 1000`);
    await a.driver.mount('v1', 'ro', CALM);
    assert.throws(() => writeFileSync(join(a.at, 'x'), ''), { code: 'EROFS' });
    assert.ok(optionsAt(a.at).includes('nosuid') && optionsAt(a.at).includes('noatime'), 'a remount keeps the options');
    assert.match(
      site.log.lines.join('\n'),
      /info: v1 is read-only, and stays mounted as it is: v1 is in use: sleep \(pid/,
    );
    assert.ok(isSetReadOnly(a.device));
    await b.driver.mount('v1', 'rw', CALM);
    assert.equal(readFileSync(join(b.at, 'f'), 'utf8'), 'before');
    writeFileSync(join(b.at, 'f'), 'after!');
    await b.driver.unmount('v1', CALM);
    // Stale: neither refreshed nor made writable under its feet.
    for (const mode of ['ro', 'rw'] as const) {
      await assert.rejects(a.driver.mount('v1', mode, CALM), (error) => {
        assert.match((error as Error).message, new RegExp(`sleep \\(pid ${reader.pid}, root\\) reads ${a.at}/f$`));
        return error instanceof MountBusyError;
      });
      assert.deepEqual(await a.driver.mounted(), [{ volume: 'v1', mode: 'ro' }]);
    }
    await a.driver.mount('v1', 'rw', FORCED);
    assert.equal(await endOf(reader), 'SIGTERM');
    assert.equal(readFileSync(join(a.at, 'f'), 'utf8'), 'after!');
  });

  it('is not fooled by a copy in a namespace of its own', async function () {
    site = MountSite.for(this, ['losetup', 'mkfs.ext4', 'unshare']);
    const [a] = twoHosts(site, site.image('image', EXT4, 24));
    await a.driver.mount('v1', 'rw', CALM);
    const child = await site.child('echo ready; exec sleep 1000', site.apart());
    // Nobody writes there: the whole file system becomes read-only, for that namespace as well, and cannot be unmounted.
    await assert.rejects(a.driver.unmount('v1', CALM), (error) => {
      assert.match((error as Error).message, /has mounted/);
      return error instanceof MountBusyError;
    });
    assert.deepEqual(await a.driver.mounted(), [{ volume: 'v1', mode: 'ro' }]);
    await assert.rejects(a.driver.unmount('v1', CALM), MountBusyError);
    child.kill('SIGKILL');
    await endOf(child);
    await a.driver.unmount('v1', CALM);
    assert.deepEqual(await a.driver.mounted(), []);
    // Somebody writes there.
    await a.driver.mount('v1', 'rw', CALM);
    const other = await site.child(`exec 3> ${a.at}/f; echo ready; exec sleep 1000`, site.apart());
    await assert.rejects(
      a.driver.mount('v1', 'ro', CALM),
      new RegExp(`\\(pid ${other.pid}, root\\) writes ${a.at}/f$`),
    );
    assert.deepEqual(await a.driver.mounted(), [{ volume: 'v1', mode: 'rw' }]);
  });

  it('makes what is mounted a second time read-only at both places', async function () {
    site = MountSite.for(this, ['losetup', 'mkfs.ext4', 'unshare']);
    const [a] = twoHosts(site, site.image('image', EXT4, 24));
    await a.driver.mount('v1', 'rw', CALM);
    const other = site.at('other');
    mkdirSync(other);
    run('mount', '--bind', a.at, other);
    await a.driver.mount('v1', 'rw', CALM);
    writeFileSync(join(other, 'f'), '');
    await a.driver.mount('v1', 'ro', CALM);
    for (const at of [a.at, other]) assert.throws(() => writeFileSync(join(at, 'f'), ''), { code: 'EROFS' });
    assert.deepEqual(await a.driver.mounted(), [{ volume: 'v1', mode: 'ro' }]);
    assert.match(site.log.lines.join('\n'), /stays mounted as it is: .* it is mounted at \S+other as well/);
    await assert.rejects(a.driver.mount('v1', 'rw', CALM), /v1 is mounted at \S+other/);
  });

  it('sees files that are still open after a lazy unmount', async function () {
    site = MountSite.for(this, ['losetup', 'mkfs.ext4', 'unshare']);
    const [a] = twoHosts(site, site.image('image', EXT4, 24));
    await a.driver.mount('v1', 'rw', CALM);
    const child = await site.child(`exec 3> ${a.at}/f; echo ready; exec sleep 1000`);
    run('umount', '-l', a.at);
    await assert.rejects(a.driver.unmount('v1', CALM), /something on this host holds .*lazy unmount/);
    child.kill('SIGKILL');
    await a.driver.unmount('v1', CALM);
  });

  it('mounts an image by a loop device, finds its type, and takes it for nothing else', async function () {
    site = MountSite.for(this, ['losetup', 'mkfs.ext4', 'unshare']);
    const image = site.image('image', EXT4, 24);
    const at = site.at('v1');
    const driver = site.driver({ v1: { device: image, at }, v2: { device: site.at('none'), at: site.at('v2') } });
    await driver.mount('v1', 'rw', CALM);
    writeFileSync(join(at, 'f'), 'text');
    await driver.mount('v1', 'ro', CALM);
    assert.throws(() => writeFileSync(join(at, 'f'), ''), { code: 'EROFS' });
    assert.ok(optionsAt(at).includes(NO_REPLAY));
    await driver.mount('v1', 'rw', CALM);
    assert.equal(readFileSync(join(at, 'f'), 'utf8'), 'text');
    assert.match((await driver.written('v1'))!, /^7:\d+\/\d+$/);
    await driver.unmount('v1', CALM);
    assert.equal(run('losetup', '-j', image), '');
    await assert.rejects(driver.mount('v2', 'ro', CALM), /v2 cannot be mounted: there is no .*none/);
    writeFileSync(site.at('none'), Buffer.alloc(1 << 20));
    await assert.rejects(driver.mount('v2', 'ro', CALM), /no file system was found on .*none; say which one/);
    run('mount', '-o', 'loop', image, site.at('v2'));
    await assert.rejects(driver.mount('v2', 'ro', CALM), /there is something else, \/dev\/loop\d+ \(ext4\)/);
    const elsewhere = /v1 is mounted at \S+v2, and not only at/;
    await assert.rejects(driver.mount('v1', 'rw', CALM), elsewhere);
    assert.deepEqual(await driver.mounted(), [{ volume: 'v1', mode: 'rw' }], 'what is writable is told, wherever');
    await assert.rejects(driver.mount('v1', 'ro', CALM), elsewhere);
    assert.deepEqual(await driver.mounted(), [{ volume: 'v1', mode: 'ro' }], 'what is given up is so everywhere');
  });

  it('knows a btrfs image by its device, whatever number that shows', async function () {
    site = MountSite.for(this, ['losetup', 'mkfs.btrfs', 'unshare']);
    const at = site.at('v1');
    const driver = site.driver({ v1: { device: site.image('image', ['mkfs.btrfs', '-q'], 128), at } });
    await driver.mount('v1', 'rw', CALM);
    writeFileSync(join(at, 'f'), 'text');
    assert.match((await driver.written('v1'))!, /^7:\d+\/\d+$/);
    await driver.mount('v1', 'ro', CALM);
    assert.ok(optionsAt(at).includes('rescue=nologreplay'));
    assert.equal(readFileSync(join(at, 'f'), 'utf8'), 'text');
    assert.deepEqual(await driver.mounted(), [{ volume: 'v1', mode: 'ro' }]);
    await driver.unmount('v1', CALM);
    assert.deepEqual(await driver.mounted(), []);
  });

  it('refuses a foreign software lock before the device is mounted for writing', async function () {
    site = MountSite.for(this, ['losetup', 'mkfs.ext4', 'unshare']);
    const [a, b] = twoHosts(site, site.image('image', EXT4, 24));
    await a.driver.mount('v1', 'rw', LOCKED);
    await a.driver.unmount('v1', CALM);
    await b.driver.mount('v1', 'rw', LOCKED);
    writeFileSync(join(b.at, '.cfs-software-lock'), 'keep out');
    await b.driver.unmount('v1', CALM);
    const began = readFileSync(`/sys/block/${a.device.slice(5)}/stat`, 'utf8')
      .trim()
      .split(/\s+/)[6];
    await assert.rejects(a.driver.mount('v1', 'rw', LOCKED), (error) => {
      return error instanceof CfsError && error.code === 'SOFTWARE_LOCKED';
    });
    assert.deepEqual(await a.driver.mounted(), []);
    assert.equal(
      readFileSync(`/sys/block/${a.device.slice(5)}/stat`, 'utf8')
        .trim()
        .split(/\s+/)[6],
      began,
    );
    await assert.rejects(a.driver.mount('v1', 'rw', CALM), /SOFTWARE_LOCKED|keep out/);
    assert.deepEqual(await a.driver.mounted(), []);
  });
});
