/**
 * The manual, made from the commands: man/cfs.1, and a page for each topic and each command without one.
 * `npm run man` writes the pages, which are committed; test/cli/man.test.ts fails when they are stale.
 */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { EXIT_CODES } from '../src/core/errors.js';
import { type CommandDoc, commandDocs, type FlagDoc } from './command-docs.js';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const MAN = join(ROOT, 'man');

/** Date of the manual; changed with a release, so that a page is stale only when its content is. */
const DATE = '2026-11-20';

const ENVIRONMENT: [string, string][] = [
  ['CFS_DIR', 'The cluster directory, unless --dir is given.'],
  ['CFS_NODE', 'Which node this is, unless --node is given.'],
  ['NO_COLOR', 'No colours, also on a terminal.'],
  ['CFS_DEBUG', 'With 1, errors come with a stack trace.'],
  ['CFS_NO_CODE_CACHE', 'With 1, neither reads nor writes the cache of compiled code: a start takes longer.'],
  ['XDG_CACHE_HOME', 'Where that cache goes when the installation cannot be written; else ~/.cache.'],
];

const FILES: [string, string][] = [
  ['.cfs', 'The cluster directory that is found without being named: the nearest one upward.'],
  ['~/.config/cfs/config.json', 'Configuration of the user: {"dir": "/srv/cluster", "node": "n1"}. Outranks the next.'],
  ['/etc/cfs/config.json', 'Configuration of the machine, with the same keys.'],
];

