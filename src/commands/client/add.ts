import { CfsCommand, Flags } from '../../cli/command.js';
import { defined } from '../../cli/defined.js';
import { Args } from '../../cli/oclif.js';
import { clientAdd } from '../../core/access/clients.js';
import { plural } from '../../render/format.js';

export default class ClientAdd extends CfsCommand {
  static override kind = 'change' as const;
  static override summary = 'Add clients.';
  static override description =
    'A client is a workstation or server that mounts volumes. Several names become clients with the same settings, as one generation. ' +
    'A new client may mount nothing (cfs volume allow), and is not logged on (cfs client logon, or its agent: cfs agentd --client NAME).';
  static override examples = [
    {
      description: 'A client that lets others write when they ask',
      command: 'cfs client add edit-1 --auto-respond',
    },
    {
      description: 'Two that hear of what others may do, and may not change their own settings',
      command: 'cfs client add render-1 render-2 --refresh-notify --locked-out',
    },
  ];
  static override strict = false;
  static override args = {
    name: Args.string({
      description: 'name of the new client; several may follow',
      ignoreStdin: true,
      multiple: true,
      required: true,
    }),
  };
  static override flags = {
    'refresh-notify': Flags.boolean({ summary: "Tell it when other clients' rights change." }),
    'auto-respond': Flags.boolean({ summary: 'Write requests are answered without asking anybody there.' }),
    'locked-out': Flags.boolean({ summary: 'It may not change its own settings.' }),
  };

  async run() {
    const { args, flags } = await this.parse(ClientAdd);
    const fields = defined({
      refreshNotify: flags['refresh-notify'],
      autoRespond: flags['auto-respond'],
      lockedOut: flags['locked-out'],
    });
    const outcome = await this.change(clientAdd, { clients: args.name.map((name) => ({ name, ...fields })) });
    const { added } = outcome.value;
    const text = added.length === 1 ? `Client ${added[0]} added.` : `${plural(added.length, 'client')} added.`;
    return this.changed(outcome, text, { added });
  }
}
