/** Errors as users see them: what happened, to what; what to do next. Everything but a CfsError is a bug of cfs. */
import { CfsError, EXIT_CODES } from '../core/errors.js';
import { suggest } from '../core/model/suggest.js';
import { escapeBlock } from '../render/format.js';
import { writeErr } from '../render/output.js';

/** What an oclif parser error carries, as far as it is read here; its classes are not loaded for this. */
interface ParserError extends Error {
  oclif?: { exit?: number };
  flags?: string[];
  args?: unknown;
  parse?: { input?: { flags?: Record<string, { char?: string; hidden?: boolean }> } };
}

const WRAPPED = /^Parsing --\S+ \n\t([\s\S]*)\nSee more help with --help$/;
const TAIL = /\nSee more help with --help$/;

/** oclif puts the flag's name and a pointer to help around any error of a flag's parser; ours say all that themselves. */
function unwrap(message: string): string {
  const match = WRAPPED.exec(message);
  return match ? match[1]! : message.replace(TAIL, '');
}

/** A message begins with a capital letter, unless it begins with a name or a path. */
function sentence(message: string): string {
  // Only words of ours: a file or a command may stand at the beginning as well.
  return /^(there|the|generation|no|nobody|somebody|other|standard|volume|node|group|domain|interrupted|cannot) /.test(
    message,
  )
    ? message[0]!.toUpperCase() + message.slice(1)
    : message;
}

function unknownFlag(error: ParserError, command: string): CfsError {
  const flags = error.parse?.input?.flags ?? {};
  const typed = (error.flags ?? [''])[0]!.split('=')[0]!;
  const visible = Object.entries(flags).filter(([, flag]) => !flag.hidden);
  const near = typed.startsWith('--')
    ? suggest(
        typed.slice(2),
        visible.map(([name]) => name),
      )
    : null;
  return new CfsError('USAGE', `${command} has no flag ${typed.slice(0, 80)}`, {
    hint: near ? `Did you mean --${near}?` : `"${command} --help" lists its flags.`,
    details: { flag: typed, ...(near ? { suggestion: `--${near}` } : {}) },
  });
}

/** A parser's complaint in our words. */
function usageError(error: ParserError, command: string): CfsError {
  const message = unwrap(error.message);
  const help = `"${command} --help" shows how it is used.`;
  if (Array.isArray(error.flags)) return unknownFlag(error, command);
  if (message.startsWith('Missing ') && Array.isArray(error.args)) {
    const names = (error.args as { name: string }[]).map((arg) => arg.name.toUpperCase());
    return new CfsError('USAGE', `${command} needs ${names.join(' and ')}`, { hint: help });
  }
  if (message.startsWith('Unexpected argument') && Array.isArray(error.args)) {
    const extra = (error.args as string[]).map((arg) => `"${arg.slice(0, 80)}"`).slice(0, 5);
    return new CfsError('USAGE', `${command} does not take ${extra.join(', ')}`, { hint: help });
  }
  const lines = message.split('\n').map((line) => line.trim());
  const text = lines
    .filter((line) => line !== '' && !line.startsWith('The following error'))
    .join('; ')
    .replace(/Missing required flag (\w)/g, 'Missing required flag --$1');
  return new CfsError('USAGE', `${command}: ${text.slice(0, 400)}`, { hint: help, cause: error });
}

/** Any thrown thing as a CfsError; undefined when it is a bug. `command` is as typed: `cfs node add`. */
export function asCfsError(error: unknown, command: string): CfsError | undefined {
  if (error instanceof CfsError) {
    error.message = sentence(unwrap(error.message));
    return error;
  }
  const parserError = error as ParserError | null;
  if (parserError instanceof Error && parserError.oclif?.exit === 2) return usageError(parserError, command);
  return undefined;
}

/**
 * Says on standard error what went wrong.
 * @returns the exit status
 */
export function reportError(error: unknown, command: string, json: boolean): number {
  const known = asCfsError(error, command);
  const debug = process.env.CFS_DEBUG === '1';
  const stack = debug && error instanceof Error ? `${escapeBlock(error.stack ?? '')}\n` : '';
  if (known) {
    if (json) writeErr(`${JSON.stringify({ error: known.toJSON() }, null, 2)}\n`);
    else writeErr(`${escapeBlock(`Error: ${known.message}${known.hint ? `\n${known.hint}` : ''}`)}\n`);
    writeErr(stack);
    return known.exitStatus;
  }
  const text = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  const message = `This is a bug in cfs: ${text.split('\n')[0]}`;
  const hint = 'Please report it with the command and what CFS_DEBUG=1 prints.';
  if (json) writeErr(`${JSON.stringify({ error: { code: 'BUG', message, hint } }, null, 2)}\n`);
  else writeErr(`${escapeBlock(message)}. ${hint}\n`);
  writeErr(stack);
  return EXIT_CODES.failed.status;
}
