/**
 * The administrator's own program as the driver: `COMMAND start VOLUME`, `COMMAND stop VOLUME`, `COMMAND running`.
 *
 *   start    returns 0 when the volume runs, also when it did before
 *   stop     returns 0 when the volume does not run, also when it did not before; must not return 0 before that is certain
 *   running  returns 0 and prints a line `VOLUME EPOCH` for each volume that runs on this node, whoever started it
 *
 * Any other status is a failure, with what it printed last as the reason. Variables: CFS_NODE, CFS_DIR, CFS_ACTION, and for
 * start and stop CFS_VOLUME and CFS_EPOCH, the fencing token: a later owner's is higher, and what keeps data should refuse a
 * lower one than it has seen. `stop` may be called with nothing known of the start, and without the shared directory.
 */
import type { Driver, Holding } from '../../core/agent/ports.js';
import { CfsError } from '../../core/errors.js';
import { parseName, quoteName } from '../../core/model/names.js';
import type { Programs } from '../programs.js';
import { saidLast } from '../run-program.js';

export interface ExecDriverOptions {
  command: string;
  node: string;
  /** The cluster directory, told to the program. */
  dir: string;
  programs: Pick<Programs, 'run'>;
  /** Longest time of a call, ms. */
  timeoutMs: number;
}

type Action = 'start' | 'stop' | 'running';

export class ExecDriver implements Driver {
  readonly name = 'exec';

  constructor(private readonly options: ExecDriverOptions) {}

  async start(holding: Holding): Promise<void> {
    await this.call('start', holding);
  }

  async stop(holding: Holding): Promise<void> {
    await this.call('stop', holding);
  }

  async running(): Promise<Holding[]> {
    const stdout = await this.call('running', null);
    return stdout
      .split('\n')
      .map((line) => line.trim())
      .filter((line) => line !== '')
      .map((line) => this.holdingOf(line));
  }

  /** @throws Error with a sentence; CfsError PROGRAM_NOT_TRUSTED */
  private async call(action: Action, holding: Holding | null): Promise<string> {
    const { command, node, dir, programs, timeoutMs } = this.options;
    const result = await programs.run('driver', {
      program: command,
      args: holding === null ? [action] : [action, holding.volume],
      variables: {
        CFS_NODE: node,
        CFS_DIR: dir,
        CFS_ACTION: action,
        ...(holding === null ? {} : { CFS_VOLUME: holding.volume, CFS_EPOCH: String(holding.epoch) }),
      },
      timeoutMs,
    });
    if (result.failure === null) return result.stdout;
    const said = saidLast(result);
    const what = holding === null ? action : `${action} ${quoteName(holding.volume)}`;
    throw new Error(`the driver's ${what} ${result.failure}${said === '' ? '' : `: ${said}`}`);
  }

  /** A name may have blanks within; the epoch is what follows the last one. */
  private holdingOf(line: string): Holding {
    const match = /^(.*\S)\s+(\d{1,15})$/.exec(line);
    try {
      if (match !== null) return { volume: parseName('volume', match[1]!), epoch: Number(match[2]) };
    } catch (error) {
      if (!(error instanceof CfsError)) throw error;
    }
    // Guessing here could leave a volume running that nobody knows of.
    throw new Error(`the driver's running printed ${quoteName(line)}, which is no line "VOLUME EPOCH"`);
  }
}
