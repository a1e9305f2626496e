import { CfsCommand, Flags, namesArg } from '../../cli/command.js';
import { nodeRemove } from '../../core/config/nodes.js';
import { plural } from '../../render/format.js';

export default class NodeRemove extends CfsCommand {
  static override kind = 'change' as const;
  static override summary = 'Remove nodes.';
  static override description =
    'Removes nodes that administer no volume (cfs node standby NODE moves them away). A node that volumes prefer is ' +
    'kept unless --force is given, which clears their preference. Asks first.';
  static override examples = [
    { description: 'Remove a node that holds nothing', command: 'cfs node remove n3 --yes' },
    {
      description: 'See what would go, the preferences of volumes included',
      command: 'cfs node remove n3 --force --dry-run',
    },
  ];
  static override strict = false;
  static override args = { name: namesArg('node') };
  static override flags = { force: Flags.boolean({ summary: 'Clear the preference of volumes that prefer them.' }) };

  async run() {
    const { args, flags } = await this.parse(NodeRemove);
    await this.confirm(`Remove ${args.name.length === 1 ? 'node' : 'nodes'} ${args.name.join(', ')}?`);
    const outcome = await this.change(nodeRemove, { name: args.name, force: flags.force });
    const { removed, preferencesCleared } = outcome.value;
    const cleared =
      preferencesCleared.length > 0
        ? ` The preference of ${plural(preferencesCleared.length, 'volume')} is cleared.`
        : '';
    return this.changed(outcome, `Removed ${removed.join(', ')}.${cleared}`, { removed, preferencesCleared });
  }
}
