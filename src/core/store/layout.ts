/**
 * Names in the cluster directory (spec/commit-protocol.md section 2). All names are fixed; readers ignore unknown ones.
 *
 *   cluster.json                         {"cluster":"<uuid>"}, written once, last step of init
 *   manifests/NNNNNNNNNN.json            generation N, first is 1
 *   manifests/.NNNNNNNNNN.<txid>.tmp     manifest of a commit under way
 *   tables/<table>.<gen>.<nonce>.json    shard or index file, immutable, made for generation <gen>
 *   lock/, lock.owner, lock.wanted       the courtesy lock, who holds it, whether somebody waits
 *   leases/NODE.SEQ.RELEASED.APPLIED.TIMEOUT   an agent's lease (core/membership/leases.ts)
 *   joins/NODE.SEQ                       a node that came up and wants to be taken in (core/membership/tickets.ts)
 *   mail/NODE/ID                         a message to a node (core/mail/)
 *   ballast                              space kept for leases and one commit when the file system is full
 */

/** A manifest larger than this is damaged (R2). */
export const MAX_MANIFEST_BYTES = 4 * 1024 * 1024;
/** A table file larger than this is damaged: no writer makes one. */
export const MAX_TABLE_FILE_BYTES = 256 * 1024 * 1024;
/** Bound of the overlay, and of the former values kept in a manifest, in characters of JSON (section 11). */
export const OVERLAY_BOUND = 64 * 1024;
/** What a shard should stay near, in bytes (section 11). */
export const SHARD_BYTES = 64 * 1024;
/** Tables of more shards than this are named by an index file (section 11). */
export const INLINE_SHARDS = 16;
/**
 * Collectors make the removal of manifests durable after each aligned block of this many generations, before they begin
 * with the next. See `guardOf` in head.ts for what rests on it.
 */
export const COLLECT_BLOCK = 64;
/** Fewest generations that a collection keeps (G2). */
export const LEAST_KEPT = 100;
export const MAX_GENERATION = 9_999_999_999;

export interface Paths {
  root: string;
  cluster: string;
  manifests: string;
  tables: string;
  lock: string;
  lockOwner: string;
  lockWanted: string;
  /** Places of the agents; made by the first that needs them (core/membership/, core/mail/). */
  leases: string;
  joins: string;
  mail: string;
  ballast: string;
}

export function pathsOf(root: string): Paths {
  return {
    root,
    cluster: `${root}/cluster.json`,
    manifests: `${root}/manifests`,
    tables: `${root}/tables`,
    lock: `${root}/lock`,
    lockOwner: `${root}/lock.owner`,
    lockWanted: `${root}/lock.wanted`,
    leases: `${root}/leases`,
    joins: `${root}/joins`,
    mail: `${root}/mail`,
    ballast: `${root}/ballast`,
  };
}

function tenDigits(generation: number): string {
  return String(generation).padStart(10, '0');
}

export function manifestName(generation: number): string {
  return `${tenDigits(generation)}.json`;
}

export function temporaryName(generation: number, txid: string): string {
  return `.${tenDigits(generation)}.${txid}.tmp`;
}

/** `volumeAccess` is `volume-access` in file names: lower case, digits and hyphens only. */
function tableStem(table: string): string {
  return table.replace(/[A-Z]/g, (c) => `-${c.toLowerCase()}`);
}

export function tableFileName(table: string, generation: number, nonce: string): string {
  return `${tableStem(table)}.${generation}.${nonce}.json`;
}

/** The generation of a manifest's name, or null if it is not one. */
export function parseManifestName(name: string): number | null {
  return name.length === 15 && /^\d{10}\.json$/.test(name) ? Number(name.slice(0, 10)) || null : null;
}

export function parseTemporaryName(name: string): { generation: number; txid: string } | null {
  const match = /^\.(\d{10})\.([0-9a-f]{16})\.tmp$/.exec(name);
  return match === null ? null : { generation: Number(match[1]), txid: match[2]! };
}

export function parseTableFileName(name: string): { table: string; generation: number } | null {
  const match = /^([a-z][a-z0-9-]{0,62})\.([1-9]\d{0,9})\.[0-9a-f]{16}\.json$/.exec(name);
  return match === null ? null : { table: match[1]!, generation: Number(match[2]) };
}

/** Modes of what is made, set explicitly whatever the umask. */
export interface Modes {
  directory: number;
  file: number;
}

export const PLAIN_MODES: Modes = { directory: 0o750, file: 0o640 };
/** With a group: directories hand their group on to what is made in them. */
export const GROUP_MODES: Modes = { directory: 0o2770, file: 0o640 };
