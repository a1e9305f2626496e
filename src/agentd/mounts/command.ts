/**
 * The administrator's own program as the driver (examples/mount-command.sh):
 *
 *   COMMAND ro|rw VOLUME      returns 0 when the volume is mounted in this mode; from rw to ro not before everything is written and
 *                             nothing can be written any more
 *   COMMAND unmount VOLUME    returns 0 when the volume is not mounted
 *   COMMAND mounted           returns 0 and prints a line `VOLUME ro` or `VOLUME rw` for each that is, whoever mounted it
 *   COMMAND written VOLUME    returns 0 and prints a line that is another one when the volume was written to since; nothing: not known
 *
 * Status 75 (EX_TEMPFAIL) means that programs use the volume; the last line that it printed names them. Any other is a failure, with what
 * it printed last as the reason. Variables: CFS_CLIENT, CFS_DIR, CFS_ACTION; CFS_VOLUME; CFS_MODE (ro, rw, none); for ro and rw CFS_EPOCH (the writer's
 * fencing token) and CFS_SOFTWARE_LOCK (1 or 0); CFS_FORCE (1: end the programs that are in the way).
 */
import { MountBusyError, type MountDriver, type MountOptions, type RealMount } from '../../core/access/agent/ports.js';
import { CfsError } from '../../core/errors.js';
import { parseName, quoteName } from '../../core/model/names.js';
import { escapeText } from '../../render/format.js';
import { type RunResult, saidLast } from '../run-program.js';
import type { MountParts } from './parts.js';

export interface CommandMountOptions extends Pick<MountParts, 'client' | 'dir' | 'programs' | 'log'> {
  command: string;
  /** Longest time of a call, ms. */
  timeoutMs: number;
}

/** EX_TEMPFAIL of sysexits.h. */
const BUSY = 75;

type Action = 'ro' | 'rw' | 'unmount' | 'mounted' | 'written';

export class CommandMountDriver implements MountDriver {
  readonly name = 'command';

  constructor(private readonly options: CommandMountOptions) {}

  async mount(volume: string, mode: 'ro' | 'rw', { epoch, force, softwareLock }: MountOptions): Promise<void> {
    await this.call(mode, volume, {
      CFS_MODE: mode,
      CFS_EPOCH: String(epoch),
      CFS_FORCE: force ? '1' : '0',
      CFS_SOFTWARE_LOCK: softwareLock ? '1' : '0',
    });
  }

  async unmount(volume: string, { force }: Pick<MountOptions, 'force'>): Promise<void> {
    await this.call('unmount', volume, { CFS_MODE: 'none', CFS_FORCE: force ? '1' : '0' });
  }

  async mounted(): Promise<RealMount[]> {
    const stdout = await this.call('mounted', null);
    return stdout
      .split('\n')
      .map((line) => line.trim())
      .filter((line) => line !== '')
      .map(mountOf);
  }

  async written(volume: string): Promise<string | null> {
    try {
      return (await this.call('written', volume)).trim() || null;
    } catch (error) {
      this.options.log.debug({ volume }, (error as Error).message);
      return null;
    }
  }

  /** @throws MountBusyError; Error with a sentence; CfsError PROGRAM_NOT_TRUSTED */
  private async call(action: Action, volume: string | null, variables: Record<string, string> = {}): Promise<string> {
    const { command, client, dir, programs, timeoutMs } = this.options;
    const result = await programs.run('mount command', {
      program: command,
      args: volume === null ? [action] : [action, volume],
      variables: {
        CFS_CLIENT: client,
        CFS_DIR: dir,
        CFS_ACTION: action,
        ...(volume === null ? {} : { CFS_VOLUME: volume }),
        ...variables,
      },
      timeoutMs,
    });
    if (result.failure === null) return result.stdout;
    if (result.status === BUSY && volume !== null) throw new MountBusyError(busySentence(volume, result), []);
    const said = escapeText(saidLast(result));
    const what = volume === null ? action : `${action} ${quoteName(volume)}`;
    throw new Error(`the mount command's ${what} ${result.failure}${said === '' ? '' : `: ${said}`}`);
  }
}

function busySentence(volume: string, result: RunResult): string {
  const who = escapeText(saidLast(result, 1));
  return `${quoteName(volume)} is in use${who === '' ? '' : `: ${who}`}`;
}

/** A name may have blanks within; the mode is what follows the last one. */
function mountOf(line: string): RealMount {
  const match = /^(.*\S)\s+(ro|rw)$/.exec(line);
  try {
    if (match !== null) return { volume: parseName('volume', match[1]!), mode: match[2] as 'ro' | 'rw' };
  } catch (error) {
    if (!(error instanceof CfsError)) throw error;
  }
  // Guessing here could leave a volume writable that nobody knows of.
  throw new Error(
    `the mount command's mounted printed ${quoteName(line)}, which is no line "VOLUME ro" or "VOLUME rw"`,
  );
}
