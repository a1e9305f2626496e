/** Operations on mounts: mount, unmount, refresh (FIG. 15E), mark as modified. The tables say what is wished; hosts follow. */
import { CfsError } from '../errors.js';
import { requireClient, requireVolume } from '../model/find.js';
import { quoteName } from '../model/names.js';
import type { Operation } from '../operation.js';
import type { Snapshot } from '../store/store.js';
import { requireAccessFormat } from './clients.js';
import { desiredMode } from './desired.js';
import { endRequest, handOver, stampModified, timeOf } from './handover.js';
import { isMounted, volumesMountedBy, writerOf } from './look.js';
import { pairName } from './pair.js';
import { requestWrite } from './requests.js';
import { requireLoggedOn, requireMountRight, requireWritable, requireWriter } from './require.js';

export interface MountRequest {
  volume: string;
  client: string;
  /** For writing: only where the client is the writer already, or nobody is. */
  rw?: boolean;
}

/**
 * Mounts a volume on a client.
 * @throws CfsError CLIENT_NOT_FOUND, NOT_LOGGED_ON, VOLUME_NOT_FOUND, MOUNT_DENIED; with `rw` also what requestWrite throws, and
 *   VOLUME_HAS_WRITER: it asks nobody
 */
export const volumeMount: Operation<MountRequest, { volume: string; client: string; mode: 'ro' | 'rw' }> = {
  name: 'volume.mount',
  run(draft, request, context) {
    requireAccessFormat(draft);
    const client = requireClient(draft, request.client);
    requireLoggedOn(draft, client);
    const volume = requireVolume(draft, request.volume);
    requireMountRight(draft, volume, client);
    if (!isMounted(draft, volume, client)) {
      draft.put('mounts', pairName(volume, client), {
        refreshed: draft.nextGeneration,
        lastRefresh: timeOf(context.nowMs),
      });
    }
    if (request.rw === true) {
      requireWritable(draft, volume, client);
      const { writer, yields, queue } = writerOf(draft, volume);
      if (writer !== null && (writer !== client || (yields !== undefined && queue.length > 0))) {
        throw new CfsError('VOLUME_HAS_WRITER', `Volume ${quoteName(volume)} has the writer ${quoteName(writer)}`, {
          hint: `Ask for it: cfs volume request-write ${volume} --client ${client} --wait 60s`,
          details: { volume, client, writer },
        });
      }
      requestWrite.run(draft, { volume, client }, context);
    }
    return { volume, client, mode: desiredMode(draft, volume, client) === 'rw' ? 'rw' : 'ro' };
  },
};

export interface UnmountRequest {
  volume: string;
  client: string;
  /** The client has nothing mounted for writing any more. */
  readOnly: boolean;
  /** A writer's agent ends the programs that still write. */
  force?: boolean;
}

/** Unmounts a volume. A request of the client is withdrawn; a writer gives its right up. @throws CfsError NOT_MOUNTED */
export const volumeUnmount: Operation<
  UnmountRequest,
  { volume: string; client: string; wasWriter: boolean; writer: string | null }
> = {
  name: 'volume.unmount',
  run(draft, request, { nowMs }) {
    requireAccessFormat(draft);
    const client = requireClient(draft, request.client);
    const volume = requireVolume(draft, request.volume);
    const wasWriter = writerOf(draft, volume).writer === client;
    if (!isMounted(draft, volume, client) && !wasWriter) {
      throw notMounted(volume, client);
    }
    endRequest(draft, volume, client, { response: 'withdrawn', message: 'it unmounted the volume', nowMs });
    if (isMounted(draft, volume, client)) draft.remove('mounts', pairName(volume, client));
    if (wasWriter && request.readOnly) handOver(draft, volume, nowMs);
    else if (wasWriter && request.force === true) {
      draft.put('writers', volume, { ...writerOf(draft, volume), yields: { to: null, force: true, message: null } });
    }
    return { volume, client, wasWriter, writer: writerOf(draft, volume).writer };
  },
};

export interface RefreshRequest {
  client: string;
  /** Absent: all that the client has mounted read-only. */
  volumes?: readonly string[];
}

/**
 * Wishes read-only mounts made anew: the tables say that they show this generation, and the client's agent, whose mounts do not, sees
 * to it (agent/refreshing.ts). A writer's mount shows everything: left out.
 * @throws CfsError CLIENT_NOT_FOUND, VOLUME_NOT_FOUND, NOT_MOUNTED for a volume that is named
 */
export const volumeRefresh: Operation<RefreshRequest, { client: string; volumes: string[] }> = {
  name: 'volume.refresh',
  run(draft, request, { nowMs }) {
    requireAccessFormat(draft);
    const client = requireClient(draft, request.client);
    const volumes = toRefresh(draft, client, request.volumes ?? null);
    for (const volume of volumes) {
      const refreshed = draft.nextGeneration;
      draft.put('mounts', pairName(volume, client), { refreshed, lastRefresh: timeOf(nowMs) });
    }
    return { client, volumes };
  },
};

/** @param named null: all that the client has mounted. @throws CfsError VOLUME_NOT_FOUND, NOT_MOUNTED */
export function toRefresh(snapshot: Snapshot, client: string, named: readonly string[] | null): string[] {
  const volumes = named === null ? volumesMountedBy(snapshot, client) : named.map((v) => requireVolume(snapshot, v));
  for (const volume of volumes) if (!isMounted(snapshot, volume, client)) throw notMounted(volume, client);
  return volumes.filter((volume) => desiredMode(snapshot, volume, client) === 'ro');
}

export interface RefreshedRequest {
  client: string;
  /** Mounts that were made anew, each with the newest generation that was read before. */
  volumes: readonly { volume: string; seen: number }[];
}

/** Records that read-only mounts were made anew (1386). Whatever is not mounted by the tables any more is left out. */
export const mountsRefreshed: Operation<RefreshedRequest, { volumes: string[] }> = {
  name: 'volume.refreshed',
  run(draft, request, { nowMs }) {
    requireAccessFormat(draft);
    const client = requireClient(draft, request.client);
    const volumes: string[] = [];
    for (const { volume, seen } of request.volumes) {
      const record = draft.table('mounts').get(pairName(volume, client));
      if (record === undefined || record.refreshed >= seen) continue;
      draft.put('mounts', pairName(volume, client), { refreshed: seen, lastRefresh: timeOf(nowMs) });
      volumes.push(volume);
    }
    return { volumes };
  },
};

/** Marks a volume as modified (1382): read-only mounts made before are stale. @throws CfsError NOT_THE_WRITER */
export const volumeTouch: Operation<{ volume: string; client: string }, { volume: string; client: string }> = {
  name: 'volume.touch',
  run(draft, request, { nowMs }) {
    requireAccessFormat(draft);
    const client = requireClient(draft, request.client);
    const volume = requireVolume(draft, request.volume);
    requireWriter(draft, volume, client);
    stampModified(draft, volume, nowMs);
    return { volume, client };
  },
};

function notMounted(volume: string, client: string): CfsError {
  return new CfsError('NOT_MOUNTED', `Volume ${quoteName(volume)} is not mounted on client ${quoteName(client)}`, {
    hint: `See what is: cfs volume access ${volume}`,
    details: { volume, client },
  });
}
