/**
 * Operations of the writer (FIG. 15C): answer a request, give the right up, say that it was given up. A person at a prompt, an agent's
 * automatic answer and a script call the same one.
 */
import { CfsError } from '../errors.js';
import { requireClient, requireVolume } from '../model/find.js';
import { quoteName } from '../model/names.js';
import type { Yield } from '../model/tables.js';
import { checkValue, descriptionRule } from '../model/values.js';
import type { Operation } from '../operation.js';
import type { Draft } from '../store/store.js';
import { requireAccessFormat } from './clients.js';
import { desiredMode, modeUnlessYielding } from './desired.js';
import { cancelYield, endRequest, type FormerMount, handOver, stampModified } from './handover.js';
import { pendingRequest, writerOf } from './look.js';
import { noRequest, requireWriter } from './require.js';

/** With `readOnly` also what is known of the mount (FormerMount). */
export interface RespondRequest extends FormerMount {
  volume: string;
  /** Whose request; null: who has waited longest. Granted is only that one's: requests queue. */
  client: string | null;
  /** Which one is meant, where it was shown to somebody: another one meanwhile is not answered. */
  asked?: number;
  grant: boolean;
  message?: string | null;
  /** Programs with files open for writing are ended instead of denying. */
  force?: boolean;
  /** The client that answers: the writer alone may. Null: an administrator, who answers for it. */
  by: string | null;
  /** The writer's mount is read-only already: the right passes on in this generation. Else its agent sees to it. */
  readOnly: boolean;
}

export interface RespondResult {
  volume: string;
  /** Whose request was answered. */
  client: string;
  /** Where the writer's agent is still to make the mount read-only: agreed. */
  answer: 'granted' | 'agreed' | 'denied';
  writer: string | null;
}

/** Answers a write request. @throws CfsError REQUEST_NOT_FOUND, NOT_THE_WRITER, REQUEST_STANDS (another one waits longer) */
export const respond: Operation<RespondRequest, RespondResult> = {
  name: 'volume.respond',
  run(draft, request, { nowMs }) {
    requireAccessFormat(draft);
    const volume = requireVolume(draft, request.volume);
    const { queue } = writerOf(draft, volume);
    const client = request.client === null ? queue[0] : requireClient(draft, request.client);
    const pending = client === undefined ? undefined : pendingRequest(draft, volume, client);
    if (client === undefined || pending === undefined || (request.asked ?? pending.asked) !== pending.asked) {
      throw noRequest(volume, client ?? null);
    }
    if (request.by !== null) requireWriter(draft, volume, requireClient(draft, request.by));
    const message = checkValue('the answer', 'message', request.message ?? null, descriptionRule);
    if (!request.grant) {
      endRequest(draft, volume, client, { response: 'denied', message, nowMs });
      return { volume, client, answer: 'denied', writer: writerOf(draft, volume).writer };
    }
    if (queue[0] !== client) {
      throw new CfsError(
        'REQUEST_STANDS',
        `Client ${quoteName(queue[0]!)} has asked for volume ${quoteName(volume)} before`,
        {
          hint: `Requests are granted in the order of asking. Deny it first: cfs volume respond ${volume}/${queue[0]} --deny`,
          details: { volume, client, first: queue[0] },
        },
      );
    }
    yieldRight(draft, volume, { to: client, force: request.force ?? false, message });
    if (!request.readOnly) return { volume, client, answer: 'agreed', writer: writerOf(draft, volume).writer };
    const writer = handOver(draft, volume, nowMs, request);
    return { volume, client, answer: writer === client ? 'granted' : 'denied', writer };
  },
};

function yieldRight(draft: Draft, volume: string, yields: Yield): void {
  draft.put('writers', volume, { ...writerOf(draft, volume), yields });
}

export interface ReleaseRequest extends FormerMount {
  volume: string;
  client: string;
  force?: boolean;
  readOnly: boolean;
}

/** The writer gives its right up: whoever has waited longest gets it, or nobody. @throws CfsError NOT_THE_WRITER */
export const releaseWrite: Operation<ReleaseRequest, { volume: string; client: string; writer: string | null }> = {
  name: 'volume.release-write',
  run(draft, request, { nowMs }) {
    requireAccessFormat(draft);
    const client = requireClient(draft, request.client);
    const volume = requireVolume(draft, request.volume);
    requireWriter(draft, volume, client);
    if (request.readOnly) handOver(draft, volume, nowMs, request);
    else yieldRight(draft, volume, { to: null, force: request.force ?? false, message: null });
    return { volume, client, writer: writerOf(draft, volume).writer };
  },
};

export interface GivenUpRequest {
  client: string;
  volumes: readonly {
    volume: string;
    /** The epoch of the right (WriterRecord.since) that was given up; another one meanwhile is left alone. */
    since: number;
    /** Null: the mount is read-only, or gone. Else why it could not be made so: an agreement becomes a denial with this reason. */
    problem: string | null;
    /** Something was written since the last mark. */
    modified: boolean;
    /** As in FormerMount. */
    isFresh?: boolean;
  }[];
}

export interface GivenUpResult {
  /** What became of each volume; those that were left alone are not here. */
  volumes: { volume: string; writer: string | null; answer: 'passed on' | 'denied' }[];
}

/** The writer's agent says that mounts are read-only now (or cannot be made so): rights pass on, requests get their answers. */
export const givenUp: Operation<GivenUpRequest, GivenUpResult> = {
  name: 'volume.given-up',
  run(draft, request, { nowMs }) {
    requireAccessFormat(draft);
    const client = requireClient(draft, request.client);
    const result: GivenUpResult = { volumes: [] };
    for (const { volume, since, problem, modified, isFresh } of request.volumes) {
      const { yields, ...writer } = writerOf(draft, volume);
      if (writer.writer !== client || writer.since !== since) continue;
      if (modified) stampModified(draft, volume, nowMs);
      if (problem === null) {
        // Asked for meanwhile to go on (enabled, mounted again): the mount follows the tables.
        if (desiredMode(draft, volume, client) === 'rw') continue;
        result.volumes.push({
          volume,
          writer: handOver(draft, volume, nowMs, { modified: false, isFresh }),
          answer: 'passed on',
        });
      } else if (yields !== undefined && (yields.to !== null || modeUnlessYielding(draft, volume, client) === 'rw')) {
        if (yields.to !== null) endRequest(draft, volume, yields.to, { response: 'denied', message: problem, nowMs });
        else cancelYield(draft, volume, nowMs);
        result.volumes.push({ volume, writer: client, answer: 'denied' });
      }
    }
    return result;
  },
};
