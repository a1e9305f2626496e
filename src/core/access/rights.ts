/** Operations on what clients may do with volumes, and on what may be done with a volume at all. */
import { distinctNames } from '../config/distinct-names.js';
import { shortened } from '../config/record-request.js';
import { CfsError } from '../errors.js';
import { requireClient, requireVolume } from '../model/find.js';
import { quoteName } from '../model/names.js';
import type { AccessRecord, VolumeAccessRecord } from '../model/tables.js';
import { booleanRule, checkValue, given, intervalRule } from '../model/values.js';
import type { Operation } from '../operation.js';
import type { Draft } from '../store/store.js';
import { requireAccessFormat } from './clients.js';
import { denyAll, endRequest, handOver } from './handover.js';
import { accessOf, isMounted, pendingRequest, volumeAccessOf, writerOf } from './look.js';
import { pairName } from './pair.js';

export interface PairsRequest {
  /** One volume or several; with each of the clients. */
  volume: string | readonly string[];
  client: string | readonly string[];
}

export interface PairsResult {
  volumes: string[];
  clients: string[];
  /** Volumes whose writer loses the right by this, each with the next one; null: nobody, or its agent is still to give it up. */
  writers: { volume: string; from: string; to: string | null }[];
}

/** Runs `work` on every pair. */
function eachPair(
  draft: Draft,
  request: PairsRequest,
  work: (volume: string, client: string, result: PairsResult) => void,
): PairsResult {
  requireAccessFormat(draft);
  const volumes = distinctNames(request.volume, (input) => requireVolume(draft, input));
  const clients = distinctNames(request.client, (input) => requireClient(draft, input));
  const result: PairsResult = { volumes, clients, writers: [] };
  for (const volume of volumes) for (const client of clients) work(volume, client, result);
  return result;
}

function putAccess(draft: Draft, volume: string, client: string, fields: Partial<AccessRecord>): void {
  draft.put('access', pairName(volume, client), { ...accessOf(draft, volume, client), ...fields });
}

export interface AllowRequest extends PairsRequest {
  autoUpdate?: boolean;
  autoUpdateIntervalMs?: number;
}

/** The clients may mount the volumes (1388); how their read-only mounts are refreshed (1384). Mounts nothing. */
export const volumeAllow: Operation<AllowRequest, PairsResult> = {
  name: 'volume.allow',
  run: (draft, request) =>
    eachPair(draft, request, (volume, client) => {
      const of = `client ${quoteName(client)} to volume ${quoteName(volume)}`;
      const base = accessOf(draft, volume, client);
      const { autoUpdate, autoUpdateIntervalMs } = request;
      putAccess(draft, volume, client, {
        mount: true,
        autoUpdate: checkValue(of, 'autoUpdate', given(autoUpdate, base.autoUpdate), booleanRule),
        autoUpdateIntervalMs: checkValue(
          of,
          'autoUpdateIntervalMs',
          given(autoUpdateIntervalMs, base.autoUpdateIntervalMs),
          intervalRule,
        ),
      });
    }),
  recorded: shortened,
};

export interface DenyRequest extends PairsRequest {
  /** Clients with nothing to make read-only any more: their rights pass on in this generation. Of the others the agents give them up. */
  readOnly: readonly string[];
  /** Their agents end the programs that still write. */
  force?: boolean;
}

/** The clients may not mount the volumes any more: what is mounted is unmounted, requests are denied. */
export const volumeDeny: Operation<DenyRequest, PairsResult> = {
  name: 'volume.deny',
  run(draft, request, { nowMs }) {
    const result = eachPair(draft, request, (volume, client) => {
      const name = pairName(volume, client);
      if (draft.table('access').has(name)) putAccess(draft, volume, client, { mount: false });
      const message = 'it may not mount the volume any more';
      endRequest(draft, volume, client, { response: 'denied', message, nowMs });
      if (isMounted(draft, volume, client)) draft.remove('mounts', name);
    });
    // Only now: no right passes on to a client that is denied in the same request.
    const { volumes, clients } = result;
    for (const volume of volumes) {
      for (const client of clients) {
        if (request.force === true && writerOf(draft, volume).writer === client) yieldByForce(draft, volume);
        giveUp(draft, volume, client, request.readOnly, result, nowMs);
      }
    }
    return result;
  },
  recorded: shortened,
};

