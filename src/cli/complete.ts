/**
 * `cfs __complete SHELL …`: what may stand at the cursor, for the scripts that `cfs completion` prints. Never fails and
 * never says a word on standard error: a completion that cannot be made is no completion.
 *
 *     __complete bash LINE       LINE ends at the cursor; gives finished words, quoted
 *     __complete fish LINE       gives VALUE<tab>DESCRIPTION; fish quotes
 *     __complete zsh WORD…       the words after `cfs`, unquoted, the last one at the cursor; as for fish
 *
 * A first line `:files`, `:directories` or `:nospace` tells the script to complete paths, or to add no blank.
 */
import type { Snapshot } from '../core/store/store.js';
import { writeOut } from '../render/output.js';
import { type Candidate, wantedAt } from './complete-words.js';
import type { NameKind } from './flags.js';
import type { CommandTable } from './registry.js';
import { quoteForBash, splitLine, type TypedLine } from './shell-words.js';
import { findDir } from './where.js';

/** More names than this are offered by their beginnings, letter by letter, as directories are. */
export const MAX_NAMES = 400;

interface Completion {
  candidates: Candidate[];
  directive?: ':files' | ':directories' | ':nospace';
}

/** Handles `argv` (without `__complete`). */
export async function complete(argv: string[], table: CommandTable): Promise<void> {
  const [shell = '', ...rest] = argv;
  try {
    const line = shell === 'zsh' ? wordsLine(rest) : splitLine(rest[0] ?? '');
    // `sudo cfs …`, `CFS_DIR=x cfs …`: what counts stands behind cfs.
    const at = shell === 'zsh' ? -1 : line.before.findIndex((word) => /(^|\/)cfs$/.test(word));
    const before = line.before.slice(at + 1);
    writeOut(render(shell, line, await completion(table, before, line.current)));
  } catch {
    // No candidates.
  }
}

function wordsLine(words: string[]): TypedLine {
  return { before: words.slice(0, -1), current: words.at(-1) ?? '', raw: words.at(-1) ?? '', quote: '' };
}

async function completion(table: CommandTable, before: string[], current: string): Promise<Completion> {
  const wanted = await wantedAt(table, before, current);
  if (wanted.type === 'candidates') return { candidates: wanted.candidates };
  if (wanted.kind === 'file') return { candidates: [], directive: ':files' };
  if (wanted.kind === 'directory') return { candidates: [], directive: ':directories' };
  const { names, isCut } = bounded(await liveNames(wanted.kind, dirFlag(before), wanted.typed), wanted.typed);
  const candidates = names.map(({ value, ...rest }) => ({ value: wanted.head + value, ...rest }));
  return { candidates, ...(isCut ? { directive: ':nospace' as const } : {}) };
}

/** The value of --dir among the words, as far as it is there. */
function dirFlag(words: readonly string[]): string | undefined {
  const at = words.indexOf('--dir');
  if (at !== -1 && at + 1 < words.length) return words[at + 1];
  return words.find((word) => word.startsWith('--dir='))?.slice('--dir='.length);
}

/** Names of the cluster that begin with what is typed. */
async function liveNames(kind: NameKind, dir: string | undefined, typed: string): Promise<Candidate[]> {
  switch (kind) {
    case 'shell':
      return ['bash', 'fish', 'zsh'].map((value) => ({ value }));
    case 'setting': {
      const { SETTINGS } = await import('../core/model/settings.js');
      return starting(
        SETTINGS.map((setting) => setting.name),
        typed,
      );
    }
    case 'node':
      return starting((await snapshotAt(dir)).table('nodes').names(), typed);
    case 'volume':
      return starting((await snapshotAt(dir)).table('volumes').names(), typed);
    case 'client':
      return starting((await snapshotAt(dir)).table('clients').names(), typed);
    case 'group':
      return starting((await snapshotAt(dir)).table('groups').names(), typed);
    case 'domain':
      return starting((await snapshotAt(dir)).table('domains').names(), typed);
    case 'generation':
      return starting(await generations(dir), typed);
    default:
      return [];
  }
}

async function snapshotAt(dir: string | undefined): Promise<Snapshot> {
  return (await clusterAt(dir)).snapshot();
}

async function clusterAt(dir: string | undefined) {
  const where = findDir(dir);
  if (where === undefined) throw new Error('no cluster');
  const { openCluster } = await import('../open.js');
  return openCluster({ dir: where.dir });
}

/** The newest generations; older ones are typed from history. */
async function generations(dir: string | undefined): Promise<string[]> {
  const { store } = await clusterAt(dir);
  const newest = store.snapshot().generation;
  const oldest = Math.max(store.oldestGeneration(), newest - 30);
  const list: string[] = [];
  for (let generation = newest; generation >= oldest; generation--) list.push(String(generation));
  return list;
}

function starting(names: Iterable<string>, typed: string): Candidate[] {
  const found: Candidate[] = [];
  for (const value of names) if (value.startsWith(typed)) found.push({ value });
  return found;
}

/**
 * Too many names become their beginnings: for each letter that may come next, what all names with it have in common. A
 * list that was merely cut off would let the shell insert a beginning that only the names kept have in common.
 */
export function bounded(names: Candidate[], typed: string): { names: Candidate[]; isCut: boolean } {
  if (names.length <= MAX_NAMES) return { names, isCut: false };
  let shared = typed;
  for (;;) {
    const groups = new Map<string, string>();
    for (const { value } of names) {
      const next = nextLetter(value, shared.length);
      const common = groups.get(next);
      groups.set(next, common === undefined ? value : commonStart(common, value));
    }
    if (groups.size > 1 || [...groups.values()][0] === shared) {
      return { names: [...groups.values()].map((value) => ({ value })), isCut: true };
    }
    shared = [...groups.values()][0]!;
  }
}

function nextLetter(value: string, at: number): string {
  const code = value.codePointAt(at);
  return code === undefined ? '' : String.fromCodePoint(code);
}

function commonStart(a: string, b: string): string {
  let length = 0;
  while (length < a.length && length < b.length) {
    const letter = nextLetter(a, length);
    if (letter !== nextLetter(b, length)) break;
    length += letter.length;
  }
  return a.slice(0, length);
}

function render(shell: string, line: TypedLine, completion: Completion): string {
  const lines: string[] = completion.directive ? [completion.directive] : [];
  // Bash splits words at `=` too, and replaces only what stands behind it.
  const cut = shell === 'bash' && line.quote === '' ? line.raw.lastIndexOf('=') + 1 : 0;
  const skip = cut === 0 ? 0 : line.current.lastIndexOf('=') + 1;
  for (const { value, description } of completion.candidates) {
    // Names have no control characters; a description might.
    const about = description?.replace(/\s+/g, ' ');
    if (shell === 'bash') lines.push(quoteForBash(value.slice(skip), line));
    else lines.push(about ? `${value}\t${about}` : value);
  }
  return lines.length === 0 ? '' : `${lines.join('\n')}\n`;
}
