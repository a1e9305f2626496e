import { CfsCommand, namesArg } from '../../cli/command.js';
import { clientRemove } from '../../core/access/clients.js';

export default class ClientRemove extends CfsCommand {
  static override kind = 'change' as const;
  static override summary = 'Remove clients.';
  static override description =
    'Removes clients with their rights, mounts and requests. One that is logged on, or is still the writer of a volume, is kept: ' +
    'log it off first (cfs client logoff). Asks first.';
  static override examples = [
    { description: 'Remove a client that has gone for good', command: 'cfs client remove c3 --yes' },
    { description: 'See what would go with it', command: 'cfs client remove c3 --dry-run' },
  ];
  static override strict = false;
  static override args = { name: namesArg('client') };

  async run() {
    const { args } = await this.parse(ClientRemove);
    const what = args.name.length > 5 ? `${args.name.length} clients` : args.name.join(', ');
    await this.confirm(`Remove ${args.name.length === 1 ? 'client ' : ''}${what} with all rights?`);
    const outcome = await this.change(clientRemove, { name: args.name });
    const { removed } = outcome.value;
    const text = removed.length > 5 ? `${removed.length} clients` : removed.join(', ');
    return this.changed(outcome, `Removed ${text}.`, { removed });
  }
}
