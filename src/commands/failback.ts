import { nameArg } from '../cli/command.js';
import { PlacementCommand, placementFlags } from '../cli/placement-command.js';
import { failback } from '../core/placement/operations.js';

export default class Failback extends PlacementCommand {
  static override kind = 'change' as const;
  static override summary = 'Return to a repaired node what prefers it.';
  static override description =
    'Puts the node online, if it is not, and returns the volumes that prefer it and that it may have, as one generation. ' +
    'Nothing else moves; cfs rebalance evens out the rest. Running it again changes nothing.';
  static override examples = [
    { description: 'The node is repaired', command: 'cfs failback n3' },
    { description: 'What would return', command: 'cfs failback n3 --dry-run' },
  ];
  static override args = { name: nameArg('node') };
  static override flags = placementFlags;

  async run() {
    const { args, flags } = await this.parse(Failback);
    const outcome = await this.change(failback, { node: args.name });
    const returned = outcome.value.moves === 0 ? 'nothing had to return to it' : 'what prefers it has returned';
    return this.placed(outcome, flags, `Node ${args.name} is online; ${returned}.`, { node: args.name });
  }
}
