/** Everything that is no plain run of a known command: help, topics, mistyped commands. Loads all of oclif. */
import { Config, Help, run as oclifRun } from '@oclif/core';
import { CfsError } from '../core/errors.js';
import { suggest } from '../core/model/suggest.js';
import { escapeText } from '../render/format.js';
import { sharedFlags } from './flags.js';
import { wantsHelp } from './main.js';
import { type CommandClass, type CommandTable, findCommand, topicsOf } from './registry.js';

/** Where oclif finds the command classes: a package root and, in it, a module that exports COMMANDS. */
export interface FullOptions {
  root: string;
  pjson: Record<string, unknown>;
}

function unknownCommand(argv: readonly string[], table: CommandTable): CfsError {
  const words: string[] = [];
  for (const arg of argv) {
    if (arg.startsWith('-')) break;
    words.push(arg);
  }
  const topics = topicsOf(table);
  if (words.length === 0) {
    return new CfsError('USAGE', `cfs has no flag ${escapeText(argv[0]!.slice(0, 80))} of its own`, {
      hint: 'A command comes first: cfs COMMAND [FLAGS]; "cfs help" lists the commands.',
    });
  }
  const topic = words[0]!;
  const known = topics.has(topic);
  if (known && words.length === 1) {
    return new CfsError('USAGE', `cfs ${topic} needs a command before ${escapeText(argv[1]!.slice(0, 80))}`, {
      hint: `"cfs help ${topic}" lists them.`,
    });
  }
  const typed = known ? words.slice(0, 2).join(' ') : topic;
  const names = Object.keys(table).filter((name) => !name.startsWith('__'));
  const candidates = known ? names.filter((name) => name.startsWith(`${topic} `)) : [...topics, ...names];
  const near = suggest(typed.slice(0, 60), candidates) ?? (known ? null : suggest(words.slice(0, 2).join(' '), names));
  const details = { command: typed.slice(0, 200), ...(near === null ? {} : { suggestion: near }) };
  return new CfsError('USAGE', `cfs has no command "${escapeText(typed.slice(0, 80))}"`, {
    hint:
      near === null
        ? `"cfs ${known ? `help ${topic}` : 'help'}" lists the commands.`
        : `Did you mean "cfs ${near}"? "cfs help" lists the commands.`,
    details,
  });
}

/**
 * Gives a command class its shared flags as a property of its own: oclif's help copies properties of classes and would
 * see those of the base class, whose kind is another.
 */
export function withOwnFlags(command: CommandClass): CommandClass {
  Object.defineProperty(command, 'baseFlags', {
    value: sharedFlags(command.kind),
    enumerable: true,
    configurable: true,
  });
  return command;
}

function isHelpFlag(arg: string): boolean {
  return arg === '--help' || arg === '-h';
}

/** Runs `argv` with the whole of oclif. @throws CfsError USAGE for what does not exist */
export async function runFull(argv: string[], table: CommandTable, options: FullOptions): Promise<void> {
  const words = argv[0] === 'help' ? argv.slice(1).filter((arg) => !arg.startsWith('-')) : [];
  const asksRoot = (argv[0] === 'help' && words.length === 0) || argv[0] === '--help' || argv[0] === '-h';
  const target = argv[0] === 'help' ? words : argv;
  // A topic alone shows its commands; with anything but a wish for help behind it, a command was meant and is missing.
  const topic = target.length > 0 && topicsOf(table).has(target[0]!) && (target.length === 1 || isHelpFlag(target[1]!));
  const found = findCommand(table, target);
  if (!asksRoot && !topic && found === undefined) throw unknownCommand(target, table);

  const config = await Config.load({ root: options.root, pjson: options.pjson as never });
  if (asksRoot || topic || argv[0] === 'help' || wantsHelp(argv)) {
    const help = new Help(config);
    await help.showHelp(asksRoot ? [] : found && !topic ? found.name.split(' ') : [target[0]!]);
    return;
  }
  await oclifRun(argv, config);
}
