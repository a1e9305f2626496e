import { clientFlags, forceFlag } from '../../cli/client-flags.js';
import { nameArg } from '../../cli/command.js';
import { isReadOnlyHere, MountCommand } from '../../cli/mount-command.js';
import { volumeUnmount } from '../../core/access/mounts.js';

export default class VolumeUnmount extends MountCommand {
  static override kind = 'change' as const;
  static override summary = 'Unmount a volume on a client.';
  static override description =
    'A request of the client for the volume is withdrawn. A writer gives its right up: whoever has waited longest gets it, or nobody. ' +
    'Where the client has an agent, that unmounts, and the right passes on when it has. Without one this command does, with the driver ' +
    "of this host's agent configuration, before it commits; a mount that programs use is refused (4) and nothing is changed. With " +
    '--force these programs are ended; the agent does so where they write.';
  static override examples = [
    { description: 'On the client c1', command: 'cfs volume unmount v2 --client c1' },
    { description: 'Whatever its programs do', command: 'cfs volume unmount v1 --client c1 --force' },
  ];
  static override args = { volume: nameArg('volume') };
  static override flags = { ...clientFlags, ...forceFlag };

  async run() {
    const { args, flags } = await this.parse(VolumeUnmount);
    const host = await this.clientHost(flags);
    const { client, hasAgent } = host;
    const request = { volume: args.volume, client, readOnly: isReadOnlyHere(host), force: flags.force ?? false };
    const { outcome, steps } = await this.changeMounts([host], volumeUnmount, request, flags.force);
    const { volume, wasWriter, writer } = outcome.value;
    const passed = wasWriter && writer !== client ? ` ${writer === null ? 'Nobody' : writer} may write now.` : '';
    const text = this.told(host, `Unmounted ${volume} on ${client}.${passed}`, steps);
    return this.changed(outcome, text, { ...outcome.value, byAgent: hasAgent, steps });
  }
}
