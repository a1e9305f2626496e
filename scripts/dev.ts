/** Runs the sources, for bin/dev.js: the same dispatcher over the files of src/commands, loaded when they are asked for. */
import { fileURLToPath } from 'node:url';
import { runFull, withOwnFlags } from '../src/cli/full.js';
import { main } from '../src/cli/main.js';
import type { CommandClass, CommandTable } from '../src/cli/registry.js';
import { reportError } from '../src/cli/report.js';
import { version } from '../src/cli/version.js';
import { commandFiles } from './build.js';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

const load = async (path: string): Promise<CommandClass> =>
  withOwnFlags(((await import(path)) as { default: CommandClass }).default);

const TABLE: CommandTable = Object.fromEntries(commandFiles().map(({ name, path }) => [name, () => load(path)]));

/** For oclif's help, which wants all classes at once; a promise that this module waits for would be a circle. */
export let COMMANDS: Record<string, CommandClass> = {};

export async function start(argv: string[]): Promise<void> {
  await main(argv, TABLE, async (rest) => {
    try {
      const entries = Object.entries(TABLE).map(
        async ([name, get]) => [name.replaceAll(' ', ':'), await get()] as const,
      );
      COMMANDS = Object.fromEntries(await Promise.all(entries));
      const commands = { strategy: 'explicit', target: './scripts/dev.ts', identifier: 'COMMANDS' };
      const oclif = { bin: 'cfs', dirname: 'cfs', topicSeparator: ' ', additionalHelpFlags: ['-h'], commands };
      await runFull(rest, TABLE, {
        root: ROOT,
        pjson: { name: '@cfs-cluster/cfs', version: version(), type: 'module', oclif },
      });
    } catch (error) {
      process.exitCode = reportError(error, 'cfs', rest.includes('--json'));
    }
  });
}
