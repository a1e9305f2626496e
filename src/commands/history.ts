import { CfsCommand, type Column, Flags, usage, wholeFlag } from '../cli/command.js';
import { changesAccess } from '../core/access/changes.js';
import { CfsError } from '../core/errors.js';
import { changesStanding } from '../core/membership/changes.js';
import { findTransaction, history } from '../core/store/history.js';
import type { GenerationInfo, Store } from '../core/store/store.js';
import { accessLinesOf } from '../render/access-changes.js';
import { countsText } from '../render/changes.js';
import { escapeText } from '../render/format.js';
import { membershipLines, membershipOf } from '../render/membership.js';
import { outputWidth } from '../render/output.js';

const PLAIN: Column<GenerationInfo>[] = [
  { key: 'generation', title: 'GEN', value: (g) => g.generation, align: 'right' },
  { key: 'time', value: (g) => g.time, text: (g) => g.time.replace('T', ' ').slice(0, 19) },
  { key: 'who', value: (g) => who(g) },
  { key: 'operation', value: (g) => g.operation },
  { key: 'counts', title: 'CHANGED', value: (g) => g.counts, text: (g) => changedText(g.counts) },
  { key: 'message', value: (g) => g.message },
];

const WIDE: Column<GenerationInfo>[] = [
  { key: 'command', value: (g) => g.actor.command, wide: true },
  { key: 'txid', value: (g) => g.txid, wide: true },
  {
    key: 'actor',
    value: (g) => g.actor,
    text: (g) => `${g.actor.user}@${g.actor.host} pid ${g.actor.pid}`,
    wide: true,
  },
  { key: 'request', value: (g) => g.request, wide: true },
  { key: 'repair', value: (g) => g.repair, wide: true },
];

/** At most two kinds of record by name: a column of one generation's seven kinds would crowd out the messages of all. */
function changedText(counts: GenerationInfo['counts']): string {
  const numbers = Object.values(counts);
  return numbers.length <= 2 ? countsText(counts) : `${numbers.reduce((sum, n) => sum + n, 0)} records`;
}

/** In a plain table: the causes of most changes fit. */
const LONGEST_CAUSE = 100;
/** Columns that a time and two gaps take. */
const TIME_AND_GAPS = 23;

/** What the flags ask for: only generations of these kinds, each with what happened in a column of its own. */
interface Kinds {
  membership: boolean;
  access: boolean;
}

/** @param wished what happened comes first, as wide as the terminal; the rest where there is room @param hasAccess some of the rows have changes of access */
function columns(store: Store, wished: Kinds, hasAccess: boolean, isFull: boolean): Column<GenerationInfo>[] {
  const newest = store.info().generation;
  const isFirst = wished.membership || wished.access;
  const longest = isFull
    ? Number.POSITIVE_INFINITY
    : isFirst
      ? Math.max(30, outputWidth() - TIME_AND_GAPS - Math.max(3, String(newest).length))
      : LONGEST_CAUSE;
  const membership = linesColumn('membership', longest, (info) => causes(store, info));
  const access = linesColumn('access', longest, (info) => accessOf(store, info));
  const first = [...(wished.membership ? [membership] : []), ...(wished.access ? [access] : [])];
  // A cluster without clients needs no column of them.
  const rest = [
    ...(wished.membership ? [] : [{ ...membership, hidden: wished.access }]),
    ...(wished.access ? [] : [{ ...access, hidden: wished.membership || !hasAccess }]),
  ];
  if (!isFirst) return [...PLAIN, ...rest, ...WIDE];
  return [...PLAIN.slice(0, 2), ...first, ...PLAIN.slice(2), ...rest, ...WIDE];
}

