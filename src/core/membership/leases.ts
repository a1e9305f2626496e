/**
 * Leases: each agent's claim to be alive. `leases/NODE.SEQ.RELEASED.APPLIED.TIMEOUT` says it all by its name, so that one listing of
 * the directory shows every lease (DESIGN.md, "The shared directory"):
 *
 *   NODE      the node's name, percent-encoded; a client's (core/access) is `client~NAME`, which no node's name can be
 *   SEQ       rises with every renewal, also over restarts of the agent
 *   RELEASED  the node runs nothing that generation RELEASED does not give to it: its acknowledgement. Others may start
 *             what left this node at a generation up to here (core/agent/ownership.ts)
 *   APPLIED   it also runs everything that generation APPLIED gives to it; or `left`: the agent ended and runs nothing
 *   TIMEOUT   the lease timeout that this renewal counts with, ms: the node fences itself in time by it, whatever the tables say by
 *             now. It stands in the name since content may be missing: a full disk, or a call that hangs in the middle
 *
 * DESIGN.md has one number, GEN. They are two here because a swap of two volumes would else wait for ever: each side must
 * have released before the other starts, and the end of both starts is what `--wait` waits for.
 *
 * The content, a line of JSON (LeaseInfo), is for people and for upgrades; it may be missing (a full disk).
 * One writer rule: only NODE's agent makes and removes names of NODE. A new name per renewal, never replaced; the one before stays
 * until the next, since a listing may miss a name that is made while it goes on.
 */
import { isSystemCallError } from '../platform/files.js';
import type { Platform } from '../platform/platform.js';
import { readWhole, Unfit } from '../store/read-file.js';

export interface Lease {
  /** The node, or the holder of a client's lease (`clientHolder`). */
  node: string;
  seq: number;
  released: number;
  /** Null: the agent left, and runs nothing. */
  applied: number | null;
  /** The lease timeout that the renewal counts with, ms. */
  timeoutMs: number;
}

/** Content of a lease. */
export interface LeaseInfo {
  /** Version of cfs, and the newest format that it can read and write. */
  version: string;
  format: number;
  host: string;
  bootId: string;
  pid: number;
  /** Random, another one for each start of the agent: tells two agents of one node name apart. */
  incarnation: string;
  /** What the agent could not do, a sentence each; at most a few. */
  problems: string[];
  /**
   * Of a client's agent: the volumes that are not yet mounted as generation RELEASED or a later one wishes. Absent: too many to be
   * named, or an older cfs; APPLIED alone tells then.
   */
  behind?: string[];
}

const CLIENT = 'client~';

/** Who holds a client's lease: stands where a node's name stands. */
export function clientHolder(client: string): string {
  return `${CLIENT}${client}`;
}

/** The client whose holder this is; null: it is a node. */
export function clientOfHolder(holder: string): string | null {
  return holder.startsWith(CLIENT) ? holder.slice(CLIENT.length) : null;
}

