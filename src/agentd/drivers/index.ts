/** The node's driver by its configuration; for the worker, the supervisor and `cfs agentd stop-all` alike. */
import type { Driver } from '../../core/agent/ports.js';
import type { DriverConfig } from '../config.js';
import type { OwnershipJournal } from '../journal.js';
import type { Programs } from '../programs.js';
import { ExecDriver } from './exec.js';
import { JournaledDriver, type JournaledOptions } from './journaled.js';
import { RecordDriver } from './record.js';

export interface DriverParts extends JournaledOptions {
  node: string;
  /** The cluster directory; only told to programs. */
  dir: string;
  programs: Pick<Programs, 'run'>;
  journal: Pick<OwnershipJournal, 'add' | 'open'>;
  /** Longest time of a call, ms, where it is shorter than the configured one: the supervisor's stops. */
  limitMs?: number;
}

/** Every start and stop through it stands in the journal. */
export function driverOf(config: DriverConfig, parts: DriverParts): Driver {
  const { node, dir, programs, journal, limitMs = Number.POSITIVE_INFINITY } = parts;
  const driver =
    config.type === 'record'
      ? new RecordDriver(journal)
      : new ExecDriver({
          command: config.command,
          node,
          dir,
          programs,
          timeoutMs: Math.min(config.timeoutMs, limitMs),
        });
  return new JournaledDriver(driver, journal, parts);
}
