/** Operations: a client logs on (FIG. 15A), logs off, or is found gone. */
import { CfsError } from '../errors.js';
import { frozenReason } from '../membership/reasons.js';
import { requireClient } from '../model/find.js';
import { quoteName } from '../model/names.js';
import { settingOf } from '../model/settings.js';
import type { LogonRecord } from '../model/tables.js';
import type { Operation } from '../operation.js';
import type { Draft } from '../store/store.js';
import { requireAccessFormat } from './clients.js';
import { endRequest, handOver, timeOf } from './handover.js';
import { logonOf, mountingHost, volumesAwaitedBy, volumesMountedBy, volumesWrittenBy, writerOf } from './look.js';
import { pairName, pairOf } from './pair.js';

export interface LogonResult {
  client: string;
  /** Volumes that are mounted by this, read-only. */
  mounted: string[];
}

export interface LogonRequest {
  client: string;
  /**
   * The sequence number of the lease that a former agent left behind, if there is one (of an agent: the last one before its own). From
   * now on it says nothing of the client, which would else be found gone by it while the command's mounts, or the agent, are there.
   */
  lease?: number;
  /** The host of the agent that asks. Where commands mount for the client on another host, nothing here can see those mounts. */
  agentHost?: string;
}

/**
 * Logs on and mounts every volume that access allows. One that is logged on already changes nothing.
 * @throws CfsError CLIENT_NOT_FOUND; CLIENT_IN_USE for an agent on another host than that on which commands mount for the client
 */
export const clientLogon: Operation<LogonRequest, LogonResult> = {
  name: 'client.logon',
  run(draft, request, { nowMs }) {
    requireAccessFormat(draft);
    const client = requireClient(draft, request.client);
    const mounted: string[] = [];
    const mark = request.lease === undefined ? {} : { lease: request.lease };
    const known = logonOf(draft, client);
    const host = hostAfter(draft, request, client);
    if (known?.loggedOn === true) {
      const { host: _, lease = -1, ...rest } = known;
      // One that was said already, of a later lease, holds on.
      const later = Math.max(lease, request.lease ?? -1);
      draft.put('logons', client, { ...rest, ...host, ...(later < 0 ? {} : { lease: later }) });
      return { client, mounted };
    }
    draft.put('logons', client, { loggedOn: true, lastSeen: timeOf(nowMs), reason: null, ...mark, ...host });
    for (const [name, { mount }] of draft.table('access').entries()) {
      const pair = pairOf(name);
      if (!mount || pair.client !== client || draft.table('mounts').has(name)) continue;
      draft.put('mounts', name, { refreshed: draft.nextGeneration, lastRefresh: timeOf(nowMs) });
      mounted.push(pair.volume);
    }
    return { client, mounted };
  },
};

/** An agent takes over what commands have mounted on its own host; commands elsewhere leave the note as it is. */
function hostAfter(draft: Draft, { agentHost }: LogonRequest, client: string): Pick<LogonRecord, 'host'> {
  const host = mountingHost(draft, client);
  if (host === null) return {};
  if (agentHost === undefined) return { host };
  if (agentHost === host) return {};
  throw new CfsError('CLIENT_IN_USE', `Commands on host ${quoteName(host)} mount for client ${quoteName(client)}`, {
    hint: `There: cfs client logoff ${client}. If that host is off for certain: cfs client logoff ${client} --fenced`,
    details: { client, host },
  });
}

export interface LogoffRequest {
  client: string;
  /** Nothing of the client is mounted for writing any more: its rights pass on in this generation. Else its agent gives them up. */
  readOnly: boolean;
  /** Its agent ends the programs that still write. */
  force?: boolean;
  reason?: string | null;
}

export interface LogoffResult {
  client: string;
  unmounted: string[];
  /** What becomes of the volumes that it wrote. */
  writers: { volume: string; writer: string | null }[];
}

/** Logs off: unmounts everything, withdraws its requests, gives up its rights to write. */
export const clientLogoff: Operation<LogoffRequest, LogoffResult> = {
  name: 'client.logoff',
  run(draft, request, { nowMs }) {
    requireAccessFormat(draft);
    const client = requireClient(draft, request.client);
    const { readOnly, reason = null } = request;
    const unmounted = takeOff(draft, client, { reason, says: 'it logged off', readOnly, nowMs });
    if (readOnly) return { client, unmounted, writers: passOn(draft, client, nowMs) };
    const written = request.force === true ? volumesWrittenBy(draft, client) : [];
    for (const volume of written) {
      draft.put('writers', volume, { ...writerOf(draft, volume), yields: { to: null, force: true, message: null } });
    }
    return { client, unmounted, writers: [] };
  },
};

