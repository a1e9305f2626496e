/** The mount driver of a client's host by its configuration; for the worker, the supervisor and commands alike. */
import type { MountDriver } from '../../core/access/agent/ports.js';
import type { ClientConfig } from '../client-config.js';
import { CommandMountDriver } from './command.js';
import { HostMountDriver } from './mount.js';
import type { MountParts } from './parts.js';
import { RecordMountDriver } from './record.js';

export type { MountParts } from './parts.js';

/** @param config null: this host's configuration names no client, so that nothing is touched (driver `record`) */
export function mountDriverOf(config: ClientConfig | null, parts: MountParts): MountDriver {
  const driver = config?.driver ?? { type: 'record' };
  if (config === null || driver.type === 'record') return new RecordMountDriver(parts.stateDir);
  const timeoutMs = Math.min(driver.timeoutMs, parts.limitMs ?? Number.POSITIVE_INFINITY);
  if (driver.type === 'command') return new CommandMountDriver({ ...parts, command: driver.command, timeoutMs });
  return new HostMountDriver({ ...parts, volumes: config.volumes, timeoutMs });
}
