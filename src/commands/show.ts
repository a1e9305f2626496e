import { CfsCommand } from '../cli/command.js';
import { Args } from '../cli/oclif.js';
import { tableNamed } from '../cli/table-name.js';
import { CfsError } from '../core/errors.js';
import { naturalCompare, quoteName } from '../core/model/names.js';
import { didYouMean } from '../core/model/suggest.js';
import { type AnyRecord, TABLE_NAMES, type TableName } from '../core/model/tables.js';
import type { Snapshot, TableView } from '../core/store/store.js';
import { valueText } from '../render/changes.js';
import { escapeText, plural } from '../render/format.js';

export default class Show extends CfsCommand {
  static override summary = 'Show the tables of the database, now or at an earlier generation.';
  static override description =
    'Without arguments: the generation and the number of records of each table. With a table: its records. With a table ' +
    'and a name: that record. --at G shows any generation that is still kept.';
  static override examples = [
    { description: 'Which tables there are', command: 'cfs show' },
    { description: 'Where a volume was at generation 2', command: 'cfs show placements v1 --at 2' },
  ];
  static override args = {
    table: Args.string({ description: `a table: ${TABLE_NAMES.join(', ')}`, ignoreStdin: true, required: false }),
    name: Args.string({ description: 'name of a record', ignoreStdin: true, required: false }),
  };

  async run() {
    const { args } = await this.parse(Show);
    const { store } = await this.cluster();
    const snapshot = await this.snapshot();
    if (args.table === undefined) {
      const info = store.info(snapshot.generation);
      const counts = TABLE_NAMES.map((table) => [table, snapshot.table(table).count] as [string, number]);
      await this.fields([
        ['generation', info.generation],
        ['made', `${info.time} by ${info.actor.user}@${info.actor.host}: ${info.operation}`],
        ...counts.map(([table, n]): [string, string] => [table, plural(n, 'record')]),
      ]);
      return { generation: info.generation, info, tables: Object.fromEntries(counts) };
    }
    const table = tableNamed(args.table);
    const records = args.name === undefined ? allRecords(snapshot, table) : [oneRecord(snapshot, table, args.name)];
    for (const [name, record] of records) {
      const fields = Object.entries(record).map(([field, value]) => `${field}=${valueText(value)}`);
      this.print(`${escapeText(name)}: ${fields.join(' ')}`);
    }
    return { generation: snapshot.generation, table, records: Object.fromEntries(records) };
  }
}

function allRecords(snapshot: Snapshot, table: TableName): [string, AnyRecord][] {
  const entries = [...(snapshot.table(table) as TableView<AnyRecord>).entries()];
  return entries.sort((a, b) => naturalCompare(a[0], b[0]));
}

function oneRecord(snapshot: Snapshot, table: TableName, input: string): [string, AnyRecord] {
  const name = input.normalize('NFC');
  const record = (snapshot.table(table) as TableView<AnyRecord>).get(name);
  if (record !== undefined) return [name, record];
  throw new CfsError(
    'RECORD_NOT_FOUND',
    `Table ${table} has no record ${quoteName(input)} in generation ${snapshot.generation}`,
    {
      hint: didYouMean(name, snapshot.table(table).names(), `See cfs show ${table}.`),
    },
  );
}
