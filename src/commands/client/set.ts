import { CfsCommand, Flags, nameOf, namesArg } from '../../cli/command.js';
import { defined } from '../../cli/defined.js';
import { ownClient } from '../../cli/own-client.js';
import { needsField } from '../../cli/record-flags.js';
import { clientSet } from '../../core/access/clients.js';

const FIELDS = ['refresh-notify', 'auto-respond', 'locked-out'];

export default class ClientSet extends CfsCommand {
  static override kind = 'change' as const;
  static override summary = 'Change clients.';
  static override description =
    'Changes the settings that are given and leaves the others. Several clients get the same values as one generation. With ' +
    "--auto-respond the client's own command (autoRespond in /etc/cfs/agent.json on its host) says whether it lets another write; " +
    'without a command the answer is yes. A client that is locked out may not change its own settings: on its host (that of ' +
    'client.name in /etc/cfs/agent.json) the change is denied (5).';
  static override examples = [
    { description: 'Answer write requests by itself from now on', command: 'cfs client set c1 --auto-respond' },
    {
      description: 'Ask the people there again, and tell them what others may do',
      command: 'cfs client set c1 c2 --no-auto-respond --refresh-notify',
    },
  ];
  static override strict = false;
  static override args = { name: namesArg('client') };
  static override flags = {
    config: Flags.string({
      ...nameOf('file'),
      summary: "Configuration of this host's agent, which says whose host it is (else /etc/cfs/agent.json).",
    }),
    'refresh-notify': Flags.boolean({ summary: "Tell it when other clients' rights change.", allowNo: true }),
    'auto-respond': Flags.boolean({
      summary: 'Write requests are answered without asking anybody there.',
      allowNo: true,
    }),
    'locked-out': Flags.boolean({ summary: 'It may not change its own settings.', allowNo: true }),
  };

  async run() {
    const { args, flags } = await this.parse(ClientSet);
    needsField(this.typed, flags, FIELDS);
    const outcome = await this.change(clientSet, {
      name: args.name,
      self: await ownClient(flags.config),
      ...defined({
        refreshNotify: flags['refresh-notify'],
        autoRespond: flags['auto-respond'],
        lockedOut: flags['locked-out'],
      }),
    });
    const { clients } = outcome.value;
    const text = `Changed ${clients.length === 1 ? 'client' : 'clients'} ${clients.join(', ')}.`;
    return this.changed(outcome, text, { clients });
  }
}
