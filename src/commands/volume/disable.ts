import { clientConfigFlag, forceFlag } from '../../cli/client-flags.js';
import { namesArg } from '../../cli/command.js';
import { RightsCommand } from '../../cli/rights-command.js';
import { volumeControl } from '../../core/access/rights.js';

export default class VolumeDisable extends RightsCommand {
  static override kind = 'change' as const;
  static override summary = 'Keep volumes from being written.';
  static override description =
    'Nobody can write a disabled volume; it can still be mounted to read. Requests that wait are denied, and its writer gives its right up: ' +
    'its agent makes the mount read-only (--wait waits for it), or, on the host of a writer without an agent, this command does before it ' +
    'commits. A mount on which programs have files open for writing is not torn away: here the command is refused (4), an agent tries ' +
    'again and tells the reason; --force ends these programs.';
  static override examples = [
    { description: 'Before its storage is copied', command: 'cfs volume disable v1 --message "copy to the new array"' },
    { description: 'Two, whatever their writers do', command: 'cfs volume disable v1 v2 --force' },
  ];
  static override strict = false;
  static override args = { name: namesArg('volume') };
  static override flags = { ...clientConfigFlag, ...forceFlag };

  async run() {
    const { args, flags } = await this.parse(VolumeDisable);
    const hosts = await this.hosts(await this.writersOf(args.name), flags.config);
    const request = { volume: args.name, enabled: false, force: flags.force };
    return this.takeAway(
      hosts,
      volumeControl,
      request,
      flags.force,
      ({ volumes }) => `Disabled ${volumes.join(', ')}.`,
    );
  }
}
