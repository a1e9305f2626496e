/**
 * A volume on a block device, or in an image file that a loop device stands for.
 *
 *   rw -> ro   the file system is remounted read-only (the kernel writes everything out and empties the journal; it refuses while any program of
 *              this host, in whatever namespace, has a file open for writing): from here on nothing of this host writes. Then it is unmounted
 *              and mounted anew without the journal. Where programs that only read are in the way, that is left for the next refresh:
 *              their files stay open, and nothing depends on it for safety.
 *   ro -> ro, ro -> rw   needs a real unmount: what the host has cached of the file system is stale, and writing by it would destroy what others wrote
 *   rw -> none unmounted; only where another namespace would keep it alive it is made read-only before
 *
 * Before a mount, what the host has cached of the device is dropped (`blockdev --flushbufs`): it outlives the unmount where somebody else
 * has the device open. And a device that is mounted read-only is itself set to read-only, because ext4 writes an error into the superblock even
 * then (and a reader beside a writer may well meet one); it is set back before it is mounted for writing, and after the unmount.
 */
import { constants, readFileSync } from 'node:fs';
import { open, realpath, stat } from 'node:fs/promises';
import { MountBusyError } from '../../core/access/agent/ports.js';
import { escapeText } from '../../render/format.js';
import { asHolders, type ForeignMount, type FoundHolder, holdersOf, mountsElsewhere } from './holders.js';
import { filesOfKernel, loopDevices, mountsUpon } from './in-the-way.js';
import { inUseSentence, untilFree } from './in-use.js';
import { type Mode, type MountJob, refuseForeign, type VolumeMount } from './job.js';
import { goesWith, type MountEntry, readMountInfo } from './mountinfo.js';
import { deviceOptions, remountOptions } from './options.js';
import { deviceNumber, deviceOf, inTime, makePlace, placeOf } from './place.js';
import { refuseForeignLock, setSoftwareLock } from './software-lock.js';

interface Look {
  at: string;
  isImage: boolean;
  /** Block devices that are the volume: one; of an image the loop devices on it. Null: the device is not there. */
  numbers: ReadonlySet<string> | null;
  entries: MountEntry[];
  /** The volume at its mount point; the last one is seen. */
  here: MountEntry[];
  /** The volume elsewhere in this namespace, and in others. */
  beside: MountEntry[];
  away: ForeignMount[];
  foreign: MountEntry | null;
}

/** How long the kernel may take to let go of a device that was unmounted, ms. */
const FREE_MS = 1000;

export class DeviceMount implements VolumeMount {
  constructor(private readonly job: MountJob) {}

  private get path(): string {
    return this.job.config.device!;
  }

  async mode(): Promise<Mode> {
    return modeOf(await this.look());
  }

  async mount(mode: 'ro' | 'rw', { force, softwareLock }: { force: boolean; softwareLock: boolean }): Promise<void> {
    const { volume, dir } = this.job;
    const look = await this.look();
    const is = modeOf(look);
    if (mode === 'ro' && is === 'rw') return this.giveUp(look, force);
    if (is !== 'rw' || look.here.length === 0) this.refuse(look);
    if (mode === 'rw' && is === 'ro') await refuseForeignLock(volume, look.at, dir);
    if (mode === 'rw' && is === 'none' && softwareLock) await this.lookForLock(look);
    if (is !== 'rw') {
      await this.leave(await this.look(), force);
      await this.mountAnew(look, mode);
    }
    if (mode === 'rw') await this.lock(look.at, softwareLock);
  }

  async unmount(force: boolean): Promise<void> {
    const look = await this.look();
    if (modeOf(look) === 'rw' && look.here.length > 0 && outlivesUnmount(look)) await this.makeReadOnly(look, force);
    await this.leave(look, force);
    if (look.numbers !== null && !look.isImage && isSetReadOnly(look.numbers)) await this.blockdev(['--setrw']);
  }

