import { clientConfigFlag, forceFlag } from '../../cli/client-flags.js';
import { Flags, nameArg } from '../../cli/command.js';
import { isReadOnlyHere, MountCommand } from '../../cli/mount-command.js';
import { clientLogoff } from '../../core/access/logon.js';

export default class ClientLogoff extends MountCommand {
  static override kind = 'change' as const;
  static override summary = 'Log a client off: everything is unmounted.';
  static override description =
    'Its mounts are unmounted, its requests withdrawn, and what it writes passes on to whoever has waited longest, or to nobody. Where ' +
    'it has an agent, that unmounts, and rights to write pass on when it has (--wait waits for it). Without one this command does, with ' +
    "the driver of this host's agent configuration, before it commits; a mount that programs use is refused (4), unless --force ends them. " +
    'A client whose host is another one, and has no agent, is believed to have nothing mounted for writing any more.\n' +
    '--fenced is for a client whose agent does not answer and cannot be fenced: a person says that it is off, or cut off from the ' +
    'storage. Nothing checks this. If it still writes, its volumes will be destroyed. It is refused (4) when its agent renews its ' +
    'lease meanwhile, which takes a moment to see. It asks first.';
  static override examples = [
    { description: 'At the end of the day', command: 'cfs client logoff c1' },
    {
      description: 'Its plug has been pulled',
      command: 'cfs client logoff c1 --fenced --yes --message "unplugged by hand, room 12"',
    },
  ];
  static override args = { name: nameArg('client') };
  static override flags = {
    ...clientConfigFlag,
    ...forceFlag,
    fenced: Flags.boolean({
      summary: 'It is off, or cut off from the storage: a person says so.',
      exclusive: ['force'],
    }),
  };

  async run() {
    const { args, flags } = await this.parse(ClientLogoff);
    const wish = { client: args.name, config: flags.config };
    if (flags.fenced) return this.fenced(wish);
    const host = await this.clientHost(wish);
    const { client, hasAgent } = host;
    const reason = (flags as { message?: string }).message ?? null;
    const request = { client, readOnly: isReadOnlyHere(host), force: flags.force, reason };
    const { outcome, steps } = await this.changeMounts([host], clientLogoff, request, flags.force);
    const lines = [`${client} is logged off.`, ...passedOn(outcome.value.writers)];
    return this.changed(outcome, this.told(host, lines.join('\n'), steps), {
      ...outcome.value,
      byAgent: hasAgent,
      steps,
    });
  }

  private async fenced(wish: { client: string; config: string | undefined }) {
    const { client } = await this.clientHost(wish);
    await this.confirm(
      `Is client ${client} off, or cut off from the storage, for certain? If it still writes, its volumes will be destroyed.`,
    );
    const { confirmedGone } = await import('../../cli/confirmed-gone.js');
    const waiting = await this.progress(`Looking whether the agent of ${client} still lives`);
    const { message } = this.changeOptions();
    const { operation, request } = await confirmedGone(await this.cluster(), { client, message }).finally(() =>
      waiting.stop(),
    );
    const outcome = await this.change(operation, request);
    const writers = outcome.value.lapsed[0]?.writers ?? [];
    const text = [`${client} counts as fenced and is logged off.`, ...passedOn(writers)].join('\n');
    return this.changed(outcome, text, { client, writers });
  }
}

function passedOn(writers: readonly { volume: string; writer: string | null }[]): string[] {
  return writers.map(({ volume, writer }) => `${volume}: ${writer ?? 'nobody'} may write now.`);
}
