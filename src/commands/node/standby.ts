import { nameArg } from '../../cli/command.js';
import { PlacementCommand, placementFlags } from '../../cli/placement-command.js';
import { drainTo } from '../../core/placement/operations.js';

export default class NodeStandby extends PlacementCommand {
  static override kind = 'change' as const;
  static override summary = 'Drain a node: it keeps nothing and gets nothing new.';
  static override description =
    'Moves every volume away and changes the state, as one generation; a node on standby still works but keeps no volume, for example before maintenance. ' +
    'Nothing else moves. cfs node online brings it back.';
  static override examples = [
    { description: 'Move everything away', command: 'cfs node standby n3' },
    { description: 'See where its volumes would go', command: 'cfs node standby n3 --dry-run --explain' },
  ];
  static override args = { name: nameArg('node') };
  static override flags = placementFlags;

  async run() {
    const { args, flags } = await this.parse(NodeStandby);
    const outcome = await this.change(drainTo('standby'), { node: args.name });
    return this.placed(outcome, flags, `Node ${args.name} is on standby.`, { node: args.name });
  }
}
