/** The bundle with all of oclif. It is loaded twice in a process: by bin/run.js, and by oclif as the module of commands. */

import { TABLE } from 'cfs:commands';
import { join } from 'node:path';
import { runFull, withOwnFlags } from './full.js';
import type { CommandClass } from './registry.js';
import { reportError } from './report.js';
import { version } from './version.js';

/** The command classes by oclif's identifiers (`node:list`), for its explicit discovery. */
export const COMMANDS = Object.fromEntries(
  Object.entries(TABLE).map(([name, load]) => [name.replaceAll(' ', ':'), withOwnFlags(load() as CommandClass)]),
);

/** @param root the package's root, where dist/full.cjs is found */
export async function start(argv: string[], root: string): Promise<void> {
  const pjson = {
    name: '@cfs-cluster/cfs',
    version: version(),
    oclif: {
      bin: 'cfs',
      dirname: 'cfs',
      topicSeparator: ' ',
      additionalHelpFlags: ['-h'],
      commands: { strategy: 'explicit', target: join('.', 'dist', 'full.cjs'), identifier: 'COMMANDS' },
    },
  };
  try {
    await runFull(argv, TABLE, { root, pjson });
  } catch (error) {
    process.exitCode = reportError(error, 'cfs', argv.includes('--json'));
  }
}
