import { CfsCommand, nameArg } from '../../cli/command.js';
import { requireVolume } from '../../core/model/find.js';

export default class VolumeShow extends CfsCommand {
  static override summary = 'Show one volume.';
  static override description =
    'Every field of the volume (FIG. 5B of WO 99/53415) and where it is. cfs why VOLUME explains why it is there.';
  static override examples = [
    { description: 'One volume', command: 'cfs volume show v1' },
    { description: 'Where it was at generation 2', command: 'cfs volume show v1 --at 2' },
  ];
  static override args = { name: nameArg('volume') };

  async run() {
    const { args } = await this.parse(VolumeShow);
    const snapshot = await this.snapshot();
    const name = requireVolume(snapshot, args.name);
    const record = snapshot.table('volumes').get(name)!;
    const placement = snapshot.table('placements').get(name) ?? null;
    const node = placement?.node ?? null;
    const nodeState = node === null ? null : (snapshot.table('membership').get(node)?.state ?? 'offline');
    const where =
      placement === null
        ? 'not yet placed (cfs rebalance places it)'
        : node === null
          ? `none: ${placement.unplaced}`
          : `${node} (${nodeState})`;
    await this.fields([
      ['Volume', name],
      ['Current node', where],
      ['Epoch', placement?.since],
      ['Placed by', placement === null ? null : [placement.by, placement.stage].filter(Boolean).join(' ')],
      ['Preferred node', record.preferredNode],
      ['Weight', record.weight],
      ['Group', record.group],
      ['Can leave its group', record.canGroupMigrate],
      ['Domains', record.domains],
    ]);
    return { generation: snapshot.generation, volume: { name, ...record, placement, nodeState } };
  }
}
