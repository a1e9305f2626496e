/**
 * The manifest: the file that makes a generation. Exactly two lines (sections 2 and 11):
 *
 *   {"format":1,"gen":7,"parent":"<sum of 6>","txid":"…","floor":1,"op":"node.add", … ,"tables":{…},"overlay":{…},"changes":{…}}\n
 *   {"sum":"<sha256 of the first line with its newline>"}\n
 *
 * A table's records at a generation = its shards, with the overlay on top. `count` already counts the overlay in.
 */

import { FORMAT, OLDEST_FORMAT } from '../model/format.js';
import type { AnyRecord } from '../model/tables.js';
import { isDeepEmpty, type Json, jsonMembers } from './json.js';
import { Unfit } from './read-file.js';
import type { Actor, GenerationInfo } from './store.js';
import { sha256 } from './sum.js';

/** A table file: name in tables/, checksum, size in bytes. */
export type FileRef = readonly [file: string, sha256: string, sizeBytes: number];

/** Where a table's folded records are. Exactly one of `files` and `index` is there. */
export interface TableEntry {
  /** Records of the table at this generation. */
  count: number;
  /** Number of shards, a power of two. */
  shards: number;
  /** One per shard; null: the shard is empty. */
  files?: (FileRef | null)[];
  /** The file that lists them, when there are more than INLINE_SHARDS. */
  index?: FileRef;
}

/** A record changed since the last fold (null: removed), with its member of the JSON once that was made. */
export interface OverlayEntry {
  value: AnyRecord | null;
  /** `"name":{…}`; null until needed. Kept so that a loop of small commits does not make it again each time. */
  text: string | null;
}

export type Overlay = ReadonlyMap<string, ReadonlyMap<string, OverlayEntry>>;

export interface Manifest {
  format: number;
  gen: number;
  /** Sum of the manifest it was built on; null for the first. */
  parent: string | null;
  txid: string;
  /** Oldest generation that is kept. */
  floor: number;
  op: string;
  request: unknown;
  message: string | null;
  actor: Actor;
  time: string;
  counts: Record<string, number>;
  tables: ReadonlyMap<string, TableEntry>;
  overlay: Overlay;
  /** Former values of what this generation changed; null when that was too much to keep here. */
  changes: ReadonlyMap<string, ReadonlyMap<string, AnyRecord | null>> | null;
  repair: { from: number; skips: number[] } | null;
  /** Checksum of this very manifest. */
  sum: string;
  /** JSON of `tables`, kept since most commits do not change it. */
  tablesText: string | null;
}

/** What `encodeManifest` needs. `changesText` is the JSON of `changes`, or `null`. */
export type NewManifest = Omit<Manifest, 'sum' | 'changes'> & { changesText: string };

function overlayJson(overlay: Overlay): string {
  const tables: string[] = [];
  for (const [table, entries] of overlay) {
    const members: string[] = [];
    for (const [name, entry] of entries) {
      entry.text ??= `${JSON.stringify(name)}:${JSON.stringify(entry.value)}`;
      members.push(entry.text);
    }
    tables.push(`${JSON.stringify(table)}:{${members.join(',')}}`);
  }
  return `{${tables.join(',')}}`;
}

/** The bytes of the file, and the sum of its first line. */
export function encodeManifest(m: NewManifest): { bytes: Buffer; sum: string; tablesText: string } {
  const tablesText = m.tablesText ?? JSON.stringify(Object.fromEntries(m.tables));
  const head = JSON.stringify({
    format: m.format,
    gen: m.gen,
    parent: m.parent,
    txid: m.txid,
    floor: m.floor,
    op: m.op,
    request: m.request ?? null,
    message: m.message,
    actor: m.actor,
    time: m.time,
    counts: m.counts,
    ...(m.repair === null ? {} : { repair: m.repair }),
  });
  const line = `${head.slice(0, -1)},"tables":${tablesText},"overlay":${overlayJson(m.overlay)},"changes":${m.changesText}}\n`;
  const size = Buffer.byteLength(line);
  const bytes = Buffer.allocUnsafe(size + 75);
  bytes.write(line, 0, 'utf8');
  const sum = sha256(bytes.subarray(0, size));
  bytes.write(`{"sum":"${sum}"}\n`, size, 'latin1');
  return { bytes, sum, tablesText };
}