  /** Sectors written to the device since it exists (Documentation/admin-guide/iostats.rst, field 7), and which device that is. */
  async written(): Promise<string | null> {
    const { here, numbers } = await this.look();
    const number = here.length === 0 ? null : blockDevices(numbers)[0];
    try {
      if (number) return `${number}/${statOf(number)}`;
    } catch {
      // The device is gone.
    }
    return null;
  }

  private async giveUp(look: Look, force: boolean): Promise<void> {
    const { volume, log } = this.job;
    await this.makeReadOnly(look, force);
    if (look.numbers === null) return;
    if (!look.isImage) await this.blockdev(['--setro']);
    if (look.here.length === 0) this.refuse(look);
    // Where the file system lives on elsewhere, a mount anew would show the same.
    if (outlivesUnmount(look) || !(await this.detach(look))) {
      log.info(
        { volume },
        `${volume} is read-only, and stays mounted as it is: ${inUseSentence(volume, await this.usersOf(look), this.alsoOf(look))}`,
      );
      return;
    }
    await this.freed();
    await this.mountAnew(look, 'ro');
  }

  /** The whole file system, in all namespaces, by any of its mounts. */
  private async makeReadOnly(look: Look, force: boolean): Promise<void> {
    const { volume, tools, config, graceMs, log } = this.job;
    const mount = look.here.at(-1) ?? look.beside[0];
    if (mount === undefined) throw this.busy(asHolders(look.away));
    const failure = `${volume} could not be made read-only`;
    const options = remountOptions('ro', config);
    await untilFree({
      volume,
      failure,
      force,
      graceMs,
      log,
      attempt: () => tools.mountUnlessBusy(['-o', options, '--source', mount.source, '--target', mount.at], failure),
      inTheWay: async () => {
        const users = await holdersOf((entry) => this.isVolume(entry, look.numbers));
        const writers = users.filter(({ isWriting }) => isWriting);
        // Deleted files are in the way as long as they are open, though only read.
        return writers.length > 0 ? writers : users.filter(({ path }) => path.endsWith(' (deleted)'));
      },
      alsoInTheWay: () => filesOfKernel(mount.at),
    });
    const after = await this.look();
    if (modeOf(after) === 'rw') throw new Error(`${failure}: mount said that it is, and it is not`);
  }

  /** Has the volume mounted nowhere on this host. */
  private async leave(look: Look, force: boolean): Promise<void> {
    const { volume, graceMs, log } = this.job;
    if (look.here.length > 0) {
      await untilFree({
        volume,
        failure: `${volume} could not be unmounted`,
        force,
        graceMs,
        log,
        attempt: () => this.detach(look),
        inTheWay: () => this.usersOf(look),
        alsoInTheWay: () => this.alsoOf(look),
      });
    }
    await this.freed();
  }

  /** @returns false: it is in use */
  private async detach(look: Look): Promise<boolean> {
    const { volume, tools } = this.job;
    for (const _ of look.here) {
      const now = (readMountInfo() ?? []).filter(({ at }) => at === look.at).at(-1);
      if (now === undefined || !look.here.some(({ id }) => id === now.id)) break;
      if (!(await tools.unmount(look.at, `${volume} could not be unmounted`))) return false;
    }
    return true;
  }

