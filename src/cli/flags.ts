/** The flags that commands share by kind, flag types of cfs (durations, sizes, decimals), and arguments. */
import { CfsError } from '../core/errors.js';
import { formatDuration, parseDuration, parseSize } from '../core/model/units.js';
import { escapeText } from '../render/format.js';
import { LIST_FORMATS } from '../render/list.js';
import { Args, Flags } from './oclif.js';

/**
 * What a command does, which decides its shared flags: `read` shows one state, `list` shows rows, `change` commits,
 * `local` has nothing to do with a cluster.
 */
export type CommandKind = 'read' | 'change' | 'list' | 'local';

/** What a name on the command line is of; completion looks it up live. */
export type NameKind =
  | 'node'
  | 'volume'
  | 'client'
  | 'group'
  | 'domain'
  | 'generation'
  | 'setting'
  | 'shell'
  | 'file'
  | 'directory';

function refuse(what: string, input: string, hint: string): never {
  throw new CfsError('BAD_VALUE', `"${escapeText(input.slice(0, 40))}" is no ${what}`, { hint });
}

/** A decimal number; infinite and NaN are refused. */
export function parseDecimal(input: string, what = 'number'): number {
  const value = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(input.trim()) ? Number(input) : Number.NaN;
  return Number.isFinite(value) ? value : refuse(what, input, 'Write a decimal number such as 2 or 0.75.');
}

/** A whole number from `min` up. */
export function parseWhole(input: string, what = 'whole number', min = 0): number {
  const value = /^\d+$/.test(input.trim()) ? Number(input) : Number.NaN;
  const hint = `Write a whole number, ${min} or more.`;
  return Number.isSafeInteger(value) && value >= min ? value : refuse(what, input, hint);
}

/** `--wait 30s`: gives milliseconds. */
export const durationFlag = Flags.custom<number>({
  helpValue: 'DURATION',
  parse: async (input, _context, options) => parseDuration(`--${options.name}`, input),
  // As it is typed, not in milliseconds.
  defaultHelp: async ({ options }) =>
    options.default === undefined ? undefined : formatDuration(Number(options.default)),
});

/** `--size 64KiB`: gives bytes. */
export const sizeFlag = Flags.custom<number>({
  helpValue: 'SIZE',
  parse: async (input, _context, options) => parseSize(`--${options.name}`, input),
});

/** `--weight 1.5`: gives a finite number; limits are the operation's. */
export const decimalFlag = Flags.custom<number>({
  helpValue: 'NUMBER',
  parse: async (input, _context, options) => parseDecimal(input, `number for --${options.name}`),
});

/** `--at 17`: gives a whole number from 0 up. */
export const wholeFlag = Flags.custom<number>({
  helpValue: 'N',
  parse: async (input, _context, options) => parseWhole(input, `whole number for --${options.name}`),
});

/** `--groups a,b`: gives a list; an empty text gives an empty list. */
export const listFlag = Flags.custom<string[]>({
  helpValue: 'A,B,…',
  // Read by completion, which then completes behind the last comma.
  ...({ list: true } as object),
  parse: async (input) => (input.trim() === '' ? [] : input.split(',').map((part) => part.trim())),
});

/** Completion of a flag's value by live names: `{ ...nameOf('node') }` among the flag's options. */
export function nameOf(kind: NameKind): { helpValue: string } & Record<'complete', NameKind> {
  return { helpValue: kind.toUpperCase(), complete: kind };
}

interface NameArgOptions {
  description?: string;
  required?: boolean;
  multiple?: boolean;
}

const DESCRIPTIONS: Record<NameKind, string> = {
  node: 'name of a node',
  volume: 'name of a volume',
  client: 'name of a client',
  group: 'name of a group',
  domain: 'name of a domain',
  generation: 'number of a generation',
  setting: 'name of a setting',
  shell: 'bash, zsh or fish',
  file: 'path of a file; - is standard input',
  directory: 'path of a directory',
};

/** oclif would read a missing argument from standard input, and swallow what a loop feeds its body: never. */
const NO_STDIN = { ignoreStdin: true } as const;

/** One required argument that names something: `static args = { name: nameArg('node') }`. Completed by live names. */
export function nameArg(kind: NameKind, options: NameArgOptions = {}) {
  return Args.string({ description: DESCRIPTIONS[kind], ...options, ...NO_STDIN, ...complete(kind), required: true });
}

/** The same, may be left out. */
export function optionalNameArg(kind: NameKind, options: NameArgOptions = {}) {
  return Args.string({ description: DESCRIPTIONS[kind], ...options, ...NO_STDIN, ...complete(kind), required: false });
}

/** One or more names: gives a list. */
export function namesArg(kind: NameKind, options: NameArgOptions = {}) {
  return Args.string({
    description: `${DESCRIPTIONS[kind]}; several may follow`,
    ...options,
    ...NO_STDIN,
    ...complete(kind),
    multiple: true,
    required: true,
  });
}

