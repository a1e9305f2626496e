import { CfsCommand, type Column, Flags, usage, wholeFlag } from '../cli/command.js';
import { findTransaction, history } from '../core/store/history.js';
import type { GenerationInfo } from '../core/store/store.js';
import { countsText } from '../render/changes.js';

const COLUMNS: Column<GenerationInfo>[] = [
  { key: 'generation', title: 'GEN', value: (g) => g.generation, align: 'right' },
  { key: 'time', value: (g) => g.time, text: (g) => g.time.replace('T', ' ').slice(0, 19) },
  { key: 'who', value: (g) => who(g) },
  { key: 'operation', value: (g) => g.operation },
  { key: 'counts', title: 'CHANGED', value: (g) => g.counts, text: (g) => changedText(g.counts) },
  { key: 'message', value: (g) => g.message },
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

function who({ actor }: GenerationInfo): string {
  return `${actor.sudoUser ?? actor.user}@${actor.host}`;
}

export default class History extends CfsCommand {
  static override kind = 'list' as const;
  static override summary = 'Show who changed what, when and how.';
  static override description =
    'Generations, newest first: time (UTC), user and host, operation, what changed, the message; -o wide adds the ' +
    'command line and the transaction. cfs diff G shows the changes of one. After exit code 10 (unsure), --txid tells ' +
    'whether a transaction was committed: it is found (0) or not (3).';
  static override examples = [
    { description: 'The last twenty', command: 'cfs history' },
    {
      description: 'Every rebalance that is kept, with its command line',
      command: 'cfs history --limit 0 --filter operation=rebalance -o wide',
    },
  ];
  static override flags = {
    limit: wholeFlag({ char: 'n', summary: 'How many; 0 for all that are kept.', default: 20 }),
    txid: Flags.string({ summary: 'Look up one transaction.', helpValue: 'TXID' }),
  };

  async run() {
    const { flags } = await this.parse(History);
    const { store } = await this.cluster();
    if (flags.txid !== undefined) {
      const txid = flags.txid.toLowerCase();
      if (!/^[0-9a-f]{16}$/.test(txid))
        usage(`"${flags.txid.slice(0, 40)}" is no transaction`, 'It has 16 hexadecimal digits.');
      return this.list('history', COLUMNS, [findTransaction(store, txid)]);
    }
    if (flags.at !== undefined) store.info(flags.at);
    const rows: GenerationInfo[] = [];
    const limit = flags.limit === 0 ? Number.POSITIVE_INFINITY : flags.limit;
    for (const info of history(store, flags.at)) {
      if (rows.length >= limit) break;
      rows.push(info);
    }
    return this.list('history', COLUMNS, rows, { oldest: store.oldestGeneration() });
  }
}
