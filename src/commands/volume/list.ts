import { CfsCommand, type Column } from '../../cli/command.js';
import { naturalCompare } from '../../core/model/names.js';
import type { PlacementRecord, VolumeRecord } from '../../core/model/tables.js';

interface Row extends VolumeRecord {
  name: string;
  placement: PlacementRecord | undefined;
}

const COLUMNS: Column<Row>[] = [
  { key: 'name', value: (r) => r.name },
  { key: 'currentNode', title: 'NODE', value: (r) => r.placement?.node },
  { key: 'weight', value: (r) => r.weight, align: 'right' },
  { key: 'group', value: (r) => r.group },
  { key: 'domains', value: (r) => r.domains },
  { key: 'preferredNode', title: 'PREFERS', value: (r) => r.preferredNode },
  { key: 'canGroupMigrate', title: 'MIGRATES', value: (r) => r.canGroupMigrate, wide: true },
  { key: 'epoch', value: (r) => r.placement?.since, align: 'right', wide: true },
  { key: 'placedBy', title: 'BY', value: (r) => r.placement?.by, wide: true },
  { key: 'stage', value: (r) => r.placement?.stage, wide: true },
  { key: 'unplaced', value: (r) => r.placement?.unplaced, wide: true },
];

export default class VolumeList extends CfsCommand {
  static override kind = 'list' as const;
  static override summary = 'List volumes.';
  static override description =
    'Every volume with its node, weight, group, domains and preferred node. -o wide adds its epoch (the generation that ' +
    'made its node administer it), which decision placed it, and why it is unplaced.';
  static override examples = [
    {
      description: 'The volumes on n1, heaviest first',
      command: 'cfs volume list --filter currentNode=n1 --sort -weight',
    },
    { description: 'Names of those that have no node', command: 'cfs volume list --filter currentNode= -o name' },
  ];

  async run() {
    await this.parse(VolumeList);
    const snapshot = await this.snapshot();
    const placements = snapshot.table('placements');
    const rows: Row[] = [];
    for (const [name, record] of snapshot.table('volumes').entries()) {
      rows.push({ ...record, name, placement: placements.get(name) });
    }
    rows.sort((a, b) => naturalCompare(a.name, b.name));
    return this.list('volumes', COLUMNS, rows, { generation: snapshot.generation });
  }
}
