import { clientFlags, forceFlag } from '../../cli/client-flags.js';
import { nameArg } from '../../cli/command.js';
import { isReadOnlyHere, MountCommand } from '../../cli/mount-command.js';
import { releaseWrite } from '../../core/access/answers.js';

export default class VolumeReleaseWrite extends MountCommand {
  static override kind = 'change' as const;
  static override summary = 'Give up the right to write to a volume.';
  static override description =
    'The writer keeps the volume mounted read-only. Whoever has waited longest becomes the writer, or nobody. Where the client has an ' +
    'agent, the right passes on when that has made the mount read-only (--wait waits for it); without one this command does, with the ' +
    "driver of this host's agent configuration, before it commits. A mount on which programs have files open for writing is refused " +
    '(4), unless --force ends them. A client that is not the writer is denied (5).';
  static override examples = [
    { description: 'Let the next one write', command: 'cfs volume release-write v1 --client c1' },
    {
      description: 'And end the programs that still write',
      command: 'cfs volume release-write v1 --client c1 --force --message "the night run must begin"',
    },
  ];
  static override args = { volume: nameArg('volume') };
  static override flags = { ...clientFlags, ...forceFlag };

  async run() {
    const { args, flags } = await this.parse(VolumeReleaseWrite);
    const host = await this.clientHost(flags);
    const { client, hasAgent } = host;
    const request = { volume: args.volume, client, force: flags.force ?? false, readOnly: isReadOnlyHere(host) };
    const { outcome, steps } = await this.changeMounts([host], releaseWrite, request, flags.force);
    const { volume, writer } = outcome.value;
    const next = writer === null ? 'nobody may write now' : `${writer} may write now`;
    const text =
      writer === client
        ? `${client} gives up the right to write ${volume}.`
        : `${client} gave up the right to write ${volume}: ${next}.`;
    return this.changed(outcome, this.told(host, text, steps), { ...outcome.value, byAgent: hasAgent, steps });
  }
}
