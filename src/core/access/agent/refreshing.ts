/**
 * Making read-only mounts anew when their volume was modified (FIG. 15E): of those with autoUpdate, at most once per interval of
 * theirs by this host's clock. A mount that programs use is not torn away: it is tried again at the next interval.
 *
 * And those that show less than the tables say, with autoUpdate or not: a volume that was to be unmounted, could not be, and is wished
 * again.
 */
import { messageOf } from '../../agent/guard.js';
import type { HookEvent, Log } from '../../agent/ports.js';
import type { Clock } from '../../platform/clock.js';
import type { Asking } from './asking.js';
import type { ClientMounts } from './client-mounts.js';
import type { ClientView, VolumeView } from './client-view.js';

/** Longest time until a mount that shows less than the tables say is tried again. */
const LONGEST_PAUSE_MS = 5000;

export interface RefreshingOptions {
  client: string;
  view: ClientView;
  mounts: ClientMounts;
  asking: Asking;
  clock: Clock;
  log: Log;
  hook: (event: HookEvent, variables: Record<string, string>) => void;
}

export class Refreshing {
  /** When each may be made anew again, by the monotonic clock. */
  private readonly nextMs = new Map<string, number>();
  /** Made anew, and not recorded yet: with the generation that was read before. */
  private readonly done = new Map<string, number>();
  private readonly failed = new Map<string, string>();
  private isTelling = false;

  constructor(private readonly options: RefreshingOptions) {}

  step(generation: number): void {
    const { view, asking, client } = this.options;
    for (const map of [this.nextMs, this.done, this.failed]) {
      for (const volume of map.keys()) if (!view.volumes.has(volume)) map.delete(volume);
    }
    const nowMs = this.options.clock.monotonicMs();
    for (const item of view.volumes.values()) if (this.isStale(item)) this.see(item, nowMs);
    if (this.done.size === 0 || this.isTelling || !asking.isIdle || !asking.mayAsk('refreshed', generation)) return;
    const volumes = [...this.done].map(([volume, seen]) => ({ volume, seen }));
    this.isTelling = true;
    void asking.ask('refreshed', { client, volumes }).then(({ kind }) => {
      this.isTelling = false;
      if (kind === 'failed') return;
      for (const { volume, seen } of volumes) if (this.done.get(volume) === seen) this.done.delete(volume);
    });
  }

  nextDueMs(): number {
    let next = Number.POSITIVE_INFINITY;
    for (const [volume, atMs] of this.nextMs) {
      const item = this.options.view.volumes.get(volume);
      if (item !== undefined && this.isStale(item)) next = Math.min(next, atMs);
    }
    return next;
  }

  problems(): string[] {
    return [...this.failed].map(([volume, says]) => `volume ${volume} cannot be refreshed: ${says}`);
  }

  /** A mount that was never made as the tables say it was. */
  isOlderThanSaid({ volume, desired, refreshed }: VolumeView): boolean {
    return desired === 'ro' && this.options.mounts.shownAt(volume) < refreshed;
  }

  private isStale(item: VolumeView): boolean {
    const { volume, autoUpdate, desired, modified, refreshed } = item;
    const { mounts } = this.options;
    if (desired !== 'ro' || mounts.stateOf(volume).mode !== 'ro' || mounts.isBusy(volume)) return false;
    if (this.isOlderThanSaid(item)) return true;
    return autoUpdate && modified > Math.max(refreshed, this.done.get(volume) ?? 0);
  }

  private see(item: VolumeView, nowMs: number): void {
    const { volume, modified, autoUpdateIntervalMs } = item;
    const { mounts } = this.options;
    const isOlder = this.isOlderThanSaid(item);
    // Made after the last modification, for whatever reason.
    if (!isOlder && mounts.shownAt(volume) >= modified) {
      this.done.set(volume, mounts.shownAt(volume));
      return;
    }
    if (nowMs < (this.nextMs.get(volume) ?? Number.NEGATIVE_INFINITY)) return;
    this.nextMs.set(
      volume,
      nowMs + (isOlder ? Math.min(autoUpdateIntervalMs, LONGEST_PAUSE_MS) : autoUpdateIntervalMs),
    );
    void this.refresh(volume);
  }

  private async refresh(volume: string): Promise<void> {
    const { mounts, log, hook } = this.options;
    try {
      const seen = await mounts.refresh(volume);
      this.done.set(volume, seen);
      this.failed.delete(volume);
      log.info({ volume, seen }, `volume ${volume} is refreshed`);
      hook('refreshed', { CFS_VOLUME: volume });
    } catch (error) {
      const says = messageOf(error);
      if (this.failed.get(volume) !== says) log.warn({ volume }, `volume ${volume} cannot be refreshed: ${says}`);
      this.failed.set(volume, says);
    }
  }
}