/** Text for roff: backslashes and hyphens as typed, no line that would be taken for a request. */
function roff(text: string): string {
  return text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replace(/^([.'])/gm, '\\&$1')
    .replaceAll('…', '...');
}

/** Sentences on lines of their own, as manuals are kept. */
function paragraphs(text: string): string {
  return text
    .split(/\n\s*\n/)
    .map((paragraph) => roff(paragraph.trim().replace(/\s*\n\s*/g, ' ')).replace(/([.:;])\s+(?=[A-Z"])/g, '$1\n'))
    .join('\n.PP\n');
}

function tagged(items: [string, string][]): string {
  return items.map(([tag, text]) => `.TP\n.B ${quoted(tag)}\n${paragraphs(text)}`).join('\n');
}

function quoted(text: string): string {
  return `"${roff(text).replaceAll('"', '""')}"`;
}

function flagTag(flag: FlagDoc): string {
  const short = flag.char === undefined ? '' : `-${flag.char}, `;
  return `${short}--${flag.name}${flag.value === undefined ? '' : ` ${flag.value}`}`;
}

function flagList(flags: FlagDoc[]): string {
  return tagged(
    flags.map((flag) => [flagTag(flag), flag.isMultiple ? `${flag.summary} May be repeated.` : flag.summary]),
  );
}

function synopsis(doc: CommandDoc): string {
  const args = doc.args.map(({ name, required, isMultiple }) => {
    const shown = `${name.toUpperCase()}${isMultiple ? '...' : ''}`;
    return required ? shown : `[${shown}]`;
  });
  return `.B cfs ${roff(doc.name)}\n${roff([...args, '[FLAGS]'].join(' '))}`;
}

function examples(doc: CommandDoc): string {
  return doc.examples
    .map(({ description, command }) => `.PP\n${paragraphs(description)}:\n.PP\n.EX\n    ${roff(command)}\n.EE`)
    .join('\n');
}

/** One command, as a section of its topic's page. */
function commandSection(doc: CommandDoc): string {
  const own = doc.flags.filter((flag) => !flag.isShared);
  const shared = doc.flags.filter((flag) => flag.isShared).map((flag) => `--${flag.name}`);
  const parts = [`.SS ${quoted(`cfs ${doc.name}`)}`, synopsis(doc), `.PP\n${paragraphs(doc.description)}`];
  if (doc.args.length > 0)
    parts.push(tagged(doc.args.map((arg) => [arg.name.toUpperCase(), `${capital(arg.description)}.`])));
  if (own.length > 0) parts.push(flagList(own));
  parts.push(`.PP\nAlso takes ${roff(shared.join(', '))}: see\n.BR cfs (1).`);
  parts.push(examples(doc));
  return parts.join('\n');
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1).replace(/\.$/, '');
}

function header(name: string, version: string): string {
  return [
    '.\\" Made by "npm run man" from the commands themselves; changes here are lost.',
    `.TH ${quoted(name.toUpperCase())} 1 ${DATE} "cfs ${version}" "User Commands"`,
  ].join('\n');
}

function topicPage(topic: string, docs: CommandDoc[], version: string): string {
  const summary =
    docs.length === 1
      ? docs[0]!.summary
      : `commands on ${topic}: ${docs.map((d) => d.name.split(' ').at(-1)).join(', ')}`;
  return [
    header(`cfs-${topic}`, version),
    `.SH NAME\ncfs\\-${roff(topic)} \\- ${roff(summary.replace(/\.$/, ''))}`,
    `.SH SYNOPSIS\n${docs.map(synopsis).join('\n.br\n')}`,
    `.SH DESCRIPTION\n${docs.map(commandSection).join('\n')}`,
    '.SH SEE ALSO\n.BR cfs (1)',
    '',
  ].join('\n');
}

/** The flags that commands share, each once, with the kinds of command that have them. */
function sharedFlagSection(docs: CommandDoc[]): string {
  const byGroup = new Map<string, Map<string, FlagDoc>>();
  for (const flag of docs.flatMap((doc) => doc.flags)) {
    if (!flag.isShared) continue;
    const group = flag.group ?? (flag.name === 'at' ? 'READ' : 'OTHER');
    if (!byGroup.has(group)) byGroup.set(group, new Map());
    byGroup.get(group)!.set(flag.name, flag);
  }
  const titles: Record<string, string> = {
    GLOBAL: 'Of every command',
    READ: 'Of commands that show something',
    OUTPUT: 'Of lists',
    CHANGE: 'Of commands that change something',
  };
  return Object.entries(titles)
    .filter(([group]) => byGroup.has(group))
    .map(([group, title]) => `.SS ${quoted(title)}\n${flagList([...byGroup.get(group)!.values()])}`)
    .join('\n');
}

function overviewPage(docs: CommandDoc[], topics: string[], version: string): string {
  const commands = docs.map((doc): [string, string] => [`cfs ${doc.name}`, doc.summary]);
  const exits = Object.values(EXIT_CODES).map(({ status, meaning }): [string, string] => [
    String(status),
    `${capital(meaning)}.`,
  ]);
  return [
    header('cfs', version),
    '.SH NAME\ncfs \\- cluster manager for shared storage',
    '.SH SYNOPSIS\n.B cfs\nCOMMAND [ARGUMENTS] [FLAGS]\n.br\n.B cfs help\n[COMMAND]\n.br\n.B cfs \\-\\-version',
    `.SH DESCRIPTION\n${paragraphs(
      'cfs manages a cluster from a directory on the storage that all of its nodes mount, and needs no server of its own. ' +
        'Each command takes the lock, reads the tables, changes them, publishes the next generation and exits. ' +
        'Commands that only read take no lock and never wait.',
    )}`,
    `.SH COMMANDS\n${tagged(commands)}`,
    `.SH FLAGS\n${sharedFlagSection(docs)}`,
    `.SH OUTPUT\n${paragraphs(
      'Standard output is data, standard error is talk. With --json a command prints one object with "schemaVersion": 1; ' +
        'its fields keep their meaning, and readers ignore fields that they do not know. Errors are then an object on ' +
        'standard error, {"error": {"code", "errno", "message", "hint", "details"}}, and standard output stays empty. ' +
        'Durations are written as 500ms, 30s, 5m, 1h30m or 2d, sizes as 64KiB or 10GiB.',
    )}`,
    `.SH EXIT STATUS\n${tagged(exits)}`,
    `.SH ENVIRONMENT\n${tagged(ENVIRONMENT)}`,
    `.SH FILES\n${tagged(FILES)}`,
    `.SH SEE ALSO\n${topics.map((topic, i) => `.BR cfs\\-${roff(topic)} (1)${i < topics.length - 1 ? ',' : ''}`).join('\n')}`,
    '',
  ].join('\n');
}

/** Every page: file name and text. */
export async function manPages(): Promise<Map<string, string>> {
  const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string };
  const docs = await commandDocs();
  const topics = [...new Set(docs.map((doc) => doc.name.split(' ')[0]!))];
  const pages = new Map([['cfs.1', overviewPage(docs, topics, version)]]);
  for (const topic of topics) {
    const own = docs.filter((doc) => doc.name === topic || doc.name.startsWith(`${topic} `));
    pages.set(`cfs-${topic}.1`, topicPage(topic, own, version));
  }
  return pages;
}

async function main(): Promise<void> {
  const pages = await manPages();
  mkdirSync(MAN, { recursive: true });
  for (const file of readdirSync(MAN)) if (file.endsWith('.1') && !pages.has(file)) rmSync(join(MAN, file));
  for (const [file, text] of pages) writeFileSync(join(MAN, file), text);
  console.log(`${pages.size} pages in man/`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main();
