/**
 * A change that concerns what clients have mounted, made so that nobody becomes the writer while another host still writes:
 *
 *   a client with an agent     the tables change, its agent follows
 *   giving, without an agent   this host's driver first, then the commit
 *   taking, without an agent   the commit first, then this host's driver
 *
 * Whether something is given is asked of the decision itself, under the lock: if the draft takes away what is still mounted here, nothing
 * is committed; the mount is made less, and the decision runs again.
 */
import { desiredMode, type MountMode } from '../core/access/desired.js';
import { logonOf } from '../core/access/look.js';
import { pairOf } from '../core/access/pair.js';
import { presenceOf } from '../core/access/presence.js';
import { CfsError } from '../core/errors.js';
import { listClientLeases } from '../core/membership/leases.js';
import { requireVolume } from '../core/model/find.js';
import { quoteName } from '../core/model/names.js';
import type { Operation } from '../core/operation.js';
import type { Change, Draft, TransactOutcome } from '../core/store/store.js';
import type { DirectoryCluster } from '../open.js';
import type { ClientHost } from './client-host.js';
import { exclusively, HostMounts, isMore, type MountStep } from './host-mounts.js';
import { isReadOnlyHere } from './mount-command.js';

export interface MountParts {
  cluster: DirectoryCluster;
  /** Of every client whose mounts the change may concern. Those without an agent count as read-only in the request (`readOnlyOf`). */
  hosts: readonly ClientHost[];
  /** Programs that keep a mount busy are ended. */
  force: boolean;
  isDryRun: boolean;
  /** Volumes that are to be mounted here as the tables say also where the change changes nothing. */
  follow?: readonly string[];
  /** CfsCommand.change. */
  change<Request, Result>(operation: Operation<Request, Result>, request: Request): Promise<TransactOutcome<Result>>;
}

export interface MountOutcome<Result> {
  outcome: TransactOutcome<Result>;
  /** What was mounted anew here, in order; where an agent does that, nothing. */
  steps: MountStep[];
}

/** The host whose mounts this command itself changes, if any: a configuration is of one client. */
export function drivenHost(hosts: readonly ClientHost[]): ClientHost | undefined {
  return hosts.find(({ hasAgent, elsewhere, driver }) => !hasAgent && elsewhere === null && driver.name !== 'record');
}

/** The member `readOnly` of requests: clients that have nothing mounted for writing by the time of the commit, since this sees to it. */
export function readOnlyOf(hosts: readonly ClientHost[]): string[] {
  return hosts.filter(isReadOnlyHere).map(({ client }) => client);
}

/**
 * Runs an operation as one generation and changes the mounts of this host, in the right order.
 * @throws CfsError what the operation and the commit throw (mounts that were made less are back then); MOUNT_BUSY, MOUNT_FAILED before
 *   the commit (nothing was changed) or after it (`details.committed` says which generation); AGENT_RUNNING
 */
export async function changeMounts<Request, Result>(
  parts: MountParts,
  operation: Operation<Request, Result>,
  request: Request,
): Promise<MountOutcome<Result>> {
  const { cluster, hosts, force, isDryRun } = parts;
  const driven = drivenHost(hosts);
  const checked = markingHost(parts, driven, refusingAgents(parts, operation));
  if (driven === undefined || isDryRun) return { outcome: await parts.change(checked, request), steps: [] };
  return exclusively(cluster, driven, async () => {
    const mounts = new HostMounts(driven, force);
    await mounts.look();
    const outcome = await givingFirst(parts, driven, mounts, checked, request);
    const follow = (parts.follow ?? []).map((input) => requireVolume(cluster.snapshot(), input));
    const volumes = new Set([...volumesOf(outcome.changes, driven.client, mounts), ...follow]);
    await thenTaking(cluster, mounts, volumes, outcome);
    return { outcome, steps: mounts.steps };
  });
}

/** The decision was not committed: it takes away what is still mounted. */
class StillMounted extends Error {
  constructor(readonly tooMuch: { volume: string; to: MountMode }[]) {
    super('still mounted');
  }
}

/** Each round makes at least one mount less. */
const ROUNDS = 1000;

async function givingFirst<Request, Result>(
  { cluster, change }: MountParts,
  { client }: ClientHost,
  mounts: HostMounts,
  operation: Operation<Request, Result>,
  request: Request,
): Promise<TransactOutcome<Result>> {
  const guarded: Operation<Request, Result> = {
    ...operation,
    run(draft, input, context) {
      const result = operation.run(draft, input, context);
      const tooMuch = givenAway(draft, client, mounts);
      if (tooMuch.length > 0) throw new StillMounted(tooMuch);
      return result;
    },
  };
  for (let round = 1; ; round++) {
    try {
      return await change(guarded, request);
    } catch (error) {
      if (error instanceof StillMounted && round < ROUNDS) {
        const snapshot = cluster.snapshot();
        for (const { volume, to } of error.tooMuch) await mounts.bring(volume, to, snapshot);
        continue;
      }
      await back(cluster, mounts);
      throw error;
    }
  }
}

