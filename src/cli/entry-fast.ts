/** The bundle for known commands. bin/run.js calls what it exports. */
import { TABLE } from 'cfs:commands';
import { main } from './main.js';

export { ran } from './main.js';

/** Runs cfs; `full` is called for help and for what is no command. */
export function start(argv: string[], full: (argv: string[]) => Promise<void>): Promise<void> {
  return main(argv, TABLE, full);
}