/** The same, may be left out: gives a list, or undefined. */
export function optionalNamesArg(kind: NameKind) {
  return Args.string({
    description: `${DESCRIPTIONS[kind]}; several may follow`,
    ...NO_STDIN,
    ...complete(kind),
    multiple: true,
    required: false,
  });
}

/** One required argument that is a list separated by commas, completed by live names behind each comma: gives a list. */
export function namesListArg(kind: NameKind) {
  return listArg({
    description: `${DESCRIPTIONS[kind]}, or several separated by commas`,
    ...NO_STDIN,
    ...complete(kind),
    ...{ list: true },
    required: true,
  });
}

/** Any other required argument. */
export function textArg(description: string) {
  return Args.string({ description, ...NO_STDIN, required: true });
}

/** A generation number, required. */
export function generationArg(description = DESCRIPTIONS.generation) {
  return wholeArg({ description, ...NO_STDIN, ...complete('generation'), required: true });
}

/** A generation number that may be left out. */
export function optionalGenerationArg(description = DESCRIPTIONS.generation) {
  return wholeArg({ description, ...NO_STDIN, ...complete('generation') });
}

const listArg = Args.custom<string[]>({
  parse: async (input) => input.split(',').map((part) => part.trim()),
});

const wholeArg = Args.custom<number>({
  parse: async (input, _context, options) => parseWhole(input, `whole number for ${options.name?.toUpperCase()}`),
});

/** Our own property on an argument, which oclif carries along untouched. */
function complete(kind: NameKind): Record<string, unknown> {
  return { complete: kind };
}

const GLOBAL = { helpGroup: 'GLOBAL' } as const;
const CHANGE = { helpGroup: 'CHANGE' } as const;
const LIST = { helpGroup: 'OUTPUT' } as const;

function globalFlags() {
  return {
    dir: Flags.string({
      ...GLOBAL,
      ...nameOf('directory'),
      helpValue: 'DIR',
      summary: 'Cluster directory (else CFS_DIR, the configuration file, or the nearest .cfs upward).',
    }),
    node: Flags.string({
      ...GLOBAL,
      ...nameOf('node'),
      summary: 'Which node this is (else CFS_NODE, the configuration file, or the name of the host).',
    }),
    json: Flags.boolean({ ...GLOBAL, summary: 'Print JSON on standard output, errors as JSON on standard error.' }),
    help: Flags.boolean({ ...GLOBAL, char: 'h', summary: 'Show help with examples.' }),
  };
}

function readFlags() {
  return {
    at: wholeFlag({ ...nameOf('generation'), summary: 'Show generation G instead of the newest.', helpValue: 'G' }),
  };
}

function listFlags() {
  return {
    output: Flags.option({
      ...LIST,
      char: 'o',
      options: LIST_FORMATS,
      summary: 'Format: table, wide (more columns), json, yaml, csv or name.',
      default: 'table' as const,
    })(),
    filter: Flags.string({
      ...LIST,
      multiple: true,
      multipleNonGreedy: true,
      helpValue: 'KEY=VALUE',
      summary: 'Only rows where KEY=VALUE, KEY!=VALUE or KEY~TEXT (contains); may be repeated.',
    }),
    sort: Flags.string({ ...LIST, helpValue: 'FIELD', summary: 'Sort by FIELD; -FIELD sorts descending.' }),
  };
}

function changeFlags() {
  return {
    'dry-run': Flags.boolean({ ...CHANGE, summary: 'Show what would change and commit nothing.' }),
    'expect-generation': wholeFlag({
      ...CHANGE,
      ...nameOf('generation'),
      helpValue: 'N',
      summary: 'Fail (exit 4) unless the newest generation is N.',
    }),
    message: Flags.string({ ...CHANGE, char: 'm', helpValue: 'TEXT', summary: 'Why; kept in history.' }),
    yes: Flags.boolean({ ...CHANGE, char: 'y', summary: 'Do not ask.' }),
    wait: durationFlag({ ...CHANGE, summary: 'Wait until every online agent has applied the change.' }),
    'lock-timeout': durationFlag({ ...CHANGE, summary: 'How long to wait for the lock.' }),
  };
}

/** Every shared flag that a command may have, parsed. */
export interface SharedFlags {
  dir?: string;
  node?: string;
  json?: boolean;
  at?: number;
  output?: (typeof LIST_FORMATS)[number];
  filter?: string[];
  sort?: string;
  'dry-run'?: boolean;
  'expect-generation'?: number;
  message?: string;
  yes?: boolean;
  wait?: number;
  'lock-timeout'?: number;
}

/** The shared flags of a kind, made on demand: most commands need those of one kind only. */
export function sharedFlags(kind: CommandKind) {
  switch (kind) {
    case 'local':
      return globalFlags();
    case 'read':
      return { ...readFlags(), ...globalFlags() };
    case 'list':
      return { ...listFlags(), ...readFlags(), ...globalFlags() };
    case 'change':
      return { ...changeFlags(), ...globalFlags() };
  }
}