function takeOff(
  draft: Draft,
  client: string,
  request: { reason: string | null; says: string; lease?: number; readOnly: boolean; nowMs: number },
): string[] {
  const { reason, says, lease, readOnly, nowMs } = request;
  const known = logonOf(draft, client);
  const seen = known?.loggedOn === true || lease !== undefined ? timeOf(nowMs) : (known?.lastSeen ?? timeOf(nowMs));
  if (known !== undefined) {
    const mark = lease ?? known.lease;
    const isNews = known.loggedOn || lease !== undefined;
    draft.put('logons', client, {
      loggedOn: false,
      lastSeen: seen,
      reason: isNews ? reason : known.reason,
      ...(mark === undefined ? {} : { lease: mark }),
      // What is mounted there is still to be made less.
      ...(readOnly || known.host === undefined ? {} : { host: known.host }),
    });
  }
  for (const volume of volumesAwaitedBy(draft, client)) {
    endRequest(draft, volume, client, { response: 'withdrawn', message: says, nowMs });
  }
  const unmounted = volumesMountedBy(draft, client);
  for (const volume of unmounted) draft.remove('mounts', pairName(volume, client));
  return unmounted;
}

function passOn(draft: Draft, client: string, nowMs: number): LogoffResult['writers'] {
  const volumes = volumesWrittenBy(draft, client);
  return volumes.map((volume) => ({ volume, writer: handOver(draft, volume, nowMs) }));
}

/** A client that somebody found gone. */
export interface QuietClient {
  client: string;
  /** Sequence number of the lease that was watched for its whole timeout, or that says `left`. */
  lease: number;
  /** Cause and measured time, one sentence: `lease quiet for 10.1 s, confirmed by c2`. */
  why: string;
  /** The lease says that the agent left: it has nothing mounted. */
  left?: boolean;
  /** It was fenced, or a person has seen to it: how. */
  fenced?: string;
}

export interface LapsedRequest {
  clients: readonly QuietClient[];
  /** Asked under the lock: whether the lease still shows this number (listed anew). Not recorded. */
  stillQuiet?: (client: string, seq: number) => boolean;
}

export interface LapsedResult {
  /** Logged off by this, each with what becomes of what it wrote. */
  lapsed: { client: string; writers: LogoffResult['writers'] }[];
  /** Nothing was done, and why. */
  leftAlone: { client: string; why: string }[];
}

/** Logs clients off whose leases have lapsed; whoever waits for what they wrote gets it in the same generation. */
export const clientsLapsed: Operation<LapsedRequest, LapsedResult> = {
  name: 'client.lapsed',
  run(draft, request, { nowMs }) {
    const result: LapsedResult = { lapsed: [], leftAlone: [] };
    const gone: QuietClient[] = [];
    for (const item of request.clients) {
      const why = whyLeaveAlone(draft, item, request.stillQuiet, nowMs);
      if (why !== null) result.leftAlone.push({ client: item.client, why });
      else gone.push(item);
    }
    for (const item of gone) lapse(draft, item, nowMs);
    // Only now: no right passes on to a client that is gone as well.
    for (const { client } of gone) result.lapsed.push({ client, writers: passOn(draft, client, nowMs) });
    return result;
  },
  recorded: ({ clients }) => ({ clients: clients.slice(0, 20) }),
};

/** @returns null: it is to be logged off */
function whyLeaveAlone(
  draft: Draft,
  { client, lease, left = false, fenced }: QuietClient,
  stillQuiet: LapsedRequest['stillQuiet'],
  nowMs: number,
): string | null {
  const frozen = frozenReason(draft, nowMs);
  if (frozen !== null) return frozen;
  const logon = logonOf(draft, client);
  if (logon === undefined) return 'it never logged on';
  if (!logon.loggedOn && volumesWrittenBy(draft, client).length === 0) return 'it is logged off already';
  if (fenced === undefined && lease <= (logon.lease ?? -1)) return 'it has logged on since then';
  if (!(stillQuiet?.(client, lease) ?? true)) return 'its lease was renewed meanwhile';
  if (!left && fenced === undefined && settingOf(draft, 'fencing.policy') === 'required') {
    return 'it must be fenced first: cfs client logoff --fenced says that it is off';
  }
  return null;
}

function lapse(draft: Draft, { client, lease, why, fenced }: QuietClient, nowMs: number): void {
  const reason = (fenced === undefined ? why : `${why}; ${fenced}`).slice(0, 500);
  takeOff(draft, client, { reason, says: 'the client is gone', lease, readOnly: true, nowMs });
}
