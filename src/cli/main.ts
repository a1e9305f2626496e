/**
 * The dispatcher: a known command runs at once, without oclif's Config; help and everything unknown go to the full entry.
 * Both entries run the same classes with the same parser; test/cli/entries.test.ts compares them.
 */
import { writeOut } from '../render/output.js';
import { smallConfig } from './config.js';
import { type CommandTable, findCommand } from './registry.js';
import { reportError } from './report.js';
import { version } from './version.js';

/** Handles what is no known command, or asks for help. Sets process.exitCode. */
export type FullEntry = (argv: string[]) => Promise<void>;

/** Whether help is asked for: before `--`, as oclif has it. */
export function wantsHelp(argv: readonly string[]): boolean {
  for (const arg of argv) {
    if (arg === '--') return false;
    if (arg === '--help' || arg === '-h') return true;
  }
  return false;
}

/** Flags that may stand before the command (`cfs --dir X node list`) are brought behind it. */
const LEADING = /^--(dir|node)(=|$)/;

export function normalizeLeadingFlags(argv: string[]): string[] {
  const leading: string[] = [];
  let at = 0;
  for (; at < argv.length; at++) {
    const arg = argv[at]!;
    if (arg === '--json') leading.push(arg);
    else if (LEADING.test(arg)) {
      leading.push(arg);
      if (!arg.includes('=') && at + 1 < argv.length) leading.push(argv[++at]!);
    } else break;
  }
  if (leading.length === 0 || at === argv.length) return argv;
  const words = argv.slice(at);
  // Behind the words of the command, before anything else: a `--` further on must not turn them into arguments.
  const first = words.findIndex((word) => word.startsWith('-'));
  const cut = first === -1 ? words.length : first;
  return [...words.slice(0, cut), ...leading, ...words.slice(cut)];
}

let command = '';

/** The name of the command that ran, `node list`; empty when it was none. For the name of its code cache. */
export function ran(): string {
  return command;
}

/** Runs cfs. The exit status is left in process.exitCode. */
export async function main(args: string[], table: CommandTable, full: FullEntry): Promise<void> {
  const argv = normalizeLeadingFlags(args);
  try {
    if (argv.length === 1 && (argv[0] === '--version' || argv[0] === '-V')) {
      writeOut(`cfs ${version()}\n`);
      return;
    }
    if (argv.length === 0 || (argv.length === 1 && argv[0] === '--json')) {
      const { overview } = await import('./overview.js');
      overview();
      return;
    }
    if (argv[0] === '__complete') {
      command = '__complete';
      const { complete } = await import('./complete.js');
      await complete(argv.slice(1), table);
      return;
    }
    const found = findCommand(table, argv);
    if (found === undefined || wantsHelp(argv)) {
      await full(argv);
      return;
    }
    command = found.name;
    const loaded = found.load();
    const Loaded = loaded instanceof Promise ? await loaded : loaded;
    Loaded.id = found.name.replaceAll(' ', ':');
    await new Loaded(found.argv, smallConfig()).execute();
  } catch (error) {
    // Commands report their own errors; what arrives here came from around them.
    process.exitCode = reportError(error, 'cfs', args.includes('--json'));
  }
}