/** Percent-encodes a name for the file system: everything but letters, digits, `-`, `_` and `.` within. */
export function encodeName(name: string): string {
  return encodeURIComponent(name).replace(/[!'()*~]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
}

/** The name, or null when it is not one of ours. */
export function decodeName(encoded: string): string | null {
  try {
    const name = decodeURIComponent(encoded);
    return encodeName(name) === encoded ? name : null;
  } catch {
    return null;
  }
}

function encodeHolder(holder: string): string {
  const client = clientOfHolder(holder);
  return client === null ? encodeName(holder) : `${CLIENT}${encodeName(client)}`;
}

function decodeHolder(encoded: string): string | null {
  if (!encoded.startsWith(CLIENT)) return decodeName(encoded);
  const client = decodeName(encoded.slice(CLIENT.length));
  return client === null ? null : clientHolder(client);
}

export function leaseName({ node, seq, released, applied, timeoutMs }: Lease): string {
  return `${encodeHolder(node)}.${seq}.${released}.${applied ?? 'left'}.${timeoutMs}`;
}

const LEASE = /^(.+)\.(0|[1-9]\d{0,15})\.(0|[1-9]\d{0,15})\.(0|[1-9]\d{0,15}|left)\.([1-9]\d{0,8})$/;

/** Null for what is no node's lease: clients', temporary files, whatever else somebody put there. */
export function parseLeaseName(file: string): Lease | null {
  const lease = parseHolderLease(file);
  return lease === null || clientOfHolder(lease.node) !== null ? null : lease;
}

/** A node's or a client's; null for what is no lease. */
export function parseHolderLease(file: string): Lease | null {
  const match = LEASE.exec(file);
  if (match === null) return null;
  const node = decodeHolder(match[1]!);
  // No name has a tilde.
  if (node === null || (clientOfHolder(node) ?? node).includes('~')) return null;
  return {
    node,
    seq: Number(match[2]),
    released: Number(match[3]),
    applied: match[4] === 'left' ? null : Number(match[4]),
    timeoutMs: Number(match[5]),
  };
}

const MAX_INFO_BYTES = 64 * 1024;

/** What a lease says inside; null where it says nothing (a full disk), or is gone meanwhile. One open and read. */
export function leaseInfo(platform: Platform, dir: string, lease: Lease): LeaseInfo | null {
  try {
    const bytes = readWhole(platform.files, 'lease', `${dir}/${leaseName(lease)}`, MAX_INFO_BYTES);
    const info = JSON.parse(bytes.toString('utf8')) as unknown;
    return isLeaseInfo(info) ? info : null;
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof Unfit || isSystemCallError(error)) return null;
    throw error;
  }
}

/** Strangers' fields are ignored; what is missing makes all of it worthless. */
function isLeaseInfo(info: unknown): info is LeaseInfo {
  if (typeof info !== 'object' || info === null) return false;
  const m = info as Record<string, unknown>;
  const texts = ['version', 'host', 'bootId', 'incarnation'].every((name) => typeof m[name] === 'string');
  const numbers = ['format', 'pid'].every((name) => Number.isFinite(m[name]));
  const isTexts = (list: unknown) => Array.isArray(list) && list.every((text) => typeof text === 'string');
  return texts && numbers && isTexts(m.problems) && (m.behind === undefined || isTexts(m.behind));
}

/** Every node's newest lease. A directory that is not there yet holds none. @throws SystemCallError */
export function listLeases(platform: Platform, dir: string): Map<string, Lease> {
  return listed(platform, dir, (holder) => (clientOfHolder(holder) === null ? holder : null));
}

/** Every client's newest lease, by the client's name (`Lease.node` is its holder). @throws SystemCallError */
export function listClientLeases(platform: Platform, dir: string): Map<string, Lease> {
  return listed(platform, dir, clientOfHolder);
}

/** The newest lease of each holder, nodes and clients, in one listing. @throws SystemCallError */
export function listHolderLeases(platform: Platform, dir: string): Map<string, Lease> {
  return listed(platform, dir, (holder) => holder);
}

function listed(platform: Platform, dir: string, nameOf: (holder: string) => string | null): Map<string, Lease> {
  let files: string[];
  try {
    files = platform.files.list('lease.list', dir);
  } catch (error) {
    if (isSystemCallError(error, 'ENOENT')) return new Map();
    throw error;
  }
  const found = new Map<string, Lease>();
  for (const [holder, lease] of newestLeases(files)) {
    const name = nameOf(holder);
    if (name !== null) found.set(name, lease);
  }
  return found;
}

/** The newest lease of each holder, nodes and clients, among file names. */
export function newestLeases(files: Iterable<string>): Map<string, Lease> {
  const newest = new Map<string, Lease>();
  for (const file of files) {
    const lease = parseHolderLease(file);
    if (lease === null) continue;
    const known = newest.get(lease.node);
    if (known === undefined || lease.seq > known.seq) newest.set(lease.node, lease);
  }
  return newest;
}
