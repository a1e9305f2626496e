import assert from 'node:assert/strict';
import { adviceFor } from '../../src/core/doctor/advice.js';
import { familyOf, type Mount, mountOf, parseMountinfo } from '../../src/core/doctor/mount.js';
import { networkRemarks } from '../../src/core/doctor/network.js';

const MOUNTINFO = `27 1 254:0 / / rw,relatime - ext4 /dev/vda rw,discard
87 67 0:56 / /mnt/lab rw,nosuid,nodev,relatime - fuse mfs\\04310.71.2.201:9421 rw,user_id=0,allow_other
88 67 0:57 / /mnt/lab/deeper rw,relatime shared:4 - nfs4 server:/export rw,vers=4.2,hard
89 67 0:58 / /mnt/with\\040blank rw - tmpfs none rw
a line that is none
`;

function mount(type: string, options: string[] = [], source = 'x'): Mount {
  return { id: '0:1', path: '/m', type, source, options };
}

const texts = (m: Mount, level: string) =>
  adviceFor(m)
    .filter((a) => a.level === level)
    .map((a) => a.text)
    .join('\n');

describe('the mount of a directory', () => {
  const mounts = parseMountinfo(MOUNTINFO);

  it('is read from mountinfo, with optional fields and escaped bytes', () => {
    assert.equal(mounts.length, 4);
    assert.deepEqual(mounts[1], {
      id: '0:56',
      path: '/mnt/lab',
      type: 'fuse',
      source: 'mfs#10.71.2.201:9421',
      options: ['rw', 'nosuid', 'nodev', 'relatime', 'user_id=0', 'allow_other'],
    });
    assert.equal(mounts[3]?.path, '/mnt/with blank');
  });

  it('is the deepest one, and never one whose name only begins alike', () => {
    assert.equal(mountOf(mounts, '/mnt/lab/deeper/x')?.type, 'nfs4');
    assert.equal(mountOf(mounts, '/mnt/lab')?.type, 'fuse');
    assert.equal(mountOf(mounts, '/mnt/laboratory')?.type, 'ext4');
    assert.equal(mountOf([], '/x'), null);
  });

  it('is the later one where two lie over each other', () => {
    const twice = parseMountinfo('1 0 8:1 / /m rw - ext4 /dev/a rw\n2 1 0:9 / /m rw - tmpfs none rw');
    assert.equal(mountOf(twice, '/m')?.type, 'tmpfs');
  });

  it('tells families of file systems by type, and those of FUSE by name or source', () => {
    const families = [
      mount('ext4'),
      mount('fuse', [], 'mfs#h:9421'),
      mount('fuse.glusterfs'),
      mount('fuse.sshfs'),
      mount('fuse', [], 'mountpoint-s3'),
      mount('fuse.rclone'),
      mount('ceph'),
      mount('fuse.new-thing'),
      mount('newfs'),
    ].map(familyOf);
    assert.deepEqual(families, [
      'local',
      'moosefs',
      'glusterfs',
      'sshfs',
      'object-store',
      'object-store',
      'ceph',
      'unknown',
      'unknown',
    ]);
  });
});

describe('advice by name and mount options', () => {
  it('refuses sshfs, object stores, foreign file systems and a mount that is read-only', () => {
    for (const refused of [mount('fuse.sshfs'), mount('fuse.s3fs'), mount('exfat'), mount('ext4', ['ro'])])
      assert.notEqual(texts(refused, 'refuse'), '', refused.type);
    for (const taken of [mount('ext4', ['rw']), mount('fuse.glusterfs'), mount('nfs4'), mount('tmpfs')])
      assert.equal(texts(taken, 'refuse'), '', taken.type);
  });

  it('wants NFS hard, without stale attributes and without remembered absences', () => {
    const plain = texts(mount('nfs4', ['rw', 'soft', 'vers=3', 'local_lock=all']), 'advise');
    for (const word of ['hard', 'noac', 'lookupcache', 'local_lock', '4.1']) assert.match(plain, new RegExp(word));
    assert.equal(texts(mount('nfs4', ['rw', 'hard', 'noac', 'vers=4.2']), 'advise'), '');
    assert.equal(texts(mount('nfs4', ['hard', 'actimeo=0', 'lookupcache=pos', 'vers=4.1']), 'advise'), '');
  });

  it('says which options a GlusterFS volume should have', () => {
    assert.match(texts(mount('fuse.glusterfs'), 'info'), /stat-prefetch off.*ping-timeout 3/);
  });
});

describe('settings of the network', () => {
  it('are good from the wanted value up', () => {
    const remarks = networkRemarks({ ignore_routes_with_linkdown: 0, arp_ignore: 2, arp_announce: 2 });
    assert.deepEqual(
      remarks.map((r) => [r.key, r.isGood]),
      [
        ['net.ipv4.conf.all.ignore_routes_with_linkdown', false],
        ['net.ipv4.conf.all.arp_ignore', true],
        ['net.ipv4.conf.all.arp_announce', true],
      ],
    );
  });
});
