/**
 * The steps that every operation of access control is made of: the right to write passes on, a request gets its answer. Whoever
 * calls `handOver` knows that the former writer's mount is read-only: its agent has said so, or its lease has lapsed and its
 * supervisor's time is over, or it was fenced, or it has no agent and the caller has made it so.
 */
import type { RequestRecord, RequestResponse } from '../model/tables.js';
import type { Draft, Snapshot } from '../store/store.js';
import { accessOf, isLoggedOn, pendingRequest, volumeAccessOf, writerOf } from './look.js';
import { pairName } from './pair.js';

/** Longest answer that a record takes. */
const MESSAGE_LIMIT = 500;

export function timeOf(nowMs: number): string {
  return new Date(nowMs).toISOString();
}

/** Why the client cannot become the writer of the volume now, a clause; null: it can. */
export function writeObstacle(snapshot: Snapshot, volume: string, client: string): string | null {
  const { enabled, readOnlyMedia } = volumeAccessOf(snapshot, volume);
  if (!enabled) return 'the volume is disabled';
  if (readOnlyMedia) return 'its media are read-only';
  if (!snapshot.table('clients').has(client)) return 'there is no such client any more';
  if (!isLoggedOn(snapshot, client)) return 'it is not logged on';
  const { mount, lockout } = accessOf(snapshot, volume, client);
  if (!mount) return 'it may not mount the volume';
  return lockout ? 'it is locked out from asking for changes' : null;
}

/**
 * Answers the pending request of the client and takes it out of the queue. Nothing where none is pending. A writer that was about to
 * give its right up to this client, which does not get it now, keeps it.
 */
export function endRequest(
  draft: Draft,
  volume: string,
  client: string,
  answer: { response: Exclude<RequestResponse, 'pending'>; message: string | null; nowMs: number },
): void {
  const request = pendingRequest(draft, volume, client);
  if (request === undefined) return;
  const ended: RequestRecord = {
    ...request,
    response: answer.response,
    responseMessage: answer.message?.slice(0, MESSAGE_LIMIT) ?? null,
    answeredAt: timeOf(answer.nowMs),
  };
  draft.put('requests', pairName(volume, client), ended);
  const writer = writerOf(draft, volume);
  draft.put('writers', volume, { ...writer, queue: writer.queue.filter((name) => name !== client) });
  if (writer.yields?.to === client && answer.response !== 'granted') cancelYield(draft, volume, answer.nowMs);
}

/** The writer keeps its right after all. Where it has asked for it anew meanwhile, it has what it asked for. */
export function cancelYield(draft: Draft, volume: string, nowMs: number): void {
  const { yields: _, ...writer } = writerOf(draft, volume);
  draft.put('writers', volume, writer);
  if (writer.writer !== null) endRequest(draft, volume, writer.writer, { response: 'granted', message: null, nowMs });
}

/** Denies all requests that wait for the volume, that of a writer which gives up and asked anew first. */
export function denyAll(draft: Draft, volume: string, message: string, nowMs: number): void {
  const { writer, queue } = writerOf(draft, volume);
  for (const client of writer === null ? queue : [writer, ...queue]) {
    endRequest(draft, volume, client, { response: 'denied', message, nowMs });
  }
}

/** Makes the client the writer, and its mount one that shows everything there is. Its mount follows the tables. */
export function makeWriter(draft: Draft, volume: string, client: string, nowMs: number): void {
  const { yields: _, ...writer } = writerOf(draft, volume);
  draft.put('writers', volume, { ...writer, writer: client, since: draft.nextGeneration });
  draft.put('mounts', pairName(volume, client), { refreshed: draft.nextGeneration, lastRefresh: timeOf(nowMs) });
}

/** What is known of the mount of a writer whose right passes on. */
export interface FormerMount {
  /** Something was written since the last mark; what cannot be told counts as written, or readers would miss it. Default true. */
  modified?: boolean | undefined;
  /** It was made (anew) since the client became the writer. False: it still is the one of before. Default true. */
  isFresh?: boolean | undefined;
}

/**
 * Passes the right on: to whoever has waited longest and may have it, or to nobody. Whoever may not have it any more gets a denial.
 * @returns the new writer
 */
export function handOver(
  draft: Draft,
  volume: string,
  nowMs: number,
  { modified = true, isFresh = true }: FormerMount = {},
): string | null {
  if (modified) stampModified(draft, volume, nowMs);
  const { yields, ...writer } = writerOf(draft, volume);
  draft.put('writers', volume, writer);
  if (writer.writer !== null) judgeMount(draft, volume, writer.writer, isFresh, nowMs);
  for (const client of writer.queue) {
    const obstacle = writeObstacle(draft, volume, client);
    if (obstacle !== null) {
      endRequest(draft, volume, client, { response: 'denied', message: obstacle, nowMs });
      continue;
    }
    const message = yields?.to === client ? yields.message : null;
    endRequest(draft, volume, client, { response: 'granted', message, nowMs });
    makeWriter(draft, volume, client, nowMs);
    return client;
  }
  draft.put('writers', volume, { ...writerOf(draft, volume), writer: null, since: draft.nextGeneration });
  return null;
}

/** A writer's own mount is not stale by what it wrote itself. One that never followed the right shows nobody knows what. */
function judgeMount(draft: Draft, volume: string, writer: string, isFresh: boolean, nowMs: number): void {
  const name = pairName(volume, writer);
  const mount = draft.table('mounts').get(name);
  if (mount === undefined) return;
  if (!isFresh) draft.put('mounts', name, { ...mount, refreshed: 1 });
  else if (mount.refreshed < writerOf(draft, volume).modified) {
    draft.put('mounts', name, { refreshed: draft.nextGeneration, lastRefresh: timeOf(nowMs) });
  }
}

/** Records that the volume was modified; mounts that were made before are stale. */
export function stampModified(draft: Draft, volume: string, nowMs: number): void {
  draft.put('writers', volume, {
    ...writerOf(draft, volume),
    modified: draft.nextGeneration,
    lastModified: timeOf(nowMs),
  });
}
