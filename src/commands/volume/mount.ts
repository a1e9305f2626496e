import { clientFlags, forceFlag } from '../../cli/client-flags.js';
import { Flags, optionalNameArg, usage } from '../../cli/command.js';
import { MountCommand } from '../../cli/mount-command.js';
import { volumeMount } from '../../core/access/mounts.js';

interface Wish {
  client?: string | undefined;
  config?: string | undefined;
  force?: boolean | undefined;
}

export default class VolumeMount extends MountCommand {
  static override kind = 'change' as const;
  static override summary = 'Mount a volume on a client.';
  static override description =
    'Read-only; with --rw for writing, where nobody else is the writer (else exit 4: cfs volume request-write asks). The client must be ' +
    'logged on (4), and allowed to mount the volume (5). Where it has an agent, that mounts. Without one this command does, after the ' +
    "commit, with the driver of this host's agent configuration (key client); a configuration of another client, or none, mounts nothing: " +
    'the tables alone change. A mount that fails ends with 1, one that is busy with 4; the tables stand then.\n' +
    'With --reconcile, instead of VOLUME: brings everything that is mounted here to what the tables say, for a client without an agent. ' +
    'What is more than they allow first: rw becomes ro, or is unmounted; then rights that were to be given up pass on; then ' +
    'what is missing is mounted. To be run after a crash, or at the start of a host that has no agent. With --dry-run it prints what differs.';
  static override examples = [
    { description: 'To read', command: 'cfs volume mount v1 --client c1' },
    {
      description: 'To write, if nobody else does',
      command: 'cfs volume mount v2 --rw --client c1',
    },
    { description: 'Put right what a crash has left', command: 'cfs volume mount --reconcile --client c1' },
  ];
  static override args = { volume: optionalNameArg('volume') };
  static override flags = {
    ...clientFlags,
    ...forceFlag,
    rw: Flags.boolean({ summary: 'For writing.' }),
    reconcile: Flags.boolean({ summary: 'Bring the mounts of this host to what the tables say.', exclusive: ['rw'] }),
  };

  async run() {
    const { args, flags } = await this.parse(VolumeMount);
    const { volume } = args;
    if ((volume === undefined) !== (flags.reconcile ?? false)) {
      usage('cfs volume mount takes either VOLUME or --reconcile', 'For example: cfs volume mount v1 --client c1');
    }
    if (volume === undefined) return this.reconcile(flags);
    const host = await this.clientHost(flags);
    const { client } = host;
    const request = { volume, client, rw: flags.rw ?? false };
    const { outcome, steps } = await this.changeMounts([host], volumeMount, request, flags.force, [volume]);
    const { mode } = outcome.value;
    const text = this.told(host, `Mounted ${outcome.value.volume} on ${client}, ${mode}.`, steps);
    // By the tables it was mounted already, here it was not.
    if (!outcome.committed && steps.length > 0) this.print(text);
    const result = await this.changed(outcome, text, { ...outcome.value, byAgent: host.hasAgent, steps });
    this.noteTablesOnly(host);
    return result;
  }

  private async reconcile(wish: Wish) {
    const { reconcile } = await import('../../cli/reconcile.js');
    const host = await this.clientHost(wish);
    const { differences, steps, passedOn, problems, error, generation, committed } = await reconcile(
      await this.mountParts([host], wish.force),
      host,
    );
    if (this.isDryRun)
      for (const { volume, from, to } of differences) this.print(`${volume}: ${from}, should be ${to}`);
    for (const { volume, from, to } of steps) this.print(`${volume}: ${from} -> ${to}`);
    for (const { volume, writer } of passedOn) {
      const would = this.isDryRun ? 'would write' : 'writes';
      this.print(`${volume}: ${writer ?? 'nobody'} ${would} from now on`);
    }
    if (committed) this.print(`Generation ${generation}.`);
    else if (differences.length + passedOn.length === 0)
      this.print(`All is as the tables say (generation ${generation}).`);
    if (error !== null) throw await this.unfinished(error, problems, committed ? generation : null);
    return { client: host.client, generation, committed, dryRun: this.isDryRun, differences, steps, passedOn };
  }

  private async unfinished(
    error: { code: string; hint: string | undefined },
    problems: string[],
    committed: number | null,
  ) {
    const { CfsError } = await import('../../core/errors.js');
    return new CfsError(error.code as 'MOUNT_BUSY', problems.join('; '), {
      ...(error.hint === undefined ? {} : { hint: error.hint }),
      details: { problems, committed },
    });
  }
}
