/** What is read of /proc, and the options of mount(8): pure functions. */
import assert from 'node:assert/strict';
import { closeSync, mkdirSync, openSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { holdersOf, isWritable, mappedFile, mountIdOf } from '../../../src/agentd/mounts/holders.js';
import { inUseSentence } from '../../../src/agentd/mounts/in-use.js';
import {
  goesWith,
  isWithin,
  type MountEntry,
  mountOfPath,
  parseMountInfo,
  readMountInfo,
} from '../../../src/agentd/mounts/mountinfo.js';
import { bindOptions, deviceOptions, remountOptions } from '../../../src/agentd/mounts/options.js';
import { deviceNumber } from '../../../src/agentd/mounts/place.js';
import { tempDir } from '../../kit/cli.js';

const LINE = '36 35 98:0 /mnt1 /srv/a\\040b rw,noatime shared:1 master:2 - ext3 /dev/root rw,errors=continue';
const lists = { options: ['noatime'], roOptions: ['nouuid'], rwOptions: ['discard'] };

const escaped = (text: string) =>
  text.replace(/[ \t\n\\]/g, (c) => `\\${c.charCodeAt(0).toString(8).padStart(3, '0')}`);

describe('mountinfo', () => {
  it('is read field by field', () => {
    assert.deepEqual(parseMountInfo(LINE), [
      {
        id: 36,
        parentId: 35,
        device: '98:0',
        root: '/mnt1',
        at: '/srv/a b',
        fsType: 'ext3',
        source: '/dev/root',
        isReadOnly: false,
        isFileSystemReadOnly: false,
        shared: 1,
        master: 2,
      },
    ]);
    const [bind, device] = parseMountInfo(
      '1 0 8:1 / /a ro - ext4 /dev/sda1 rw\n2 0 8:1 / /b rw,relatime - ext4 /dev/sda1 ro,x=rw\n',
    );
    assert.deepEqual([bind?.isReadOnly, bind?.isFileSystemReadOnly, bind?.shared], [true, false, null]);
    assert.deepEqual([device?.isReadOnly, device?.isFileSystemReadOnly], [true, true]);
  });

  it('gives any name back as it was, and is not disturbed by lines that are none', () => {
    const name = fc.string({ unit: fc.constantFrom('a', 'é', ' ', '\t', '\n', '\\', '0', '-', '"') });
    fc.assert(
      fc.property(name, name, fc.array(fc.constantFrom('shared:7', 'master:3', 'unbindable')), (root, at, optional) => {
        const fields = [
          '5 4 0:9',
          escaped(`/${root}`),
          escaped(`/${at}`),
          'ro',
          ...optional,
          '- tmpfs',
          escaped(at) || 'none',
          'rw',
        ];
        const [entry, ...rest] = parseMountInfo(`nonsense\n${fields.join(' ')}\n- - -\n`);
        assert.deepEqual(rest, []);
        assert.deepEqual([entry?.root, entry?.at, entry?.fsType], [`/${root}`, `/${at}`, 'tmpfs']);
        assert.equal(entry?.shared, optional.includes('shared:7') ? 7 : null);
        assert.ok(entry?.isReadOnly && !entry.isFileSystemReadOnly);
      }),
    );
    fc.assert(fc.property(fc.string(), (text) => Array.isArray(parseMountInfo(text))));
  });

  it('tells the mount that a path lies on, the latest of those at one place', () => {
    const entries = ['/', '/srv', '/srv/v1', '/srv'].map((at, id) => ({ ...parseMountInfo(LINE)[0]!, id, at }));
    const idOf = (path: string) => mountOfPath(entries, path)?.id;
    assert.deepEqual(['/', '/etc', '/srv/v2', '/srv/v1', '/srv/v1/a', '/srvx'].map(idOf), [0, 0, 3, 2, 2, 0]);
    assert.ok(isWithin('/a/b', '/a') && isWithin('/a', '/a') && !isWithin('/ab', '/a') && isWithin('/a', '/'));
  });

  it('tells which copies go when a mount goes', () => {
    const entry = (shared: number | null, master: number | null): MountEntry => ({
      ...parseMountInfo(LINE)[0]!,
      shared,
      master,
    });
    assert.ok(goesWith(entry(1, null), entry(1, null)) && goesWith(entry(9, 1), entry(1, null)));
    assert.ok(!goesWith(entry(null, null), entry(null, null)) && !goesWith(entry(2, 3), entry(1, 2)));
  });
});

describe('options of mounts', () => {
  it('keep a read-only mount from replaying a journal', () => {
    assert.equal(deviceOptions('ro', 'ext4', lists), 'ro,noload,noatime,nouuid');
    assert.equal(deviceOptions('ro', 'ext3', lists), 'ro,noload,noatime,nouuid');
    assert.equal(deviceOptions('ro', 'xfs', lists), 'ro,norecovery,noatime,nouuid');
    assert.equal(deviceOptions('ro', 'vfat', lists), 'ro,noatime,nouuid');
    assert.equal(deviceOptions('rw', 'xfs', lists, true), 'rw,loop,noatime,discard');
    assert.equal(deviceOptions('ro', 'ext4', { ...lists, roOptions: ['noload'] }), 'ro,noload,noatime');
    assert.equal(bindOptions('ro', lists), 'remount,bind,ro,noatime,nouuid');
    assert.equal(remountOptions('ro', lists), 'remount,ro,noatime');
  });
});

describe('processes that use a mount', () => {
  it('write a file when they have it open for writing, or mapped so', () => {
    const info = (flags: string) => `pos:\t0\nflags:\t${flags}\nmnt_id:\t812\nino:\t2\n`;
    assert.equal(mountIdOf(info('0100002')), 812);
    assert.equal(mountIdOf('pos:\t0\n'), -1);
    const writable = ['0100000', '0100001', '0102002', '012100002', '02'].map((flags) => isWritable(info(flags)));
    assert.deepEqual(writable, [false, true, true, false, true]);
    const map = (mode: string, path: string) => `7f0-7f1 ${mode} 00000000 07:03 12                 ${path}\n`;
    const points = ['/srv/v1'];
    assert.equal(mappedFile(map('rw-p', '/usr/lib/x.so') + map('rw-p', '[heap]'), points), null);
    const library = { path: '/srv/v1/x y.so', isWriting: false, use: 'reads' };
    assert.deepEqual(mappedFile(map('r-xp', '/srv/v1/x y.so'), points), library);
    assert.deepEqual(mappedFile(map('rw-p', '/srv/v1/x y.so'), points), library, 'a private copy');
    const written = mappedFile(map('r--s', '/srv/v1/a') + map('rw-s', '/srv/v1/b'), points);
    assert.deepEqual(written, { path: '/srv/v1/b', isWriting: true, use: 'writes' });
  });

  it('are named in a sentence, writers first, a few of many, and safe for a terminal', () => {
    const holder = (pid: number, use: 'writes' | 'works in', path: string) => ({
      pid,
      user: 'root',
      command: use === 'writes' ? 'vim' : 'bash',
      path,
      isWriting: use === 'writes',
      use,
    });
    const two = [holder(4000001, 'works in', '/srv/v1'), holder(4000002, 'writes', '/srv/v1/a\u001b[2J.txt')];
    assert.equal(
      inUseSentence('v1', two, ['/srv/v1/x is mounted upon it']),
      'v1 is in use: vim (pid 4000002, root) writes /srv/v1/a\\u001b[2J.txt; bash (pid 4000001, root) works in /srv/v1; /srv/v1/x is mounted upon it',
    );
    assert.match(inUseSentence('v1', []), /^v1 is in use: by what, cannot be seen/);
    assert.match(
      inUseSentence('v1', [holder(process.pid, 'works in', '/srv/v1')]),
      /root, this command itself\) works/,
    );
    const many = Array.from({ length: 9 }, (_, i) => holder(4000001 + i, 'works in', '/srv/v1'));
    assert.match(inUseSentence('v1', many), /pid 4000005, root\) works in \/srv\/v1; 4 more$/);
  });

  it('are found by the mount that a file was opened through', async () => {
    const dir = tempDir('holders');
    mkdirSync(join(dir, 'v'));
    writeFileSync(join(dir, 'v/a'), '');
    const mount = mountOfPath(readMountInfo() ?? [], dir);
    const fd = openSync(join(dir, 'v/a'), 'a');
    try {
      const found = await holdersOf((entry, isOwn) => isOwn && entry.id === mount?.id);
      const own = found.find(({ pid }) => pid === process.pid);
      assert.ok(own?.isWriting, JSON.stringify(own));
      assert.deepEqual(await holdersOf(() => false), []);
    } finally {
      closeSync(fd);
    }
  });

  it('work on devices that are numbered as the kernel numbers them', () => {
    assert.equal(deviceNumber({ rdev: 0x0801 }), '8:1');
    assert.equal(deviceNumber({ rdev: 0x1fd12 }), '509:18');
    // Minor 300 of major 253: the upper bits of the minor follow the major.
    assert.equal(deviceNumber({ rdev: (1 << 20) | (253 << 8) | 44 }), '253:300');
  });
});
