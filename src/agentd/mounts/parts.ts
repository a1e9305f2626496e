/** What a mount driver needs besides its configuration. Few things, so that commands without an agent can make one, too. */
import type { Log } from '../../core/agent/ports.js';
import type { Programs } from '../programs.js';

export interface MountParts {
  client: string;
  /** The cluster directory, absolute; told to programs, and read when a volume with a software lock is mounted for writing, never else. */
  dir: string;
  programs: Pick<Programs, 'run'>;
  /** Where the record driver remembers its mounts over the end of the process; null: it does not. */
  stateDir: string | null;
  log: Log;
  /** Time between TERM and KILL of a program that is in the way, where it is ended by force, ms; default 2 s, or a quarter of the timeout. */
  graceMs?: number;
  /** Longest time of one program, ms, where it is shorter than the configured one: the supervisor's stops. */
  limitMs?: number;
}
