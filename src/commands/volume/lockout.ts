import { CfsCommand, namesListArg } from '../../cli/command.js';
import { pairsText } from '../../cli/rights-command.js';
import { volumeLockout } from '../../core/access/rights.js';

export default class VolumeLockout extends CfsCommand {
  static override kind = 'change' as const;
  static override summary = 'Keep clients from asking to write volumes.';
  static override description =
    'A client that is locked out of a volume keeps what it has: it may mount it, and a writer stays one, but it may not ask for changes ' +
    '(its requests are denied, exit code 5). A request that waits is denied. cfs volume unlock takes this back.';
  static override examples = [
    { description: 'c1 may read v1 and no more', command: 'cfs volume lockout v1 c1' },
    { description: 'See what that would change', command: 'cfs volume lockout v1,v2 c1,c2 --dry-run' },
  ];
  static override args = { volume: namesListArg('volume'), client: namesListArg('client') };

  async run() {
    const { args } = await this.parse(VolumeLockout);
    const outcome = await this.change(volumeLockout, { volume: args.volume, client: args.client, lockout: true });
    const { volumes, clients } = outcome.value;
    return this.changed(outcome, pairsText(clients, 'may not ask any more to write', volumes), { volumes, clients });
  }
}
