import { CfsCommand, type Column, optionalNameArg, wholeFlag } from '../../cli/command.js';
import { type FencingStep, fencingHistory } from '../../core/membership/fencing-history.js';

const COLUMNS: Column<FencingStep>[] = [
  { key: 'generation', title: 'GEN', value: (s) => s.generation, align: 'right' },
  { key: 'time', value: (s) => s.time, text: (s) => s.time.replace('T', ' ').slice(0, 19) },
  { key: 'node', value: (s) => s.node },
  { key: 'outcome', value: (s) => s.outcome },
  { key: 'by', value: (s) => s.by },
  { key: 'attempts', value: (s) => s.attempts, align: 'right' },
  { key: 'message', value: (s) => s.message },
  { key: 'who', value: (s) => s.who, wide: true },
  { key: 'operation', value: (s) => s.operation, wide: true },
];

export default class FenceHistory extends CfsCommand {
  static override kind = 'list' as const;
  static override summary = 'Show who fenced whom, when, and what came of it.';
  static override description =
    'Every step of fencing that is kept in history, newest first: running (a node runs its fencing command), done, failed (the ' +
    'takeover waits), confirmed (by a person), ended (the node came back). BY is the node that ran the command.';
  static override examples = [
    { description: 'The last twenty steps', command: 'cfs fence history' },
    { description: 'All that is kept of one node', command: 'cfs fence history n2 --limit 0' },
  ];
  static override args = { name: optionalNameArg('node') };
  static override flags = {
    limit: wholeFlag({ char: 'n', summary: 'How many; 0 for all that are kept.', default: 20 }),
  };

  async run() {
    const { args, flags } = await this.parse(FenceHistory);
    const { store } = await this.cluster();
    const at = (flags as { at?: number }).at;
    if (at !== undefined) store.info(at);
    const rows: FencingStep[] = [];
    const limit = flags.limit === 0 ? Number.POSITIVE_INFINITY : flags.limit;
    for (const step of fencingHistory(store, at)) {
      if (rows.length >= limit) break;
      if (args.name === undefined || step.node === args.name) rows.push(step);
    }
    return this.list('steps', COLUMNS, rows, { oldest: store.oldestGeneration() });
  }
}
