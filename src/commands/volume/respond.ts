import { clientFlags, forceFlag } from '../../cli/client-flags.js';
import { Flags, nameArg, usage } from '../../cli/command.js';
import { isReadOnlyHere, MountCommand } from '../../cli/mount-command.js';
import { type RespondRequest, respond } from '../../core/access/answers.js';
import { writerOf } from '../../core/access/look.js';
import { CfsError } from '../../core/errors.js';
import { requireVolume } from '../../core/model/find.js';

interface Answer {
  grant: boolean;
  message: string | null;
}

export default class VolumeRespond extends MountCommand {
  static override kind = 'change' as const;
  static override summary = 'Answer a write request.';
  static override description =
    'The writer lets the client that has waited longest write, or denies it; VOLUME/CLIENT answers a certain one (only the first in the ' +
    'queue can be granted). Without --grant and --deny it shows the request on a terminal and asks. The message goes to whoever asked. ' +
    'Granted: the mount of the writer becomes read-only first, and only then the other may write. Its agent does that, or this command ' +
    "with the driver of this host's agent configuration. Where programs have files open for writing, nothing is torn away: the answer becomes " +
    'a denial that names them (exit 4), unless --force ends them. Only the writer answers (5): --client, CFS_CLIENT or the configuration ' +
    'of this host says who you are; where nothing does, you answer for the writer, as an administrator. What no longer waits ends with 3.';
  static override examples = [
    { description: 'See who asks, and decide', command: 'cfs volume respond v1' },
    { description: 'Let the first one write', command: 'cfs volume respond v1 --grant --message "done for today"' },
    { description: 'Not now', command: 'cfs volume respond v1/c2 --deny --message "still rendering, try at six"' },
  ];
  static override args = {
    request: nameArg('volume', { description: 'name of a volume, or VOLUME/CLIENT for the request of that client' }),
  };
  static override flags = {
    ...clientFlags,
    ...forceFlag,
    grant: Flags.boolean({ summary: 'Let it write.', exclusive: ['deny'] }),
    deny: Flags.boolean({ summary: 'Do not.' }),
  };

  async run() {
    const { args, flags } = await this.parse(VolumeRespond);
    const { clientHosts, chooseClient } = await import('../../cli/client-host.js');
    const [name = '', from = null, ...rest] = args.request.split('/');
    if (rest.length > 0) usage(`"${args.request}" is neither VOLUME nor VOLUME/CLIENT`, 'For example: v1, or v1/c2.');
    if (flags.force && flags.deny) usage('--force and --deny exclude each other', 'A denial ends no programs.');
    const cluster = await this.cluster();
    const snapshot = cluster.snapshot();
    const volume = requireVolume(snapshot, name);
    const by = chooseClient(flags);
    const { writer, queue } = writerOf(snapshot, volume);
    const client = from ?? queue[0] ?? null;
    const request: Omit<RespondRequest, 'grant' | 'message'> = {
      volume,
      client,
      by,
      readOnly: true,
      force: flags.force ?? false,
    };
    let answer: Answer = { grant: flags.grant ?? false, message: flags.message ?? null };
    if (!flags.grant && !flags.deny) {
      const { askForAnswer } = await import('../../cli/ask-answer.js');
      const asked = await askForAnswer(snapshot, request, flags.message);
      answer = asked.answer;
      request.asked = asked.asked;
    }
    const hosts = writer === null ? [] : await clientHosts(cluster, [writer], flags.config);
    request.readOnly = hosts[0] === undefined || isReadOnlyHere(hosts[0]);
    return this.answer({ ...request, ...answer }, hosts);
  }

  private async answer(request: RespondRequest, hosts: Parameters<MountCommand['mountParts']>[0]) {
    const { outcome, steps } = await this.changeMounts(hosts, respond, request, request.force).catch((error) =>
      this.denyBusy(error, request),
    );
    const { volume, client, answer, writer } = outcome.value;
    const text = {
      granted: `${client} may write ${volume} now.`,
      agreed: `${client} may write ${volume} when the mount of ${writer} is read-only.`,
      denied: `The request of ${client} for ${volume} is denied.`,
    }[answer];
    const [host] = hosts;
    return this.changed(outcome, host === undefined || answer === 'denied' ? text : this.told(host, text, steps), {
      ...outcome.value,
      byAgent: answer === 'agreed',
      steps,
    });
  }

  /** The mount is busy: that is the answer. */
  private async denyBusy(error: unknown, request: RespondRequest): Promise<never> {
    const isBusy = error instanceof CfsError && error.code === 'MOUNT_BUSY' && error.details?.holders !== undefined;
    if (!isBusy || error.details?.committed !== undefined) throw error;
    const { value, generation } = await this.change(respond, {
      ...request,
      grant: false,
      message: error.message.slice(0, 500),
    });
    throw new CfsError(
      'MOUNT_BUSY',
      `The request of ${value.client} is denied (generation ${generation}): ${error.message}`,
      {
        ...(error.hint === undefined ? {} : { hint: error.hint }),
        details: { ...error.details, client: value.client, committed: generation },
        cause: error,
      },
    );
  }
}
