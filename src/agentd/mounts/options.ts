/** Options of mount(8) by the type of the file system and the mode. */
import type { ClientVolumeConfig } from '../client-config.js';

/**
 * What keeps a read-only mount from writing: even `ro` replays the journal, which is that of another host, at work. A mount without it sees
 * the device as it is, and does not see what stands in the journal only; hence a mount anew after the writer has given up.
 */
const NO_REPLAY: Record<string, string> = {
  ext3: 'noload',
  ext4: 'noload',
  xfs: 'norecovery',
  btrfs: 'rescue=nologreplay',
  f2fs: 'norecovery',
  nilfs2: 'norecovery',
};

type OptionLists = Pick<ClientVolumeConfig, 'options' | 'roOptions' | 'rwOptions'>;

/** For `mount -o`, of a device. */
export function deviceOptions(mode: 'ro' | 'rw', fsType: string, volume: OptionLists, isImage = false): string {
  const noReplay = mode === 'ro' ? (NO_REPLAY[fsType] ?? null) : null;
  return joined([mode, ...(isImage ? ['loop'] : []), ...(noReplay === null ? [] : [noReplay])], mode, volume);
}

/** For `mount -o`, of a bound directory. */
export function bindOptions(mode: 'ro' | 'rw', volume: OptionLists): string {
  return joined(['remount', 'bind', mode], mode, volume);
}

/** Those of the mount itself, which a remount would take away when they were not said again. */
const OF_THE_MOUNT = new Set(
  'nosuid nodev noexec noatime nodiratime relatime strictatime nosymfollow suid dev exec atime diratime'.split(' '),
);

/** For `mount -o`, of a device that is mounted. */
export function remountOptions(mode: 'ro' | 'rw', { options, roOptions, rwOptions }: OptionLists): string {
  const more = [...options, ...(mode === 'ro' ? roOptions : rwOptions)].filter((option) => OF_THE_MOUNT.has(option));
  return [...new Set(['remount', mode, ...more])].join(',');
}

function joined(first: string[], mode: 'ro' | 'rw', { options, roOptions, rwOptions }: OptionLists): string {
  return [...new Set([...first, ...options, ...(mode === 'ro' ? roOptions : rwOptions)])].join(',');
}