function givenAway(draft: Draft, client: string, mounts: HostMounts): { volume: string; to: MountMode }[] {
  return volumesOf(draft.changes(), client, mounts)
    .map((volume) => ({ volume, to: desiredMode(draft, volume, client) }))
    .filter(({ volume, to }) => isMore(mounts.modeOf(volume), to));
}

/** Volumes whose mount on this client's host the changes may concern. */
function volumesOf(changes: readonly Change[], client: string, mounts: HostMounts): string[] {
  const volumes = new Set<string>();
  for (const { table, name } of changes) {
    if (table === 'access' || table === 'mounts' || table === 'requests') volumes.add(pairOf(name).volume);
    else if (table === 'writers' || table === 'volumeAccess' || table === 'volumes') volumes.add(name);
    else if ((table === 'logons' || table === 'clients') && name === client) {
      for (const [volume] of mounts.mounted()) volumes.add(volume);
    }
  }
  return [...volumes];
}

/** What was made less for a commit that did not come: as the tables have it. */
async function back(cluster: DirectoryCluster, mounts: HostMounts): Promise<void> {
  const volumes = new Set(mounts.steps.map(({ volume }) => volume));
  try {
    for (const volume of volumes) await mounts.follow(volume, cluster.snapshot());
  } catch {
    // Less than the tables allow is safe; what kept the commit away is what the user must hear.
  }
}

/** One volume that cannot be mounted keeps no other from it. @throws CfsError the first one's, with what is wrong with all */
async function thenTaking(
  cluster: DirectoryCluster,
  mounts: HostMounts,
  volumes: ReadonlySet<string>,
  { committed, generation }: TransactOutcome<unknown>,
): Promise<void> {
  const failed: { volume: string; error: CfsError }[] = [];
  for (const volume of volumes) {
    try {
      await mounts.follow(volume, cluster.snapshot());
    } catch (error) {
      if (!(error instanceof CfsError)) throw error;
      failed.push({ volume, error });
    }
  }
  if (failed.length === 0) return;
  const error = together(failed);
  throw committed ? standing(error, generation) : error;
}

function together(failed: readonly { volume: string; error: CfsError }[]): CfsError {
  const first = failed[0]!.error;
  if (failed.length === 1) return first;
  const problems = failed.map(({ volume, error }) => `${volume}: ${error.message}`);
  return new CfsError(first.code, problems.join('; '), {
    ...(first.hint === undefined ? {} : { hint: first.hint }),
    details: { ...first.details, problems },
    cause: first,
  });
}

/** The tables stand, the mount does not. */
export function standing(error: unknown, generation: number): unknown {
  if (!(error instanceof CfsError)) return error;
  return new CfsError(error.code, `Generation ${generation} is committed, but ${error.message}`, {
    ...(error.hint === undefined ? {} : { hint: error.hint }),
    details: { ...error.details, committed: generation },
    cause: error,
  });
}

/** Commands of other hosts must know that they cannot see what is mounted for this client (LogonRecord.host). */
export function markingHost<Request, Result>(
  { cluster }: Pick<MountParts, 'cluster'>,
  driven: ClientHost | undefined,
  operation: Operation<Request, Result>,
): Operation<Request, Result> {
  if (driven === undefined) return operation;
  const host = cluster.store.place.platform.processes.host();
  return {
    ...operation,
    run(draft, request, context) {
      const result = operation.run(draft, request, context);
      const logon = logonOf(draft, driven.client);
      if (logon?.loggedOn !== true) return result;
      // What a former agent left behind says nothing of these mounts: nobody is to find the client gone by it.
      const former = driven.lease?.seq ?? -1;
      const isNewer = former > (logon.lease ?? -1);
      if (logon.host === host && !isNewer) return result;
      draft.put('logons', driven.client, { ...logon, host, ...(isNewer ? { lease: former } : {}) });
      return result;
    },
  };
}

/** Who has got an agent since the command began is not its to mount for. Asked under the lock. */
function refusingAgents<Request, Result>(
  { cluster, hosts }: MountParts,
  operation: Operation<Request, Result>,
): Operation<Request, Result> {
  const alone = readOnlyOf(hosts);
  if (alone.length === 0) return operation;
  const { platform, paths } = cluster.store.place;
  return {
    ...operation,
    run(draft, request, context) {
      const leases = listClientLeases(platform, paths.leases);
      for (const client of alone) {
        if (!presenceOf(platform, paths.leases, draft, client, leases.get(client)).hasAgent) continue;
        throw new CfsError('AGENT_RUNNING', `Client ${quoteName(client)} has got an agent in this moment`, {
          hint: 'Try again: the agent mounts now.',
          details: { client },
        });
      }
      return operation.run(draft, request, context);
    },
  };
}
