import { nameArg } from '../../cli/command.js';
import { PlacementCommand, placementFlags } from '../../cli/placement-command.js';
import { drainTo } from '../../core/placement/operations.js';

export default class NodeOffline extends PlacementCommand {
  static override kind = 'change' as const;
  static override summary = 'Take a node out.';
  static override description =
    'Moves every volume away and changes the state, as one generation; an offline node is out of the cluster until somebody puts it online. ' +
    'Nothing else moves. cfs node online brings it back.';
  static override examples = [
    { description: 'Move everything away', command: 'cfs node offline n3' },
    { description: 'See where its volumes would go', command: 'cfs node offline n3 --dry-run --explain' },
  ];
  static override args = { name: nameArg('node') };
  static override flags = placementFlags;

  async run() {
    const { args, flags } = await this.parse(NodeOffline);
    const outcome = await this.change(drainTo('offline'), { node: args.name });
    return this.placed(outcome, flags, `Node ${args.name} is offline.`, { node: args.name });
  }
}
