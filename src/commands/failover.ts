import { nameArg } from '../cli/command.js';
import { PlacementCommand, placementFlags } from '../cli/placement-command.js';
import { failover } from '../core/placement/operations.js';
import { plural } from '../render/format.js';

export default class Failover extends PlacementCommand {
  static override kind = 'change' as const;
  static override summary = 'Take over what a failed node had.';
  static override description =
    'Declares a node failed and gives its volumes to other nodes, as one generation: heaviest first, each to the eligible ' +
    'node with the largest remaining capacity. Every volume that may stay stays. Make sure that the node really is dead or ' +
    'cut off from the storage: where no agents run, nothing else does. Running it again changes nothing.';
  static override examples = [
    { description: 'A node has died', command: 'cfs failover n3 --message "power supply"' },
    { description: 'What would happen if it did', command: 'cfs failover n3 --dry-run --explain' },
  ];
  static override args = { name: nameArg('node') };
  static override flags = placementFlags;

  async run() {
    const { args, flags } = await this.parse(Failover);
    const outcome = await this.change(failover, { node: args.name });
    const { unassigned, changed } = outcome.value;
    const homeless = new Set(unassigned.map(({ volume }) => volume));
    const lost = changed.filter((volume) => homeless.has(volume)).length;
    const left = lost === 0 ? 'its volumes are taken over' : `${plural(lost, 'volume')} can be on no other node`;
    return this.placed(outcome, flags, `Node ${args.name} is failed; ${left}.`, { node: args.name });
  }
}