  /** Nobody on this host has the file system any more: in no namespace, and not after a lazy unmount either. */
  private async freed(): Promise<void> {
    const { volume } = this.job;
    for (const began = performance.now(); ; ) {
      if (await this.isFree()) return;
      const { beside, away } = await this.look();
      if (beside.length > 0) throw this.elsewhere(beside);
      const waitedMs = performance.now() - began;
      // Its last process may be about to end.
      if (away.length > 0 && waitedMs > FREE_MS / 2) throw this.busy(asHolders(away));
      if (waitedMs > FREE_MS) break;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    throw new MountBusyError(
      `${volume} is in use: something on this host holds ${escapeText(this.path)}, such as files open from before a lazy unmount, LVM or RAID`,
      [],
    );
  }

  /** A device that a file system uses is claimed by it; nobody else can then claim it (O_EXCL of open(2)). */
  private async isFree(): Promise<boolean> {
    const { isImage, numbers } = await this.look();
    const paths = isImage ? blockDevices(numbers).map((number) => `/dev/loop${number.split(':')[1]}`) : [this.path];
    for (const path of numbers === null ? [] : paths) {
      try {
        const file = await inTime(open(path, constants.O_RDONLY | constants.O_EXCL), path);
        await file.close();
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'EBUSY') return false;
        // A loop device that went away meanwhile, or media taken out.
        if (!['ENOENT', 'ENXIO', 'ENOMEDIUM'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
      }
    }
    return true;
  }

  private async mountAnew({ at, isImage }: Look, mode: 'ro' | 'rw'): Promise<void> {
    const { volume, config, tools } = this.job;
    const what = `${volume} could not be mounted at ${escapeText(at)}`;
    await makePlace(at);
    if (!isImage) await this.blockdev(['--flushbufs', mode === 'ro' ? '--setro' : '--setrw']);
    const fsType = config.fsType ?? (await tools.fsTypeOf(this.path));
    const options = deviceOptions(mode, fsType, config, isImage);
    await tools.mount(['-t', fsType, '-o', options, '--source', this.path, '--target', at], what);
    const after = await this.look();
    const is = modeOf(after);
    if (is === mode && after.here.length > 0) return;
    // mount(8) makes it read-only where the device can be nothing else.
    if (after.here.length > 0) await this.detach(after);
    throw new Error(`${what}: it is "${is}" and not "${mode}"; is the device write-protected?`);
  }

  /** Read-only: of somebody else's volume not even the journal is replayed. */
  private async lookForLock(look: Look): Promise<void> {
    await this.mountAnew(look, 'ro');
    try {
      await refuseForeignLock(this.job.volume, look.at, this.job.dir);
    } catch (error) {
      await this.detach(await this.look());
      throw error;
    }
  }

  /** What cannot be locked is not left mounted for writing. */
  private async lock(at: string, isOn: boolean): Promise<void> {
    try {
      await setSoftwareLock(this.job.volume, at, this.job.dir, isOn);
    } catch (error) {
      await this.detach(await this.look());
      throw error;
    }
  }

  private async blockdev(args: string[]): Promise<void> {
    const { volume, tools, log } = this.job;
    const said = await tools.blockdev(args, this.path);
    if (said !== null) log.warn({ volume }, `blockdev ${args.join(' ')} of ${this.path}: ${said}`);
  }

  private refuse(look: Look): void {
    const { volume } = this.job;
    refuseForeign(this.job, look.at, look.foreign);
    if (look.numbers === null) throw new Error(`${volume} cannot be mounted: there is no ${escapeText(this.path)}`);
    if (look.beside.length > 0) throw this.elsewhere(look.beside);
  }

  private elsewhere(beside: readonly MountEntry[]): Error {
    const places = beside.map(({ at }) => escapeText(at)).join(', ');
    const { volume, config } = this.job;
    return new Error(`${volume} is mounted at ${places}, and not only at ${escapeText(config.at)}: unmount it there`);
  }

  private busy(holders: FoundHolder[]): MountBusyError {
    return new MountBusyError(inUseSentence(this.job.volume, holders), holders);
  }

  /** Whoever keeps it from being unmounted. */
  private usersOf({ here, numbers }: Look): Promise<FoundHolder[]> {
    return holdersOf((entry, isOwn) =>
      isOwn
        ? here.some(({ id }) => id === entry.id)
        : this.isVolume(entry, numbers) && here.some((mount) => goesWith(entry, mount)),
    );
  }

  private alsoOf({ at, here, beside, away }: Look): string[] {
    const apart = away.filter(({ entry }) => !here.some((mount) => goesWith(entry, mount)));
    const others = [...beside.map(({ at }) => at), ...apart.map(({ entry, pid }) => `${entry.at} of pid ${pid}`)];
    return [
      ...mountsUpon(readMountInfo() ?? [], here),
      ...filesOfKernel(at),
      ...others.map((place) => `it is mounted at ${escapeText(place)} as well`),
    ];
  }

  private isVolume(entry: MountEntry, numbers: ReadonlySet<string> | null): boolean {
    return numbers?.has(entry.device) ?? false;
  }

  private async look(): Promise<Look> {
    const { config } = this.job;
    const entries = readMountInfo() ?? [];
    const at = await placeOf(entries, config.at);
    const { isImage, numbers } = await this.device(entries);
    const top = entries.filter((entry) => entry.at === at).at(-1) ?? null;
    // Of a device that is not there any more, what is mounted in its place is taken for it: to be given up, never to be used.
    const ours = (entry: MountEntry) =>
      numbers === null ? entry.at === at && !entry.device.startsWith('0:') : numbers.has(entry.device);
    const mounts = entries.filter(ours);
    return {
      at,
      isImage,
      numbers,
      entries,
      here: mounts.filter((entry) => entry.at === at),
      beside: mounts.filter((entry) => entry.at !== at),
      away: numbers === null || numbers.size === 0 ? [] : mountsElsewhere((entry) => numbers.has(entry.device)),
      foreign: top === null || ours(top) ? null : top,
    };
  }

  private async device(entries: readonly MountEntry[]): Promise<Pick<Look, 'isImage' | 'numbers'>> {
    const { path } = this;
    const loops = loopDevices();
    // By its name alone where that suffices: an image may lie on a file system that hangs.
    let attached = loops.filter(({ file }) => file === path);
    let isImage = attached.length > 0;
    let own: string | null = null;
    if (!isImage) {
      try {
        const found = await inTime(stat(path), path);
        isImage = found.isFile();
        if (found.isBlockDevice()) own = deviceNumber(found);
        else if (!isImage) throw new Error(`${escapeText(path)} is neither a block device nor an image file`);
        const real = isImage ? await inTime(realpath(path), path) : path;
        if (isImage) attached = loops.filter(({ file }) => file === real);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
        return { isImage: false, numbers: null };
      }
    }
    const numbers = new Set(isImage ? attached.map(({ number }) => number) : [own!]);
    // btrfs shows a number of its own for what lies on the device.
    for (const entry of entries) if (numbers.has(await deviceOf(entry))) numbers.add(entry.device);
    return { isImage, numbers };
  }
}

/** Where it is mounted more than once: the one that can do most. */
function modeOf({ here, beside, away }: Pick<Look, 'here' | 'beside' | 'away'>): Mode {
  const all = [...here, ...beside, ...away.map(({ entry }) => entry)];
  if (all.some(({ isFileSystemReadOnly }) => !isFileSystemReadOnly)) return 'rw';
  return all.length > 0 ? 'ro' : 'none';
}

/** Whether the file system is mounted elsewhere, too, where an unmount here changes nothing. */
function outlivesUnmount({ here, beside, away }: Look): boolean {
  return beside.length > 0 || away.some(({ entry }) => !here.some((mount) => goesWith(entry, mount)));
}

/** Without the numbers of no block device that btrfs and the like show. */
function blockDevices(numbers: ReadonlySet<string> | null): string[] {
  return [...(numbers ?? [])].filter((number) => !number.startsWith('0:'));
}

function statOf(number: string): string {
  return readFileSync(`/sys/dev/block/${number}/stat`, 'utf8').trim().split(/\s+/)[6]!;
}

function isSetReadOnly(numbers: ReadonlySet<string>): boolean {
  return [...numbers].some((number) => {
    try {
      return readFileSync(`/sys/dev/block/${number}/ro`, 'utf8').trim() === '1';
    } catch {
      return false;
    }
  });
}
