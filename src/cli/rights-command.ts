/** The base of commands that take rights from clients: deny, disable. Whoever writes gives its right up first. */
import { writerOf } from '../core/access/look.js';
import { requireVolume } from '../core/model/find.js';
import type { Operation } from '../core/operation.js';
import type { ClientHost } from './client-host.js';
import type { CommandResult } from './command.js';
import { elsewhereText, isReadOnlyHere, MountCommand } from './mount-command.js';

/** `c1, c2 may mount v1, v2.`, with numbers for many. */
export function pairsText(clients: readonly string[], does: string, volumes: readonly string[]): string {
  const some = (names: readonly string[], what: string) =>
    names.length > 5 ? `${names.length} ${what}` : names.join(', ');
  return `${some(clients, 'clients')} ${does} ${some(volumes, 'volumes')}.`;
}

/** What the operations that take rights away give. */
interface TakenAway {
  volumes: string[];
  clients?: string[];
  writers: { volume: string; from: string; to: string | null }[];
}

export abstract class RightsCommand extends MountCommand {
  /** @throws CfsError CLIENT_NOT_FOUND, what readAgentConfig throws */
  protected async hosts(clients: readonly string[], config: string | undefined): Promise<ClientHost[]> {
    if (clients.length === 0) return [];
    const { clientHosts } = await import('./client-host.js');
    return clientHosts(await this.cluster(), clients, config);
  }

  /** @throws CfsError VOLUME_NOT_FOUND */
  protected async writersOf(volumes: readonly string[]): Promise<string[]> {
    const snapshot = await this.snapshot();
    const writers = volumes.map((input) => writerOf(snapshot, requireVolume(snapshot, input)).writer);
    return [...new Set(writers.filter((writer) => writer !== null))];
  }

  /**
   * Runs the operation, with the mounts of this host made less before where it is the host of one of the clients. The right of a
   * client for which commands mount on another host does not pass on: nobody here knows what is mounted there.
   */
  protected async takeAway<Request extends object, Result extends TakenAway>(
    hosts: readonly ClientHost[],
    operation: Operation<Request & { readOnly: readonly string[] }, Result>,
    request: Request,
    force: boolean,
    text: (result: Result) => string,
  ): Promise<CommandResult> {
    const readOnly = hosts.filter(isReadOnlyHere).map(({ client }) => client);
    const { outcome, steps } = await this.changeMounts(hosts, operation, { ...request, readOnly }, force);
    const { volumes, clients, writers } = outcome.value;
    const lines = [
      text(outcome.value),
      ...steps.map(({ volume, from, to }) => `Mounted here: ${volume}, ${from} -> ${to}.`),
    ];
    for (const writer of writers) lines.push(writerText(hosts, writer, readOnly));
    return this.changed(outcome, lines.join('\n'), {
      volumes,
      ...(clients === undefined ? {} : { clients }),
      writers,
      steps,
    });
  }
}

/** What becomes of the right of a volume's writer. */
function writerText(
  hosts: readonly ClientHost[],
  { volume, from, to }: TakenAway['writers'][number],
  readOnly: readonly string[],
): string {
  if (readOnly.includes(from)) return `${from} gave the right to write ${volume} up: ${to ?? 'nobody'} may write now.`;
  if (hosts.find(({ client }) => client === from)?.hasAgent) {
    return `${from} gives the right to write ${volume} up: its agent sees to the mount.`;
  }
  const elsewhere = hosts.find(({ client }) => client === from)?.elsewhere;
  return `${from} is still the writer of ${volume}. ${elsewhereText(from, elsewhere ?? 'another host')}`;
}
