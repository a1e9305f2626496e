/**
 * A volume that is a directory, bound to its mount point. The directory itself stays what it is: cfs guards the mount point, and whoever may write
 * by another path, on this host or elsewhere, is not kept from it.
 *
 * A bind mount takes its flags over from what is bound, and mount(8) makes it read-only in a second step only. Hence it is made at a
 * place that only root can enter, set to its mode there, and bound from there: never writable for a moment where all can see it.
 *
 *   rw -> ro   the mount point is remounted read-only (the kernel refuses while a file is open for writing through it), and what was
 *              written is synced; nothing is unmounted, and readers keep their files: a bind mount shows what there is, always
 *   ro -> rw   the same, the other way
 */
import { existsSync, mkdtempSync, readdirSync, rmdirSync } from 'node:fs';
import { realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { escapeText } from '../../render/format.js';
import { type FoundHolder, holdersOf, mountsElsewhere } from './holders.js';
import { filesOfKernel, mountsUpon } from './in-the-way.js';
import { untilFree } from './in-use.js';
import { type Mode, type MountJob, refuseForeign, type VolumeMount } from './job.js';
import { goesWith, type MountEntry, mountOfPath, readMountInfo } from './mountinfo.js';
import { bindOptions } from './options.js';
import { inTime, makePlace, placeOf, requireDirectory } from './place.js';
import { refuseForeignLock, setSoftwareLock } from './software-lock.js';

interface Look {
  at: string;
  here: MountEntry[];
  foreign: MountEntry | null;
}

const STAGES = '/run';
const STAGE = 'cfs-bind-';
let isSwept = false;

export class DirectoryMount implements VolumeMount {
  constructor(private readonly job: MountJob) {}

  async mode(): Promise<Mode> {
    const { here } = await this.look();
    return modeOf(here);
  }

  async mount(mode: 'ro' | 'rw', { force, softwareLock }: { force: boolean; softwareLock: boolean }): Promise<void> {
    const { volume, config, dir } = this.job;
    const look = await this.look();
    refuseForeign(this.job, look.at, look.foreign);
    const is = modeOf(look.here);
    if (mode === 'ro' && is === 'rw') return this.giveUp(look, force);
    if (mode === 'rw' && is !== 'rw') await refuseForeignLock(volume, config.directory!, dir);
    if (is === 'none') await this.mountAnew(look, mode);
    else if (is !== mode) await this.remount(look, mode, false);
    // A former attempt may have come so far only.
    else if (mode === 'ro') await this.quiet(look, force);
    if (mode === 'rw') await this.lock(look, softwareLock);
  }

  async unmount(force: boolean): Promise<void> {
    const { volume, tools } = this.job;
    const look = await this.look();
    if (look.here.length === 0) return;
    const wasWriting = modeOf(look.here) === 'rw';
    // Before: afterwards nothing here would tell of the copies, when it is tried again.
    await this.quiet(look, force);
    await this.leave(look, force);
    if (wasWriting) await tools.sync(this.job.config.directory!, `${volume} is unmounted, but not synced`);
  }

  /** It cannot be told cheaply: the kernel counts what is written per device, and others write on that, too. */
  async written(): Promise<string | null> {
    return null;
  }

  private async giveUp(look: Look, force: boolean): Promise<void> {
    const { volume, tools } = this.job;
    await this.remount(look, 'ro', force);
    // A remount reaches this namespace only; an unmount, and a mount, those that follow it (of services with a /tmp of their own, say).
    if (this.copies(look).some(({ follows }) => follows)) {
      await this.leave(look, force);
      await this.mountAnew(look, 'ro');
    }
    await this.quiet(look, force);
    await tools.sync(look.at, `${volume} is read-only, but not synced`);
  }

  private async leave(look: Look, force: boolean): Promise<void> {
    const { volume, tools, graceMs, log } = this.job;
    const failure = `${volume} could not be unmounted`;
    await untilFree({
      volume,
      failure,
      force,
      graceMs,
      log,
      attempt: async () => {
        for (const { id } of [...look.here].reverse()) {
          const top = (readMountInfo() ?? []).filter(({ at }) => at === look.at).at(-1);
          if (top?.id === id && !(await tools.unmount(look.at, failure))) return false;
        }
        return true;
      },
      inTheWay: () => this.usersOf(look),
      alsoInTheWay: () => [...mountsUpon(readMountInfo() ?? [], look.here), ...filesOfKernel(look.at)],
    });
  }

  /**
   * Copies in namespaces that do not follow this one stay writable; they are one more path to the directory that cfs does not guard.
   * But a program that writes by one now is a writer that has not ended.
   */
  private async quiet(look: Look, force: boolean): Promise<void> {
    const { volume, graceMs, log } = this.job;
    const copies = this.copies(look);
    if (copies.length === 0) return;
    const writers = async () =>
      (await holdersOf((entry) => look.here.some((mount) => isCopy(entry, mount)))).filter(
        (holder) => holder.isWriting,
      );
    await untilFree({
      volume,
      failure: `${volume} could not be made read-only`,
      force,
      graceMs,
      log,
      attempt: async () => (await writers()).length === 0,
      inTheWay: writers,
      alsoInTheWay: () => [],
    });
    const pids = copies.map(({ pid }) => pid).join(', ');
    log.warn(
      { volume },
      `${volume} stays writable for mount namespaces that do not follow this one: those of pid ${pids}`,
    );
  }

  private async remount(look: Look, mode: 'ro' | 'rw', force: boolean): Promise<void> {
    const { volume, tools, config, graceMs, log } = this.job;
    const failure = `${volume} could not be made ${mode === 'ro' ? 'read-only' : 'writable'}`;
    await untilFree({
      volume,
      failure,
      force,
      graceMs,
      log,
      attempt: () =>
        tools.mountUnlessBusy(
          ['-o', bindOptions(mode, config), '--source', config.directory!, '--target', look.at],
          failure,
        ),
      inTheWay: async () => (await this.usersOf(look)).filter(({ isWriting }) => isWriting),
      alsoInTheWay: () => filesOfKernel(look.at),
    });
    await this.verify(look.at, mode, failure);
  }

  private async mountAnew({ at }: Look, mode: 'ro' | 'rw'): Promise<void> {
    const { volume, tools, config } = this.job;
    const what = `${volume} could not be mounted at ${escapeText(at)}`;
    await requireDirectory(config.directory!, what);
    await makePlace(at);
    if (!isSwept) sweepStages();
    isSwept = true;
    const stage = mkdtempSync(join(STAGES, `${STAGE}${process.pid}-`));
    try {
      await tools.mount(['-o', 'bind', '--source', config.directory!, '--target', stage], what);
      try {
        await tools.mount(['-o', bindOptions(mode, config), '--source', config.directory!, '--target', stage], what);
        await tools.mount(['-o', 'bind', '--source', stage, '--target', at], what);
      } finally {
        await tools.unmount(stage, what);
      }
    } finally {
      rmdirSync(stage);
    }
    await this.verify(at, mode, what);
  }

  /** @throws Error, with nothing mounted for writing that was not to be */
  private async verify(at: string, mode: 'ro' | 'rw', what: string): Promise<void> {
    const is = modeOf((await this.look()).here);
    if (is !== mode) throw new Error(`${what}: ${escapeText(at)} is "${is}" and not "${mode}"`);
  }

  private async lock(look: Look, isOn: boolean): Promise<void> {
    try {
      await setSoftwareLock(this.job.volume, look.at, this.job.dir, isOn);
    } catch (error) {
      await this.giveUp(await this.look(), false);
      throw error;
    }
  }

  /** Whoever has the mount in use, in this namespace and in those that follow it. */
  private usersOf({ here }: Look): Promise<FoundHolder[]> {
    return holdersOf((entry, isOwn) =>
      here.some((mount) => (isOwn ? entry.id === mount.id : isCopy(entry, mount) && goesWith(entry, mount))),
    );
  }

  /** Writable copies in other namespaces, and whether an unmount here takes them away. */
  private copies({ here }: Look) {
    return mountsElsewhere((entry) => !entry.isReadOnly && here.some((mount) => isCopy(entry, mount))).map((copy) => ({
      ...copy,
      follows: here.some((mount) => goesWith(copy.entry, mount)),
    }));
  }

  private async look(): Promise<Look> {
    const { config } = this.job;
    const entries = readMountInfo() ?? [];
    const at = await placeOf(entries, config.at);
    const there = entries.filter((entry) => entry.at === at);
    let directory = config.directory!;
    if (there.length > 0 && !there.some((entry) => isBoundFrom(entries, directory, entry))) {
      // Only where the name alone does not tell: looking may hang.
      directory = await inTime(realpath(directory), directory).catch(() => directory);
    }
    const here = there.filter((entry) => isBoundFrom(entries, directory, entry));
    const top = there.at(-1) ?? null;
    return { at, here, foreign: top === null || here.includes(top) ? null : top };
  }
}

/** Whether the mount shows this directory. */
function isBoundFrom(entries: readonly MountEntry[], directory: string, mount: MountEntry): boolean {
  const origin = mountOfPath(
    entries.filter(({ id }) => id !== mount.id),
    directory,
  );
  if (origin === null || origin.device !== mount.device) return false;
  const rest = origin.at === '/' ? directory : directory.slice(origin.at.length);
  const root = `${origin.root === '/' ? '' : origin.root}${rest === '/' ? '' : rest}` || '/';
  return root === mount.root;
}

function isCopy(entry: MountEntry, { device, root, at }: MountEntry): boolean {
  return entry.device === device && entry.root === root && entry.at === at;
}

function modeOf(here: readonly MountEntry[]): Mode {
  if (here.length === 0) return 'none';
  return here.some(({ isReadOnly }) => !isReadOnly) ? 'rw' : 'ro';
}

/** Removes the empty places that processes left which were killed while they mounted. What is mounted at one keeps it (EBUSY). */
export function sweepStages(dir = STAGES): void {
  for (const name of readdirSync(dir)) {
    const pid = new RegExp(`^${STAGE}([0-9]+)-`).exec(name)?.[1];
    if (pid === undefined || existsSync(`/proc/${pid}`)) continue;
    try {
      rmdirSync(join(dir, name));
    } catch {
      // In use, or removed by another one.
    }
  }
}
