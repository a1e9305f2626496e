import { CfsCommand, namesArg } from '../../cli/command.js';
import { nodeOnline } from '../../core/membership/states.js';

export default class NodeOnline extends CfsCommand {
  static override kind = 'change' as const;
  static override summary = 'Put nodes online.';
  static override description =
    'An online node takes volumes: from the next cfs rebalance, or cfs failback for those that prefer it. Nothing moves now.';
  static override examples = [
    { description: 'Put a new node to work', command: 'cfs node online n9' },
    {
      description: 'Several at once, with the reason for history',
      command: 'cfs node online n3 n4 --message "rack 2 is back"',
    },
  ];
  static override strict = false;
  static override args = { name: namesArg('node') };

  async run() {
    const { args } = await this.parse(NodeOnline);
    const outcome = await this.change(nodeOnline, { name: args.name });
    return this.changed(outcome, `Online: ${outcome.value.online.join(', ')}.`, { ...outcome.value });
  }
}
