import { clientFlags, forceFlag } from '../../cli/client-flags.js';
import { Flags, usage } from '../../cli/command.js';
import { MountCommand } from '../../cli/mount-command.js';
import { Args } from '../../cli/oclif.js';
import { volumeRefresh } from '../../core/access/mounts.js';

export default class VolumeRefresh extends MountCommand {
  static override kind = 'change' as const;
  static override summary = 'Make read-only mounts anew, so that they show what was written.';
  static override description =
    'The volumes that are named, or all that the client has mounted read-only. Its agent does it, in general within a second; without an agent this ' +
    "command unmounts and mounts, with the driver of this host's agent configuration. A mount that programs use is not torn away (exit 4), " +
    'unless --force ends them.\n' +
    'With --auto, for cron on clients without an agent: those that are allowed with --auto-update, were modified since they were mounted, ' +
    'and were not refreshed within their interval. An agent does this by itself: then --auto does nothing. In a frozen cluster it ends with 4.';
  static override examples = [
    { description: 'See what the writer has written', command: 'cfs volume refresh v2 --client c1' },
    { description: 'By cron: all that are due', command: 'cfs volume refresh --auto --client c1' },
  ];
  static override strict = false;
  static override args = {
    volume: Args.string({
      description: 'name of a volume; several may follow',
      ignoreStdin: true,
      multiple: true,
      required: false,
      ...({ complete: 'volume' } as object),
    }),
  };
  static override flags = {
    ...clientFlags,
    ...forceFlag,
    auto: Flags.boolean({ summary: 'Those that are due.' }),
  };

  async run() {
    const { args, flags } = await this.parse(VolumeRefresh);
    const named = args.volume === undefined ? null : [args.volume].flat();
    if (flags.auto && named !== null) usage('cfs volume refresh --auto finds the volumes itself', 'Leave VOLUME away.');
    const host = await this.clientHost(flags);
    const { client, hasAgent } = host;
    if (hasAgent && !flags.auto) {
      const { outcome } = await this.changeMounts([host], volumeRefresh, {
        client,
        ...(named === null ? {} : { volumes: named }),
      });
      const { volumes } = outcome.value;
      const text = `The agent of ${client} was asked to refresh ${volumes.join(', ')}.`;
      return this.changed(outcome, text, { client, volumes, byAgent: true, problems: [] });
    }
    const { refreshHere } = await import('../../cli/refresh.js');
    const parts = await this.mountParts([host], flags.force);
    const { outcome, volumes, problems, error } = await refreshHere(parts, host, named, flags.auto ?? false);
    if (hasAgent) this.note(`The agent of ${client} refreshes by itself, on its interval.`);
    if (error !== null) throw error;
    const text = `Refreshed ${volumes.join(', ')}.`;
    if (!outcome.committed && volumes.length > 0 && !this.isDryRun) this.print(text);
    return this.changed(outcome, text, { client, volumes, byAgent: hasAgent, problems });
  }
}
