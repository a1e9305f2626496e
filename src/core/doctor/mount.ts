/** Which mount a directory is on, from /proc/self/mountinfo (proc(5)), and what kind of file system that is. */

export interface Mount {
  /** Number of the mount's file system (major:minor): differs between two mounts of a FUSE file system. */
  id: string;
  /** Where it is mounted. */
  path: string;
  /** As the kernel has it: `ext4`, `nfs4`, `fuse.glusterfs`. */
  type: string;
  /** What is mounted: a device, `server:/path`. */
  source: string;
  /** Options of the mount and of the file system, without doubles. */
  options: string[];
}

/** `\043` and the like stand for bytes that would break the line. */
function decode(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
}

/** The mounts, in the order of the file: later ones lie over earlier ones. Lines that are none are left out. */
export function parseMountinfo(text: string): Mount[] {
  const mounts: Mount[] = [];
  for (const line of text.split('\n')) {
    const words = line.split(' ');
    const dash = words.indexOf('-', 6);
    if (dash === -1 || words.length < dash + 3) continue;
    const options = [...(words[5] ?? '').split(','), ...(words[dash + 3] ?? '').split(',')].filter((o) => o !== '');
    mounts.push({
      id: words[2]!,
      path: decode(words[4]!),
      type: words[dash + 1]!,
      source: decode(words[dash + 2]!),
      options: [...new Set(options)],
    });
  }
  return mounts;
}

/** The mount that an absolute path without symbolic links lies on. */
export function mountOf(mounts: readonly Mount[], path: string): Mount | null {
  let found: Mount | null = null;
  for (const mount of mounts) {
    const under = mount.path === '/' || path === mount.path || path.startsWith(`${mount.path}/`);
    if (under && (found === null || mount.path.length >= found.path.length)) found = mount;
  }
  return found;
}

export type Family =
  | 'local'
  | 'memory'
  | 'overlay'
  | 'cluster-disk'
  | 'nfs'
  | 'cifs'
  | 'moosefs'
  | 'glusterfs'
  | 'ceph'
  | 'parallel'
  | 'sshfs'
  | 'object-store'
  | 'foreign'
  | 'unknown';

const BY_TYPE: Record<string, Family> = {
  ext2: 'local',
  ext3: 'local',
  ext4: 'local',
  xfs: 'local',
  btrfs: 'local',
  zfs: 'local',
  f2fs: 'local',
  bcachefs: 'local',
  tmpfs: 'memory',
  ramfs: 'memory',
  devtmpfs: 'memory',
  overlay: 'overlay',
  aufs: 'overlay',
  gfs2: 'cluster-disk',
  ocfs2: 'cluster-disk',
  nfs: 'nfs',
  nfs4: 'nfs',
  cifs: 'cifs',
  smb3: 'cifs',
  ceph: 'ceph',
  lustre: 'parallel',
  beegfs: 'parallel',
  gpfs: 'parallel',
  orangefs: 'parallel',
  vfat: 'foreign',
  exfat: 'foreign',
  msdos: 'foreign',
  ntfs: 'foreign',
  ntfs3: 'foreign',
  fuseblk: 'foreign',
  vboxsf: 'foreign',
  iso9660: 'foreign',
};

/** FUSE file systems, by what stands in the type behind `fuse.` or at the beginning of the source. */
const BY_FUSE_NAME: [RegExp, Family][] = [
  [/^(mfs|moosefs|lizardfs|saunafs)\b/, 'moosefs'],
  [/^glusterfs/, 'glusterfs'],
  [/^ceph/, 'ceph'],
  [/^juicefs/i, 'parallel'],
  [/^sshfs/, 'sshfs'],
  [
    /^(s3fs|s3ql|goofys|gcsfuse|gcsf|blobfuse2?|mountpoint-s3|mount-s3|rclone|geesefs|davfs2?|curlftpfs)/,
    'object-store',
  ],
  [/^(google-drive|onedrive|dropbox|keybase|ipfs)/, 'object-store'],
];

/** What kind of file system a mount is. */
export function familyOf(mount: Mount | null): Family {
  if (mount === null) return 'unknown';
  const known = BY_TYPE[mount.type];
  if (known !== undefined) return known;
  if (!mount.type.startsWith('fuse')) return 'unknown';
  for (const name of [mount.type.replace(/^fuse\.?/, ''), mount.source]) {
    for (const [pattern, family] of BY_FUSE_NAME) if (pattern.test(name)) return family;
  }
  return 'unknown';
}

/** Families whose directory only one machine can have, or should. */
export function isOneMachineOnly(family: Family): boolean {
  return family === 'local' || family === 'memory' || family === 'overlay';
}