/** Sentences of a generation, in a table on one line and no longer than `longest`. */
function linesColumn(key: string, longest: number, read: (info: GenerationInfo) => string[]): Column<GenerationInfo> {
  const known = new Map<number, string[]>();
  const lines = (info: GenerationInfo): string[] => {
    const found = known.get(info.generation) ?? read(info);
    known.set(info.generation, found);
    return found;
  };
  const text = (info: GenerationInfo): string => {
    const joined = lines(info).join('; ');
    if (joined === '') return '-';
    return escapeText(joined.length <= longest ? joined : `${joined.slice(0, longest - 1)}…`);
  };
  return { key, value: lines, text };
}

/** What happened to nodes, a sentence each. Nothing where it cannot be read any more: history goes further back than its details. */
function causes(store: Store, { generation, counts }: GenerationInfo): string[] {
  return changesStanding(counts) ? ifKept(() => membershipLines(membershipOf(store, generation, false))) : [];
}

/** What happened to clients and their rights, likewise. */
function accessOf(store: Store, { generation, counts }: GenerationInfo): string[] {
  return changesAccess(counts) ? ifKept(() => accessLinesOf(store, generation)) : [];
}

function ifKept(read: () => string[]): string[] {
  try {
    return read();
  } catch (error) {
    if (error instanceof CfsError) return [];
    throw error;
  }
}

function who({ actor }: GenerationInfo): string {
  return `${actor.sudoUser ?? actor.user}@${actor.host}`;
}

export default class History extends CfsCommand {
  static override kind = 'list' as const;
  static override summary = 'Show who changed what, when and how.';
  static override description =
    'Generations, newest first: time (UTC), user and host, operation, what changed, the message, and what happened to ' +
    'nodes with its cause and the time that was measured (MEMBERSHIP), and to clients and writers (ACCESS); -o wide adds the command line and the transaction. ' +
    'cfs diff G shows the changes of one. After exit code 10 (unsure), --txid tells ' +
    'whether a transaction was committed: it is found (0) or not (3).';
  static override examples = [
    { description: 'The last twenty', command: 'cfs history' },
    { description: 'Which nodes joined and failed, and why', command: 'cfs history --membership -o wide' },
    { description: 'Who became the writer, when', command: 'cfs history --access' },
    {
      description: 'Every rebalance that is kept, with its command line',
      command: 'cfs history --limit 0 --filter operation=rebalance -o wide',
    },
  ];
  static override flags = {
    limit: wholeFlag({ char: 'n', summary: 'How many; 0 for all that are kept.', default: 20 }),
    membership: Flags.boolean({ summary: "Only generations that changed a node's state, hold-down or fencing." }),
    access: Flags.boolean({
      summary: 'Only generations that changed clients, their rights or mounts, writers or requests.',
    }),
    txid: Flags.string({ summary: 'Look up one transaction.', helpValue: 'TXID' }),
  };

  async run() {
    const { flags } = await this.parse(History);
    const { store } = await this.cluster();
    const wished = { membership: flags.membership, access: flags.access };
    const isWide = flags.output === 'wide';
    if (flags.txid !== undefined) {
      const txid = flags.txid.toLowerCase();
      if (!/^[0-9a-f]{16}$/.test(txid))
        usage(`"${flags.txid.slice(0, 40)}" is no transaction`, 'It has 16 hexadecimal digits.');
      const found = findTransaction(store, txid);
      return this.list('history', columns(store, wished, changesAccess(found.counts), isWide), [found]);
    }
    if (flags.at !== undefined) store.info(flags.at);
    const rows: GenerationInfo[] = [];
    const limit = flags.limit === 0 ? Number.POSITIVE_INFINITY : flags.limit;
    for (const info of history(store, flags.at)) {
      if (rows.length >= limit) break;
      const isWished =
        (wished.membership && changesStanding(info.counts)) || (wished.access && changesAccess(info.counts));
      if ((wished.membership || wished.access) && !isWished) continue;
      rows.push(info);
    }
    const hasAccess = rows.some(({ counts }) => changesAccess(counts));
    return this.list('history', columns(store, wished, hasAccess, isWide), rows, { oldest: store.oldestGeneration() });
  }
}
