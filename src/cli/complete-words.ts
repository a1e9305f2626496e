/** What may stand at the cursor: commands, flags, or values of a kind. Knows command classes, nothing of clusters. */
import type { NameKind } from './flags.js';
import { normalizeLeadingFlags } from './main.js';
import { type CommandClass, type CommandTable, findCommand, topicsOf } from './registry.js';

export interface Candidate {
  value: string;
  description?: string;
}

/** What is wanted: finished candidates, or live names (files) that continue `typed` behind the fixed text `head`. */
export type Wanted =
  | { type: 'candidates'; candidates: Candidate[] }
  | { type: 'names'; kind: NameKind; head: string; typed: string };

/** The parts of an oclif flag or argument that completion reads. */
interface Spec {
  type?: string;
  char?: string;
  summary?: string;
  hidden?: boolean;
  multiple?: boolean;
  options?: readonly string[];
  complete?: NameKind;
  /** A list separated by commas (listFlag). */
  list?: boolean;
}

const NOTHING: Wanted = { type: 'candidates', candidates: [] };

/** @param before the words after `cfs` and before the cursor @param current the word at the cursor */
export async function wantedAt(table: CommandTable, before: readonly string[], current: string): Promise<Wanted> {
  const words = normalizeLeadingFlags([...before]);
  const last = words.at(-1);
  // A flag before any command: its value, or the command.
  if (last === '--dir') return { type: 'names', kind: 'directory', head: '', typed: current };
  if (last === '--node' && findCommand(table, words) === undefined) {
    return { type: 'names', kind: 'node', head: '', typed: current };
  }
  const found = findCommand(table, words);
  if (found === undefined || (await hasMoreWords(table, found.name, found.argv)))
    return commandsAt(table, words, current);
  const command = await found.load();
  return insideCommand(command, found.argv, current);
}

/** `group` may be a command and a topic at once; then its verbs are offered as well. */
async function hasMoreWords(table: CommandTable, name: string, argv: string[]): Promise<boolean> {
  return argv.length === 0 && Object.keys(table).some((other) => other.startsWith(`${name} `));
}

async function commandsAt(table: CommandTable, words: string[], current: string): Promise<Wanted> {
  const path = words[0] === 'help' ? words.slice(1) : words;
  if (path.some((word) => word.startsWith('-'))) return NOTHING;
  const topics = topicsOf(table);
  const candidates: Candidate[] = [];
  if (path.length === 0) {
    if (current.startsWith('-')) {
      for (const value of ['--help', '--version', '--dir', '--node']) candidates.push({ value });
    } else {
      for (const topic of topics) if (!Object.hasOwn(table, topic)) candidates.push({ value: topic });
      for (const name of Object.keys(table))
        if (!name.includes(' ')) candidates.push(await described(table, name, name));
      if (words.length === 0) candidates.push({ value: 'help', description: 'Show help.' });
    }
  } else if (path.length === 1) {
    const head = `${path[0]} `;
    for (const name of Object.keys(table)) {
      if (name.startsWith(head) && name.slice(head.length).startsWith(current)) {
        candidates.push(await described(table, name, name.slice(head.length)));
      }
    }
  }
  candidates.sort((a, b) => (a.value < b.value ? -1 : 1));
  return { type: 'candidates', candidates: candidates.filter((c) => c.value.startsWith(current)) };
}

async function described(table: CommandTable, name: string, value: string): Promise<Candidate> {
  const command = await table[name]!();
  return command.summary === undefined ? { value } : { value, description: command.summary };
}

async function insideCommand(command: CommandClass, argv: string[], current: string): Promise<Wanted> {
  const flags = { ...command.baseFlags, ...command.flags } as Record<string, Spec>;
  const byText = (text: string): Spec | undefined => {
    if (text.startsWith('--')) return flags[text.slice(2)];
    return text.length === 2 ? Object.values(flags).find((flag) => flag.char === text[1]) : undefined;
  };
  const takesValue = (text: string): boolean => text !== '--' && byText(text)?.type === 'option';
  const args = Object.values(command.args ?? {}) as Spec[];

  const end = argv.indexOf('--');
  const open = end === -1 ? argv : argv.slice(0, end);
  let positional = end === -1 ? 0 : argv.length - end - 1;
  const used = new Set<string>();
  for (let i = 0; i < open.length; i++) {
    const word = open[i]!;
    if (!word.startsWith('-') || word === '-') positional++;
    else {
      used.add(word.split('=')[0]!);
      if (takesValue(word)) i++;
    }
  }
  if (end === -1) {
    const last = argv.at(-1);
    // The word before is a flag that waits for its value, unless that word is itself a flag's value.
    if (last !== undefined && takesValue(last) && !(argv.length > 1 && takesValue(argv.at(-2)!))) {
      return valuesOf(byText(last)!, '', current);
    }
    const equals = /^(--[a-z-]+)=([\s\S]*)$/.exec(current);
    if (equals) {
      const flag = byText(equals[1]!);
      return flag?.type === 'option' ? valuesOf(flag, `${equals[1]}=`, equals[2]!) : NOTHING;
    }
    if (current.startsWith('-') && current !== '-') return flagsOf(flags, used, current);
  }
  const arg = args[Math.min(positional, args.length - 1)];
  if (arg === undefined || (positional >= args.length && !arg.multiple)) return NOTHING;
  return valuesOf(arg, '', current);
}

function flagsOf(flags: Record<string, Spec>, used: ReadonlySet<string>, current: string): Wanted {
  const candidates: Candidate[] = [];
  for (const [name, flag] of Object.entries(flags)) {
    if (flag.hidden || !`--${name}`.startsWith(current)) continue;
    const isUsed = used.has(`--${name}`) || (flag.char !== undefined && used.has(`-${flag.char}`));
    if (isUsed && !flag.multiple) continue;
    candidates.push({ value: `--${name}`, ...(flag.summary === undefined ? {} : { description: flag.summary }) });
  }
  candidates.sort((a, b) => (a.value < b.value ? -1 : 1));
  return { type: 'candidates', candidates };
}

/** Values of a flag or an argument, behind `head` (`--flag=`) and behind the entries of a list already typed. */
function valuesOf(spec: Spec, head: string, typed: string): Wanted {
  const comma = spec.list ? typed.lastIndexOf(',') + 1 : 0;
  const fixed = head + typed.slice(0, comma);
  const rest = typed.slice(comma);
  if (spec.options) {
    const candidates = spec.options
      .filter((value) => value.startsWith(rest))
      .map((value) => ({ value: fixed + value }));
    return { type: 'candidates', candidates };
  }
  return spec.complete === undefined ? NOTHING : { type: 'names', kind: spec.complete, head: fixed, typed: rest };
}
