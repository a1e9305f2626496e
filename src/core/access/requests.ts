/** Operations of those who ask: request the right to write (FIG. 15B), withdraw a request, let requests expire. */
import { requireClient, requireVolume } from '../model/find.js';
import { settingOf } from '../model/settings.js';
import type { RequestResponse } from '../model/tables.js';
import { checkValue, descriptionRule } from '../model/values.js';
import type { Operation } from '../operation.js';
import type { Draft } from '../store/store.js';
import { requireAccessFormat } from './clients.js';
import { cancelYield, endRequest, makeWriter, timeOf } from './handover.js';
import { clientsLapsed, type LapsedRequest } from './logon.js';
import { isMounted, pendingRequest, writerOf } from './look.js';
import { pairName } from './pair.js';
import { noRequest, requireLoggedOn, requireMountRight, requireWritable } from './require.js';

export interface WriteRequest {
  volume: string;
  client: string;
  message?: string | null;
  /** When it expires, ms; absent: the setting access.requestTimeout. */
  limitMs?: number;
  /** The writer, where the asker has found that it is gone (its lease lapsed): it is logged off in the same generation. */
  gone?: LapsedRequest;
}

export interface WriteRequestResult {
  volume: string;
  client: string;
  response: 'granted' | 'pending';
  /** The writer: the client itself where it was granted. */
  writer: string;
  /** The generation that asked; null: nothing had to be asked. */
  asked: number | null;
  /** How many asked before and still wait. */
  ahead: number;
}

/**
 * Asks for the right to write. Where there is no writer, or it is gone, the client becomes it at once; else the request waits in the
 * queue. One request per client and volume stands: asking again gives the one that stands. A writer that hands over at the moment waits
 * behind those who asked before.
 * @throws CfsError in this order: CLIENT_NOT_FOUND, NOT_LOGGED_ON, VOLUME_NOT_FOUND, MOUNT_DENIED, LOCKED_OUT, VOLUME_DISABLED,
 *   READ_ONLY_MEDIA
 */
export const requestWrite: Operation<WriteRequest, WriteRequestResult> = {
  name: 'volume.request-write',
  run(draft, request, context) {
    requireAccessFormat(draft);
    const client = requireClient(draft, request.client);
    requireLoggedOn(draft, client);
    const volume = requireVolume(draft, request.volume);
    requireMountRight(draft, volume, client);
    requireWritable(draft, volume, client);
    if (request.gone !== undefined) {
      clientsLapsed.run(draft, request.gone, context);
      requireLoggedOn(draft, client);
    }
    const { nowMs } = context;
    const { writer } = writerOf(draft, volume);
    if (writer === null) makeWriter(draft, volume, client, nowMs);
    if (writer === null || (writer === client && keepsRight(draft, volume, client, nowMs))) {
      return { volume, client, response: 'granted', writer: client, asked: null, ahead: 0 };
    }
    const asked = ask(draft, { volume, client, writer }, request, nowMs);
    const ahead = writerOf(draft, volume).queue.indexOf(client);
    return { volume, client, response: 'pending', writer, asked, ahead };
  },
  recorded: ({ gone, ...request }) => ({
    ...request,
    ...(gone === undefined ? {} : { gone: gone.clients.map(({ client }) => client) }),
  }),
};

/**
 * A writer asks for what it has: one that was about to give it up of its own accord keeps it, unless others wait for it by now.
 * @returns false: it is about to hand over, and has to wait for its turn
 */
function keepsRight(draft: Draft, volume: string, client: string, nowMs: number): boolean {
  const { yields, queue } = writerOf(draft, volume);
  if (yields !== undefined && queue.length > 0) return false;
  if (yields !== undefined) cancelYield(draft, volume, nowMs);
  if (!isMounted(draft, volume, client)) {
    draft.put('mounts', pairName(volume, client), { refreshed: draft.nextGeneration, lastRefresh: timeOf(nowMs) });
  }
  return true;
}

/** @returns the generation that asked: this one, or that of the request that stands */
function ask(
  draft: Draft,
  { volume, client, writer }: { volume: string; client: string; writer: string },
  request: WriteRequest,
  nowMs: number,
): number {
  const standing = pendingRequest(draft, volume, client);
  if (standing !== undefined) return standing.asked;
  draft.put('requests', pairName(volume, client), {
    asked: draft.nextGeneration,
    askedAt: timeOf(nowMs),
    to: writer,
    message: checkValue('the request', 'message', request.message ?? null, descriptionRule),
    limitMs: request.limitMs ?? settingOf(draft, 'access.requestTimeout'),
    response: 'pending',
    responseMessage: null,
    answeredAt: null,
  });
  const record = writerOf(draft, volume);
  draft.put('writers', volume, { ...record, queue: [...record.queue, client] });
  return draft.nextGeneration;
}

/** The client does not wait any more. @throws CfsError CLIENT_NOT_FOUND, VOLUME_NOT_FOUND, REQUEST_NOT_FOUND */
export const withdraw: Operation<
  { volume: string; client: string; why: string | null },
  { volume: string; client: string }
> = {
  name: 'volume.withdraw',
  run(draft, request, { nowMs }) {
    requireAccessFormat(draft);
    const client = requireClient(draft, request.client);
    const volume = requireVolume(draft, request.volume);
    if (pendingRequest(draft, volume, client) === undefined) throw noRequest(volume, client);
    const message = checkValue('the withdrawal', 'message', request.why, descriptionRule);
    endRequest(draft, volume, client, { response: 'withdrawn', message, nowMs });
    return { volume, client };
  },
};

export interface EndRequestsRequest {
  requests: readonly {
    volume: string;
    client: string;
    /** Which one is meant; one that was asked later stands. */
    asked: number;
    why: string | null;
  }[];
  response: Extract<RequestResponse, 'withdrawn' | 'expired'>;
}

/** Withdraws requests, or lets them expire. One that has got its answer meanwhile keeps it. */
export const endRequests: Operation<EndRequestsRequest, { ended: string[] }> = {
  name: 'volume.end-requests',
  run(draft, request, { nowMs }) {
    requireAccessFormat(draft);
    const ended: string[] = [];
    for (const { volume, client, asked, why } of request.requests) {
      if (pendingRequest(draft, volume, client)?.asked !== asked) continue;
      endRequest(draft, volume, client, { response: request.response, message: why, nowMs });
      ended.push(pairName(volume, client));
    }
    return { ended };
  },
};
