import { clientConfigFlag, forceFlag } from '../../cli/client-flags.js';
import { nameArg } from '../../cli/command.js';
import { MountCommand } from '../../cli/mount-command.js';
import { clientLogon } from '../../core/access/logon.js';

export default class ClientLogon extends MountCommand {
  static override kind = 'change' as const;
  static override summary = 'Log a client on, with everything that it may mount.';
  static override description =
    'Takes the lock, records that the client is logged on, and mounts every volume that access allows, read-only (FIG. 15A of the ' +
    'specification); cfs volume request-write makes it a writer. An agent of the client logs it on by itself when it starts. Without ' +
    "one this command mounts, after the commit, with the driver of this host's agent configuration; a configuration of another client, " +
    'or none, mounts nothing: the tables alone change. A mount that fails ends with 1, one that is busy with 4; the client is logged on then.';
  static override examples = [
    { description: 'This host is the client c1', command: 'cfs client logon c1' },
    { description: 'See what would be mounted', command: 'cfs client logon c1 --dry-run' },
  ];
  static override args = { name: nameArg('client') };
  static override flags = { ...clientConfigFlag, ...forceFlag };

  async run() {
    const { args, flags } = await this.parse(ClientLogon);
    const host = await this.clientHost({ client: args.name, config: flags.config });
    const { client, hasAgent, lease } = host;
    const request = { client, ...(hasAgent || lease === null ? {} : { lease: lease.seq }) };
    const { outcome, steps } = await this.changeMounts([host], clientLogon, request, flags.force);
    const { mounted } = outcome.value;
    const text = `${client} is logged on${mounted.length === 0 ? '.' : `, with ${mounted.length > 5 ? `${mounted.length} volumes` : mounted.join(', ')} mounted.`}`;
    const data = { ...outcome.value, byAgent: hasAgent, steps };
    const result = await this.changed(outcome, this.told(host, text, steps), data);
    this.noteTablesOnly(host);
    return result;
  }
}
