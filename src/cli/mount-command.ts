/** The base of commands that change what clients have mounted: they act for a client, with its agent or in its place. */
import { quoteName } from '../core/model/names.js';
import type { Operation } from '../core/operation.js';
import { escapeText } from '../render/format.js';
import type { ClientHost, ClientWish } from './client-host.js';
import { CfsCommand } from './command.js';
import type { MountStep } from './host-mounts.js';
import type { MountOutcome, MountParts } from './mount-change.js';

export abstract class MountCommand extends CfsCommand {
  /** The client that is meant. @throws CfsError USAGE, CLIENT_NOT_FOUND … */
  protected async clientHost(wish: ClientWish): Promise<ClientHost> {
    const { clientHost } = await import('./client-host.js');
    return clientHost(await this.cluster(), wish);
  }

  /** See changeMounts. @param follow volumes that are to be mounted here as the tables say in any case */
  protected async changeMounts<Request, Result>(
    hosts: readonly ClientHost[],
    operation: Operation<Request, Result>,
    request: Request,
    force = false,
    follow: readonly string[] = [],
  ): Promise<MountOutcome<Result>> {
    const { changeMounts } = await import('./mount-change.js');
    return changeMounts({ ...(await this.mountParts(hosts, force)), follow }, operation, request);
  }

  protected async mountParts(hosts: readonly ClientHost[], force = false): Promise<MountParts> {
    return {
      cluster: await this.cluster(),
      hosts,
      force,
      isDryRun: this.isDryRun,
      change: (operation, request) => this.change(operation, request),
    };
  }

  /** Where somebody may take a mount for done that nobody makes. Pure use of the tables, without a client's configuration, stays quiet. */
  protected noteTablesOnly({ client, hasAgent, isOfAnother, elsewhere }: ClientHost): void {
    if (!isOfAnother || hasAgent || elsewhere !== null) return;
    this.note(`Tables only: this host's configuration is not of client ${client}, and ${client} has no agent.`);
  }

  /** What is said besides the generation: who mounts. */
  protected told(host: ClientHost, text: string, steps: readonly MountStep[]): string {
    const mounted = steps.map(({ volume, from, to }) => `Mounted here: ${volume}, ${from} -> ${to}.`);
    const agent = host.hasAgent ? [`The agent of ${quoteName(host.client)} sees to the mount.`] : [];
    const other = host.elsewhere === null ? [] : [elsewhereText(host.client, host.elsewhere)];
    return [text, ...mounted, ...agent, ...other].join('\n');
  }
}

/** Whether a command here may say that the client has nothing mounted for writing by the time of its commit. */
export function isReadOnlyHere({ hasAgent, elsewhere }: ClientHost): boolean {
  return !hasAgent && elsewhere === null;
}

/** What is to be done about a client whose mounts only commands on another host can change. */
export function elsewhereText(client: string, host: string): string {
  return (
    `Host ${escapeText(host)} mounts for ${client}, without an agent; there: cfs volume mount --reconcile --client ${client} ` +
    `(if that host is off for certain: cfs client logoff ${client} --fenced)`
  );
}
