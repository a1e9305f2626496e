/**
 * The client's own program that answers write requests where autoRespond is on (FIG. 15C, 1610). It ends with 0 to give the right to
 * write up, with anything else to keep it; what it printed last goes to whoever asked. Without a program the answer is yes.
 *
 * Variables: CFS_CLIENT (the writer, who is asked), CFS_VOLUME, CFS_FROM (who asks), CFS_MESSAGE (empty: none), CFS_DIR.
 */
import type { AutoAnswer } from '../core/access/agent/ports.js';
import type { Programs } from './programs.js';
import { type RunResult, saidLast } from './run-program.js';

export interface AnswerOptions {
  client: string;
  dir: string;
  /** Absolute; null: none is configured. */
  program: string | null;
  timeoutMs: number;
  programs: Pick<Programs, 'run'>;
}

export class ProgramAnswer implements AutoAnswer {
  constructor(private readonly options: AnswerOptions) {}

  async answer(request: { volume: string; from: string; message: string | null }) {
    const { client, dir, program, timeoutMs, programs } = this.options;
    if (program === null) return { grant: true, message: null };
    let result: RunResult;
    try {
      result = await programs.run('automatic answer', {
        program,
        variables: {
          CFS_CLIENT: client,
          CFS_VOLUME: request.volume,
          CFS_FROM: request.from,
          // What a variable cannot hold.
          CFS_MESSAGE: (request.message ?? '').replaceAll('\0', ''),
          CFS_DIR: dir,
        },
        timeoutMs,
      });
    } catch (error) {
      return { grant: false, message: (error as Error).message };
    }
    const said = saidLast(result, 1);
    if (result.failure === null) return { grant: true, message: said === '' ? null : said };
    return { grant: false, message: said === '' ? `the automatic answer ${result.failure}` : said };
  }
}
