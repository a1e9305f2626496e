import { CfsCommand, nameArg, textArg } from '../../cli/command.js';
import { nodeRename } from '../../core/config/nodes.js';

export default class NodeRename extends CfsCommand {
  static override kind = 'change' as const;
  static override summary = 'Give a node another name.';
  static override description =
    'Placements, preferences and the state of the node follow. Nothing moves, and epochs stay.';
  static override examples = [
    { description: 'Rename n3', command: 'cfs node rename n3 storage-3' },
    { description: 'See which records name it', command: 'cfs node rename n3 storage-3 --dry-run' },
  ];
  static override args = { name: nameArg('node'), 'new-name': textArg('the new name') };

  async run() {
    const { args } = await this.parse(NodeRename);
    const outcome = await this.change(nodeRename, { name: args.name, newName: args['new-name'] });
    return this.changed(outcome, `Node ${outcome.value.name} is now ${outcome.value.newName}.`, { ...outcome.value });
  }
}