/** Where the client is the writer: passes its right on, if its mount is known to be read-only. */
function giveUp(
  draft: Draft,
  volume: string,
  client: string,
  readOnly: readonly string[],
  result: Pick<PairsResult, 'writers'>,
  nowMs: number,
): void {
  if (writerOf(draft, volume).writer !== client) return;
  const to = readOnly.includes(client) ? handOver(draft, volume, nowMs) : null;
  result.writers.push({ volume, from: client, to });
}

/** Locks clients out from asking for changes (1396), or no longer. A writer stays one; a request that waits is denied. */
export const volumeLockout: Operation<PairsRequest & { lockout: boolean }, PairsResult> = {
  name: 'volume.lockout',
  run: (draft, request, { nowMs }) =>
    eachPair(draft, request, (volume, client) => {
      const { lockout } = request;
      if (!lockout && !draft.table('access').has(pairName(volume, client))) return;
      putAccess(draft, volume, client, { lockout });
      if (!lockout || pendingRequest(draft, volume, client) === undefined) return;
      const message = 'it was locked out from asking for changes';
      endRequest(draft, volume, client, { response: 'denied', message, nowMs });
    }),
  recorded: shortened,
};

export interface ControlRequest extends Partial<VolumeAccessRecord> {
  volume: string | readonly string[];
  /** As in DenyRequest. */
  readOnly: readonly string[];
  /** End the programs that hold files open for writing, where a writer loses its right. */
  force?: boolean;
}

/**
 * Changes the volume control record: write-enabled (1392), software lock, read-only media. A volume that is disabled has no writer:
 * its writer gives up, and requests are denied.
 * @throws CfsError VOLUME_HAS_WRITER for read-only media that somebody writes
 */
export const volumeControl: Operation<ControlRequest, Pick<PairsResult, 'volumes' | 'writers'>> = {
  name: 'volume.control',
  run(draft, request, { nowMs }) {
    requireAccessFormat(draft);
    const volumes = distinctNames(request.volume, (input) => requireVolume(draft, input));
    const result: Pick<PairsResult, 'volumes' | 'writers'> = { volumes, writers: [] };
    for (const volume of volumes) {
      const base = volumeAccessOf(draft, volume);
      const of = `volume ${quoteName(volume)}`;
      const field = (name: keyof VolumeAccessRecord) =>
        checkValue(of, name, given(request[name], base[name]), booleanRule);
      const record = {
        enabled: field('enabled'),
        softwareLock: field('softwareLock'),
        readOnlyMedia: field('readOnlyMedia'),
      };
      const { writer } = writerOf(draft, volume);
      if (record.readOnlyMedia && !base.readOnlyMedia && writer !== null) {
        throw new CfsError('VOLUME_HAS_WRITER', `Volume ${quoteName(volume)} has the writer ${quoteName(writer)}`, {
          hint: `Take its right first: cfs volume disable ${volume}`,
          details: { volume, writer },
        });
      }
      const isNews = Object.entries(record).some(([name, value]) => value !== base[name as keyof VolumeAccessRecord]);
      if (isNews) draft.put('volumeAccess', volume, record);
      if (record.enabled) continue;
      denyAll(draft, volume, 'the volume was disabled', nowMs);
      if (writer === null) continue;
      if (request.force === true) yieldByForce(draft, volume);
      giveUp(draft, volume, writer, request.readOnly, result, nowMs);
    }
    return result;
  },
  recorded: shortened,
};

function yieldByForce(draft: Draft, volume: string): void {
  const writer = writerOf(draft, volume);
  draft.put('writers', volume, { ...writer, yields: { to: null, force: true, message: null } });
}
