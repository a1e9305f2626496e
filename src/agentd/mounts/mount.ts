/**
 * The driver that really mounts, with mount(8): devices, images and directories of this host's configuration. Calls for one volume follow
 * one another; those for several go on at once.
 */
import type { MountDriver, MountOptions, RealMount } from '../../core/access/agent/ports.js';
import { quoteName } from '../../core/model/names.js';
import type { ClientVolumeConfig } from '../client-config.js';
import { DeviceMount } from './device.js';
import { DirectoryMount } from './directory.js';
import { HostTools } from './host-tools.js';
import type { MountJob, VolumeMount } from './job.js';
import { mountInfoText } from './mountinfo.js';
import type { MountParts } from './parts.js';

export interface HostMountOptions extends Pick<MountParts, 'dir' | 'programs' | 'log' | 'graceMs'> {
  volumes: Record<string, ClientVolumeConfig>;
  /** Longest time of one program, ms. */
  timeoutMs: number;
}

/** Longest time between TERM and KILL of a program that is in the way, ms. */
const GRACE_MS = 2000;
/** Device names and other mount namespaces may change while mountinfo stays the same, ms. */
const KNOWN_MS = 60_000;

export class HostMountDriver implements MountDriver {
  readonly name = 'mount';
  private readonly mounts = new Map<string, VolumeMount>();
  private readonly last = new Map<string, Promise<unknown>>();
  /** Begins and ends of calls that may change mounts. */
  private changes = 0;
  private known: { text: string; changes: number; atMs: number; found: RealMount[] } | null = null;

  constructor({
    volumes,
    dir,
    programs,
    log,
    timeoutMs,
    graceMs = Math.min(GRACE_MS, timeoutMs / 4),
  }: HostMountOptions) {
    const tools = new HostTools({ programs, timeoutMs });
    for (const [volume, config] of Object.entries(volumes)) {
      const job: MountJob = { volume, config, tools, dir, graceMs, log };
      this.mounts.set(volume, config.directory === null ? new DeviceMount(job) : new DirectoryMount(job));
    }
  }

  async mount(volume: string, mode: 'ro' | 'rw', options: MountOptions): Promise<void> {
    await this.inTurn(volume, (it) => it.mount(mode, options));
  }

  /** What this host's configuration does not know, it has not mounted. */
  async unmount(volume: string, { force }: Pick<MountOptions, 'force'>): Promise<void> {
    if (this.mounts.has(volume)) await this.inTurn(volume, (it) => it.unmount(force));
  }

  /** An agent asks every few seconds: where nothing is mounted otherwise than when it asked before, that is one read of mountinfo. */
  async mounted(): Promise<RealMount[]> {
    const text = mountInfoText();
    const { changes, known } = this;
    const nowMs = performance.now();
    if (known?.text === text && known.changes === changes && nowMs - known.atMs < KNOWN_MS) {
      return [...known.found];
    }
    const found = await this.look();
    this.known = { text, changes, atMs: nowMs, found: [...found] };
    return found;
  }

  private async look(): Promise<RealMount[]> {
    const found = await Promise.all([...this.mounts].map(async ([volume, it]) => ({ volume, mode: await it.mode() })));
    return found.filter((mount): mount is RealMount => mount.mode !== 'none');
  }

  async written(volume: string): Promise<string | null> {
    return (await this.mounts.get(volume)?.written()) ?? null;
  }

  private async inTurn<T>(volume: string, step: (it: VolumeMount) => Promise<T>): Promise<T> {
    const it = this.mounts.get(volume);
    if (it === undefined) {
      throw new Error(
        `${quoteName(volume)} cannot be mounted here: it is not said where; add it to "client.volumes" in the configuration of this host's agent`,
      );
    }
    const turn = (this.last.get(volume) ?? Promise.resolve()).then(
      () => step(it),
      () => step(it),
    );
    this.last.set(volume, turn);
    this.changes += 1;
    return turn.finally(() => {
      this.changes += 1;
    });
  }
}
