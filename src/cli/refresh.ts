/** `cfs volume refresh` of a client without an agent (FIG. 15E): mounts made anew, then recorded. */
import { accessOf, writerOf } from '../core/access/look.js';
import { mountsRefreshed, toRefresh } from '../core/access/mounts.js';
import { pairName } from '../core/access/pair.js';
import { CfsError } from '../core/errors.js';
import { frozenReason } from '../core/membership/reasons.js';
import type { Snapshot, TransactOutcome } from '../core/store/store.js';
import type { ClientHost } from './client-host.js';
import { exclusively, HostMounts } from './host-mounts.js';
import { drivenHost, type MountParts } from './mount-change.js';

export interface RefreshedHere {
  outcome: TransactOutcome<unknown>;
  /** Mounted anew (on a dry run: that would be). */
  volumes: string[];
  /** What could not be, a sentence each; the others are done all the same. */
  problems: string[];
  error: CfsError | null;
}

/**
 * @param named null: all read-only mounts of the client @param auto only those that are due; with an agent none
 * @throws CfsError CLUSTER_FROZEN (`auto`), VOLUME_NOT_FOUND, NOT_MOUNTED, what a commit throws
 */
export async function refreshHere(
  parts: MountParts,
  host: ClientHost,
  named: readonly string[] | null,
  auto: boolean,
): Promise<RefreshedHere> {
  const { cluster, isDryRun } = parts;
  const { client, hasAgent } = host;
  const nowMs = cluster.store.place.platform.clock.nowMs();
  const wanted = (snapshot: Snapshot): string[] => {
    if (!auto) return toRefresh(snapshot, client, named);
    const frozen = frozenReason(snapshot, nowMs);
    if (frozen !== null) {
      throw new CfsError('CLUSTER_FROZEN', `Nothing is refreshed by itself: ${frozen}`, {
        hint: 'End it with cfs cluster unfreeze, or name the volumes.',
      });
    }
    if (hasAgent) return [];
    return toRefresh(snapshot, client, null).filter((volume) => isDue(snapshot, volume, client, nowMs));
  };
  const isDriven = drivenHost([host]) !== undefined;
  if (!isDriven || isDryRun) {
    const seen = cluster.snapshot();
    const volumes = wanted(seen);
    return { outcome: await record(parts, client, volumes, seen), volumes, problems: [], error: null };
  }
  return exclusively(cluster, host, async () => {
    const mounts = new HostMounts(host, parts.force);
    await mounts.look();
    const seen = cluster.snapshot();
    const problems: string[] = [];
    const volumes: string[] = [];
    let error: CfsError | null = null;
    for (const volume of wanted(seen)) {
      try {
        await mounts.follow(volume, seen, true);
        volumes.push(volume);
      } catch (problem) {
        if (!(problem instanceof CfsError)) throw problem;
        problems.push(`${volume}: ${problem.message}`);
        error ??= problem;
      }
    }
    const outcome = await record(parts, client, volumes, seen);
    return { outcome, volumes, problems, error: error === null ? null : told(error, problems, outcome) };
  });
}

/** Read by this host's own clock, which also wrote the time of the last one. */
function isDue(snapshot: Snapshot, volume: string, client: string, nowMs: number): boolean {
  const { autoUpdate, autoUpdateIntervalMs } = accessOf(snapshot, volume, client);
  const mount = snapshot.table('mounts').get(pairName(volume, client));
  if (!autoUpdate || mount === undefined || writerOf(snapshot, volume).modified <= mount.refreshed) return false;
  const ageMs = nowMs - Date.parse(mount.lastRefresh);
  return ageMs < 0 || ageMs >= autoUpdateIntervalMs;
}

/** No lock is taken where there is nothing to record: every client's cron may do this every minute. */
async function record(
  { change }: MountParts,
  client: string,
  volumes: readonly string[],
  { generation }: Snapshot,
): Promise<TransactOutcome<unknown>> {
  if (volumes.length > 0) {
    return change(mountsRefreshed, { client, volumes: volumes.map((volume) => ({ volume, seen: generation })) });
  }
  return { value: null, changes: [], base: generation, generation, committed: false, txid: null };
}

function told(error: CfsError, problems: string[], { committed, generation }: TransactOutcome<unknown>): CfsError {
  return new CfsError(error.code, problems.join('; '), {
    ...(error.hint === undefined ? {} : { hint: error.hint }),
    details: { problems, committed: committed ? generation : null },
    cause: error,
  });
}
