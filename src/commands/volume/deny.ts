import { clientConfigFlag, forceFlag } from '../../cli/client-flags.js';
import { namesListArg } from '../../cli/command.js';
import { pairsText, RightsCommand } from '../../cli/rights-command.js';
import { volumeDeny } from '../../core/access/rights.js';

export default class VolumeDeny extends RightsCommand {
  static override kind = 'change' as const;
  static override summary = 'Take from clients the right to mount volumes.';
  static override description =
    'What is mounted is unmounted; a request that waits is denied; a writer gives its right up, and whoever has waited longest gets it when ' +
    'its mount is known to be gone. An agent sees to that by itself (--wait waits for it). On the host of a client without an agent this ' +
    "command does, with the driver of this host's agent configuration, before it commits; a mount that programs use is refused (4), unless " +
    '--force ends them. Where neither is possible the client is denied, but stays the writer until somebody unmounts there.';
  static override examples = [
    { description: 'c1 may not mount v1 any more', command: 'cfs volume deny v1 c1' },
    { description: 'See what several would lose', command: 'cfs volume deny v1,v2 c1,c2 --dry-run' },
  ];
  static override args = { volume: namesListArg('volume'), client: namesListArg('client') };
  static override flags = { ...clientConfigFlag, ...forceFlag };

  async run() {
    const { args, flags } = await this.parse(VolumeDeny);
    const { volume, client } = args;
    const hosts = await this.hosts(client, flags.config);
    const request = { volume, client, force: flags.force };
    return this.takeAway(hosts, volumeDeny, request, flags.force, ({ volumes, clients }) =>
      pairsText(clients, 'may not mount', volumes),
    );
  }
}
