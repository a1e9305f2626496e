import { CfsCommand, type Column, Flags, usage, wholeFlag } from '../cli/command.js';
import { CfsError } from '../core/errors.js';
import { changesStanding } from '../core/membership/changes.js';
import { findTransaction, history } from '../core/store/history.js';
import type { GenerationInfo, Store } from '../core/store/store.js';
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

/** @param isMembership what happened to nodes comes first, as wide as the terminal; the rest where there is room */
function columns(store: Store, isMembership: boolean, isFull: boolean): Column<GenerationInfo>[] {
  const known = new Map<number, string[]>();
  const newest = store.info().generation;
  const lines = (info: GenerationInfo): string[] => {
    const { generation } = info;
    const found = known.get(generation) ?? causes(store, info);
    known.set(generation, found);
    return found;
  };
  const text = (info: GenerationInfo): string => {
    const joined = lines(info).join('; ');
    if (joined === '') return '-';
    const longest = isFull
      ? Number.POSITIVE_INFINITY
      : isMembership
        ? Math.max(30, outputWidth() - TIME_AND_GAPS - Math.max(3, String(newest).length))
        : LONGEST_CAUSE;
    return escapeText(joined.length <= longest ? joined : `${joined.slice(0, longest - 1)}…`);
  };
  const cause: Column<GenerationInfo> = { key: 'membership', value: lines, text };
  return isMembership ? [...PLAIN.slice(0, 2), cause, ...PLAIN.slice(2), ...WIDE] : [...PLAIN, cause, ...WIDE];
}

/** What happened to nodes, a sentence each. Nothing where it cannot be read any more: history goes further back than its details. */
function causes(store: Store, { generation, counts }: GenerationInfo): string[] {
  if (!changesStanding(counts)) return [];
  try {
    return membershipLines(membershipOf(store, generation, false));
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
    'nodes with its cause and the time that was measured (MEMBERSHIP); -o wide adds the command line and the transaction. ' +
    'cfs diff G shows the changes of one. After exit code 10 (unsure), --txid tells ' +
    'whether a transaction was committed: it is found (0) or not (3).';
  static override examples = [
    { description: 'The last twenty', command: 'cfs history' },
    { description: 'Which nodes joined and failed, and why', command: 'cfs history --membership -o wide' },
    {
      description: 'Every rebalance that is kept, with its command line',
      command: 'cfs history --limit 0 --filter operation=rebalance -o wide',
    },
  ];
  static override flags = {
    limit: wholeFlag({ char: 'n', summary: 'How many; 0 for all that are kept.', default: 20 }),
    membership: Flags.boolean({ summary: "Only generations that changed a node's state, hold-down or fencing." }),
    txid: Flags.string({ summary: 'Look up one transaction.', helpValue: 'TXID' }),
  };

  async run() {
    const { flags } = await this.parse(History);
    const { store } = await this.cluster();
    const shown = columns(store, flags.membership, flags.output === 'wide');
    if (flags.txid !== undefined) {
      const txid = flags.txid.toLowerCase();
      if (!/^[0-9a-f]{16}$/.test(txid))
        usage(`"${flags.txid.slice(0, 40)}" is no transaction`, 'It has 16 hexadecimal digits.');
      return this.list('history', shown, [findTransaction(store, txid)]);
    }
    if (flags.at !== undefined) store.info(flags.at);
    const rows: GenerationInfo[] = [];
    const limit = flags.limit === 0 ? Number.POSITIVE_INFINITY : flags.limit;
    for (const info of history(store, flags.at)) {
      if (rows.length >= limit) break;
      if (flags.membership && !changesStanding(info.counts)) continue;
      rows.push(info);
    }
    return this.list('history', shown, rows, { oldest: store.oldestGeneration() });
  }
}
