/** One volume of this host as the mount driver works on it: a device (device.ts) or a directory (directory.ts). */
import type { MountOptions } from '../../core/access/agent/ports.js';
import type { Log } from '../../core/agent/ports.js';
import { escapeText } from '../../render/format.js';
import type { ClientVolumeConfig } from '../client-config.js';
import type { HostTools } from './host-tools.js';
import type { MountEntry } from './mountinfo.js';

export interface MountJob {
  volume: string;
  config: ClientVolumeConfig;
  tools: HostTools;
  /** The cluster directory, for software locks. */
  dir: string;
  /** Between TERM and KILL of a program that is in the way, ms. */
  graceMs: number;
  log: Log;
}

export type Mode = 'none' | 'ro' | 'rw';

export interface VolumeMount {
  mode(): Promise<Mode>;
  /** See MountDriver. */
  mount(mode: 'ro' | 'rw', options: Pick<MountOptions, 'force' | 'softwareLock'>): Promise<void>;
  unmount(force: boolean): Promise<void>;
  written(): Promise<string | null>;
}

/** Never on top of something else: who looks there would see another thing than cfs believes. */
export function refuseForeign({ volume }: MountJob, at: string, foreign: MountEntry | null): void {
  if (foreign === null) return;
  throw new Error(
    `${volume} is not mounted: at ${escapeText(at)} there is something else, ${escapeText(foreign.source)} (${escapeText(foreign.fsType)}); unmount that, or correct "at"`,
  );
}