/** A manifest of a format newer than this program's: sound, but not ours to read. */
export class NewerFormat extends Error {
  constructor(readonly format: number) {
    super(`format ${format}`);
  }
}

const SUM_LINE_BYTES = 75;

/**
 * Checks and parses a manifest (R2). Hashes the bytes as read, never a serialisation of them.
 * @param limit newest format that is read
 * @throws Unfit when it is damaged, NewerFormat when it is sound but too new
 */
export function decodeManifest(bytes: Buffer, gen: number, limit = FORMAT): Manifest {
  const end = bytes.indexOf(10) + 1;
  if (end === 0 || bytes.length !== end + SUM_LINE_BYTES) throw new Unfit('is not two whole lines');
  const sum = sha256(bytes.subarray(0, end));
  if (bytes.toString('latin1', end) !== `{"sum":"${sum}"}\n`) throw new Unfit('does not match its checksum');
  let body: Json;
  try {
    body = JSON.parse(bytes.toString('utf8', 0, end)) as Json;
  } catch {
    throw new Unfit('is not JSON');
  }
  const m = jsonMembers(body);
  const format = m.get('format');
  if (!Number.isSafeInteger(format) || (format as number) < OLDEST_FORMAT) throw new Unfit('has no format number');
  if ((format as number) > limit) throw new NewerFormat(format as number);
  if (m.get('gen') !== gen) throw new Unfit(`says it is generation ${JSON.stringify(m.get('gen'))}`);
  const repair = m.get('repair');
  const changes = m.get('changes');
  const manifest = {
    format,
    gen,
    parent: m.get('parent'),
    txid: m.get('txid'),
    floor: m.get('floor'),
    op: m.get('op'),
    request: m.get('request') ?? null,
    message: m.get('message'),
    actor: m.get('actor'),
    time: m.get('time'),
    counts: m.get('counts'),
    tables: jsonMembers(m.get('tables')),
    overlay: overlayOf(m.get('overlay')),
    changes: changes === null ? null : nested(changes),
    repair: repair === undefined ? null : repair,
    sum,
    tablesText: null,
  } as unknown as Manifest;
  if (typeof manifest.txid !== 'string' || !Number.isSafeInteger(manifest.floor) || isDeepEmpty(m.get('actor'))) {
    throw new Unfit('lacks what every manifest has');
  }
  return manifest;
}

function nested(value: Json | undefined): Map<string, Map<string, AnyRecord | null>> {
  const tables = new Map<string, Map<string, AnyRecord | null>>();
  for (const [table, records] of jsonMembers(value)) {
    tables.set(table, jsonMembers(records) as unknown as Map<string, AnyRecord | null>);
  }
  return tables;
}

function overlayOf(value: Json | undefined): Overlay {
  const overlay = new Map<string, Map<string, OverlayEntry>>();
  for (const [table, records] of jsonMembers(value)) {
    const entries = new Map<string, OverlayEntry>();
    for (const [name, record] of jsonMembers(records)) {
      entries.set(name, { value: record as unknown as AnyRecord | null, text: null });
    }
    overlay.set(table, entries);
  }
  return overlay;
}

/** The generation as history shows it. */
export function infoOf(m: Manifest): GenerationInfo {
  return {
    generation: m.gen,
    txid: m.txid,
    time: m.time,
    operation: m.op,
    request: m.request,
    message: m.message,
    actor: m.actor,
    counts: m.counts,
    repair: m.repair,
  };
}
