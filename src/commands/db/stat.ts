import { CfsCommand, type Column } from '../../cli/command.js';
import { statStore, type TableStat } from '../../core/store/stat.js';
import { plural, sizeText } from '../../render/format.js';

const COLUMNS: Column<[string, TableStat]>[] = [
  { key: 'table', value: ([name]) => name },
  { key: 'records', value: ([, t]) => t.records, align: 'right' },
  { key: 'shards', value: ([, t]) => t.shards, align: 'right' },
  { key: 'bytes', title: 'SIZE', value: ([, t]) => t.bytes, text: ([, t]) => sizeText(t.bytes), align: 'right' },
  { key: 'overlay', value: ([, t]) => t.overlay, align: 'right' },
];

export default class DbStat extends CfsCommand {
  static override kind = 'local' as const;
  static override summary = 'Show how big the database is, and what takes the room.';
  static override description =
    'Generations, files and bytes; per table the records, the shards it is cut into and their size, and the records that ' +
    'stand in the newest manifest (the overlay) until they are folded into the shards. Reads every manifest.';
  static override examples = [
    { description: 'How big is it?', command: 'cfs db stat' },
    { description: 'For a graph', command: 'cfs db stat --json' },
  ];

  async run() {
    await this.parse(DbStat);
    const { store, dir } = await this.cluster();
    const stat = statStore(store);
    const files = ({ files, bytes }: { files: number; bytes: number }) =>
      `${plural(files, 'file')}, ${sizeText(bytes)}`;
    await this.fields([
      ['Directory', dir],
      ['Cluster', stat.cluster],
      ['Format', formatText(stat.format, store.place.format)],
      ['Generations', `${stat.oldest} to ${stat.generation}`],
      ['Manifests', files(stat.manifests)],
      ['Newest manifest', `${sizeText(stat.manifestBytes)}, ${plural(stat.overlayRecords, 'record')} in the overlay`],
      ['Table files', files(stat.tableFiles)],
      ['Leftovers', files(stat.leftovers)],
    ]);
    this.print();
    await this.table(COLUMNS, Object.entries(stat.tables));
    return { ...stat };
  }
}

function formatText(format: number, newest: number): string {
  return format < newest ? `${format} (this cfs knows ${newest}: cfs cluster upgrade)` : String(format);
}
