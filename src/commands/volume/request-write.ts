import { clientFlags, forceFlag } from '../../cli/client-flags.js';
import { durationFlag, Flags, nameArg } from '../../cli/command.js';
import { MountCommand } from '../../cli/mount-command.js';
import { requestWrite } from '../../core/access/requests.js';

export default class VolumeRequestWrite extends MountCommand {
  static override kind = 'change' as const;
  static override summary = 'Ask for the right to write to a volume.';
  static override description =
    'Where nobody writes, the client becomes the writer at once. Else the writer is asked: its agent answers, or somebody with cfs volume ' +
    'respond; requests are granted in the order of asking. The client must be logged on (4), be allowed to mount the volume (5) and not be locked ' +
    'out (5); the volume must be enabled and its media writable (4). Asking again gives the request that stands.\n' +
    'With --wait, other than elsewhere, it waits for the answer, and holds no lock meanwhile. Granted: it ends when the volume is mounted for ' +
    "writing, by the client's agent, or without one by this command with the driver of this host's agent configuration. Denied: exit 5 with " +
    'the message of the writer. Not in time, or Ctrl-C: the request is withdrawn (exit 6, 130); if it was granted in that very moment, ' +
    'this is said and the exit is 0. It watches the lease of the writer as well: one that is dead is replaced though no agent runs anywhere, ' +
    'unless the cluster is frozen. Without --wait the request waits until its limit; see cfs volume requests, and mount with ' +
    'cfs volume mount VOLUME --rw when it is granted and the client has no agent.';
  static override examples = [
    {
      description: 'Ask, and wait for at most a minute',
      command: 'cfs volume request-write v1 --client c2 --wait 60s --message "new titles for the trailer"',
    },
    { description: 'Ask, and go on', command: 'cfs volume request-write v1 --client c2 --limit 1h' },
  ];
  static override args = { volume: nameArg('volume') };
  static override flags = {
    ...clientFlags,
    ...forceFlag,
    message: Flags.string({
      char: 'm',
      helpValue: 'TEXT',
      helpGroup: 'CHANGE',
      summary: 'Why; told to the writer and kept in history.',
    }),
    limit: durationFlag({ summary: 'When the request expires (else the setting access.requestTimeout).' }),
    wait: durationFlag({ helpGroup: 'CHANGE', summary: 'Wait for the answer; withdraw the request after so long.' }),
  };

  async run() {
    const { args, flags } = await this.parse(VolumeRequestWrite);
    const host = await this.clientHost(flags);
    const { client } = host;
    const { outcome, steps } = await this.changeMounts(
      [host],
      requestWrite,
      {
        volume: args.volume,
        client,
        message: flags.message ?? null,
        ...(flags.limit === undefined ? {} : { limitMs: flags.limit }),
      },
      flags.force,
      [args.volume],
    );
    const { volume, writer, response, asked, ahead } = outcome.value;
    const data = { ...outcome.value, byAgent: host.hasAgent, waitedMs: 0, steps };
    if (flags.wait === undefined || this.isDryRun) {
      const place = ahead === 0 ? '' : `, behind ${ahead}`;
      const text =
        response === 'granted'
          ? this.told(host, `${client} may write ${volume}.`, steps)
          : `${client} asks ${writer} to let it write ${volume}${place}.`;
      const kept =
        flags.message === undefined && flags.limit === undefined ? '' : ' Its message and limit stay as they were.';
      const stands = `The request of ${client} for ${volume} stands: place ${ahead + 1}, asked in generation ${asked}.${kept}`;
      const result = await this.changed(outcome, text, data, response === 'pending' ? stands : null);
      this.noteTablesOnly(host);
      return result;
    }
    this.noteTablesOnly(host);
    const { Requested } = await import('../../cli/requested.js');
    const requested = new Requested(await this.mountParts([host], flags.force), host, {
      volume,
      isQuiet: this.jsonEnabled(),
      timeoutMs: flags.wait,
      base: outcome.base,
    });
    const granted = response === 'granted' ? await requested.granted(null, steps) : await requested.wait(asked!);
    for (const line of granted.lines) this.print(line);
    const { lines: _, ...result } = granted;
    const { generation, base, committed, txid, changes } = outcome;
    const made = { generation, base, committed, dryRun: false, txid, recordsChanged: changes.length };
    return { ...made, ...data, response: 'granted' as const, writer: client, ...result };
  }

  /** --wait means the answer here; it was waited for already. */
  protected override async finally(): Promise<void> {}
}
