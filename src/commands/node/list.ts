import { CfsCommand, type Column } from '../../cli/command.js';
import { naturalCompare } from '../../core/model/names.js';
import type { NodeRecord, NodeState } from '../../core/model/tables.js';
import { formatDuration } from '../../core/model/units.js';
import type { NodeLoad } from '../../core/status/loads.js';

interface Row extends NodeRecord {
  name: string;
  state: NodeState;
  load?: NodeLoad;
}

const twoDecimals = (value: number | null | undefined) => (value == null ? '-' : value.toFixed(2));

/** With -o wide the columns of WO 99/53415, Tables 7 to 12. */
const COLUMNS: Column<Row>[] = [
  { key: 'name', value: (r) => r.name },
  { key: 'state', value: (r) => r.state },
  {
    key: 'remainingCapacity',
    title: 'RC',
    value: (r) => r.load?.remainingCapacity,
    text: (r) => twoDecimals(r.load?.remainingCapacity),
    align: 'right',
    wide: true,
  },
  {
    key: 'idealCapacity',
    title: 'IC',
    value: (r) => r.load?.idealCapacity,
    text: (r) => twoDecimals(r.load?.idealCapacity),
    align: 'right',
    wide: true,
  },
  { key: 'weight', value: (r) => r.weight, align: 'right' },
  { key: 'domains', value: (r) => r.domains },
  { key: 'groups', value: (r) => r.groups },
  { key: 'threshold', value: (r) => r.threshold, align: 'right', wide: true },
  {
    key: 'updateIntervalMs',
    title: 'INTERVAL',
    value: (r) => r.updateIntervalMs,
    text: (r) => formatDuration(r.updateIntervalMs),
    align: 'right',
    wide: true,
  },
  { key: 'load', title: 'TOTAL', value: (r) => r.load?.load, align: 'right', wide: true },
  { key: 'volumes', value: (r) => r.load?.volumes ?? [], text: (r) => volumesText(r.load?.volumes ?? []), wide: true },
];

function volumesText(volumes: readonly string[]): string {
  if (volumes.length === 0) return '-';
  const shown = volumes.slice(0, 8).join(',');
  return volumes.length > 8 ? `${shown},… (${volumes.length})` : shown;
}

export default class NodeList extends CfsCommand {
  static override kind = 'list' as const;
  static override summary = 'List nodes.';
  static override description =
    'Name, state, weight, groups and domains of every node; this reads no volumes. -o wide adds what follows from the ' +
    'volumes: ideal capacity (IC, the fair share of all weight), remaining capacity (RC, that less what the node has), ' +
    'the total weight of its volumes, and the volumes.';
  static override examples = [
    { description: 'All nodes', command: 'cfs node list' },
    { description: 'Who has most to spare, with volumes', command: 'cfs node list -o wide --sort -remainingCapacity' },
  ];

  async run() {
    const { flags } = await this.parse(NodeList);
    const snapshot = await this.snapshot();
    const membership = snapshot.table('membership');
    const rows: Row[] = [];
    for (const [name, record] of snapshot.table('nodes').entries()) {
      rows.push({ ...record, name, state: membership.get(name)?.state ?? 'offline' });
    }
    rows.sort((a, b) => naturalCompare(a.name, b.name));
    // Only a plain table can do without the volumes, and it must: at 100,000 volumes they take most of a second.
    const plain = flags.output === 'table' || flags.output === 'name';
    if (flags.json || !plain || flags.filter !== undefined || flags.sort !== undefined) {
      const { clusterLoads } = await import('../../core/status/loads.js');
      const loads = new Map(clusterLoads(snapshot).nodes.map((node) => [node.name, node]));
      for (const row of rows) row.load = loads.get(row.name)!;
    }
    return this.list('nodes', COLUMNS, rows, { generation: snapshot.generation });
  }
}
