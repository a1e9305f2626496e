/** The table of commands: `node list` -> its class, loaded when asked for. Made by the build, or by bin/dev.js. */
import type { CfsCommand } from './command.js';

/** A command's class as the dispatcher uses it. */
export type CommandClass = (new (argv: string[], config: never) => CfsCommand) & Omit<typeof CfsCommand, 'prototype'>;

/** Loads a command; at once in the bundle, later from sources. */
export type CommandLoader = () => CommandClass | Promise<CommandClass>;

/** Keyed by what is typed: `node list`, `status`. */
export type CommandTable = Readonly<Record<string, CommandLoader>>;

/** A command found in an argument vector: its name and what is left for it. */
export interface Found {
  name: string;
  load: CommandLoader;
  argv: string[];
}

/** Finds the command with the longest name at the start of `argv`; undefined when there is none. */
export function findCommand(table: CommandTable, argv: readonly string[]): Found | undefined {
  for (let words = Math.min(3, argv.length); words > 0; words--) {
    const name = argv.slice(0, words).join(' ');
    if (Object.hasOwn(table, name)) return { name, load: table[name]!, argv: argv.slice(words) };
  }
  return undefined;
}

/** Topics: first words that have commands under them. */
export function topicsOf(table: CommandTable): Set<string> {
  const topics = new Set<string>();
  for (const name of Object.keys(table)) {
    const blank = name.indexOf(' ');
    if (blank > 0) topics.add(name.slice(0, blank));
  }
  return topics;
}
