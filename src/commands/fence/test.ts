import { CfsCommand, Flags, nameArg, nameOf } from '../../cli/command.js';
import { requireNode } from '../../core/model/find.js';

export default class FenceTest extends CfsCommand {
  static override kind = 'local' as const;
  static override summary = "Try this node's fencing command on another node.";
  static override description =
    'Runs the fencing command of the configuration of this node (/etc/cfs/agent.json) with action=status, or monitor, which ' +
    'change nothing, and says what it was given and what it answered. Values that look like secrets are hidden. Ends with 1 ' +
    'when the command does not answer as a fence agent should: 0 for on, 2 for off. Try it from every node, for every node.';
  static override examples = [
    { description: 'Could this node fence n2?', command: 'cfs fence test n2 --config agent.json' },
    {
      description: 'For a script that knows monitor only',
      command: 'cfs fence test n2 --action monitor --config agent.json --json',
    },
  ];
  static override args = { name: nameArg('node') };
  static override flags = {
    config: Flags.string({ ...nameOf('file'), summary: 'Configuration of the agent (else /etc/cfs/agent.json).' }),
    action: Flags.option({
      options: ['status', 'monitor'] as const,
      summary: 'What is asked.',
      default: 'status' as const,
    })(),
  };

  async run() {
    const { args, flags } = await this.parse(FenceTest);
    const { readAgentConfig } = await import('../../agentd/config.js');
    const { requireFencing } = await import('../../agentd/fencing.js');
    const { ownFencing } = await import('../../agentd/own-fencing.js');
    const { snapshot, dir } = await this.cluster();
    const node = requireNode(snapshot(), args.name);
    const config = readAgentConfig(flags.config);
    const self = this.nodeName(config.node);
    const answer = await requireFencing(ownFencing(config, dir, self), self).test(node, flags.action);
    await this.fields([
      ['Command', answer.command],
      ['Given', answer.input.join(' ')],
      ['Answered', answer.said === '' ? null : answer.said],
      ['Status', answer.status],
      ['Took', `${answer.durationMs} ms`],
      [`Node ${node}`, answer.power === null ? 'unknown' : `is ${answer.power}`],
    ]);
    if (answer.failure === null) this.print(`The fencing command works for ${node}.`);
    else this.print(`The fencing command ${answer.failure}: this node could not fence ${node}.`);
    if (answer.failure !== null) process.exitCode = 1;
    return { node, action: flags.action, works: answer.failure === null, ...answer };
  }
}
