/**
 * A reader of the cluster directory written from docs/FORMAT.md alone. It shares no code with src/core/store: where the two
 * differ, the document or the store is wrong.
 */
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';

type Reference = [file: string, sha256: string, bytes: number];
type Records = Record<string, unknown>;

interface Body {
  format: number;
  gen: number;
  tables: Record<string, { count: number; shards: number; files?: (Reference | null)[]; index?: Reference }>;
  overlay: Record<string, Records>;
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** "Duties of readers", R1 and R3. */
function newestNumber(dir: string): number {
  const numbers = fs.readdirSync(path.join(dir, 'manifests')).flatMap((name) => {
    const match = /^(?!0{10})([0-9]{10})\.json$/.exec(name);
    return match === null ? [] : [Number(match[1])];
  });
  let newest = Math.max(...numbers);
  while (fs.existsSync(manifestPath(dir, newest + 1))) newest += 1;
  return newest;
}

function manifestPath(dir: string, gen: number): string {
  return path.join(dir, 'manifests', `${String(gen).padStart(10, '0')}.json`);
}

/** "The manifest", R2. */
function readManifest(dir: string, gen: number): Body {
  const bytes = fs.readFileSync(manifestPath(dir, gen));
  const end = bytes.indexOf('\n') + 1;
  const expected = `{"sum":"${sha256(bytes.subarray(0, end))}"}\n`;
  if (bytes.subarray(end).toString() !== expected) throw new Error('the sum is wrong');
  const body = JSON.parse(bytes.subarray(0, end).toString()) as Body;
  if (body.gen !== gen || ![1, 2, 3].includes(body.format)) throw new Error('another generation or format');
  return body;
}

/** "Table files", R4. */
function readTableFile<T>(dir: string, [file, sum, size]: Reference): T {
  const bytes = fs.readFileSync(path.join(dir, 'tables', file));
  if (bytes.length !== size || sha256(bytes) !== sum) throw new Error(`${file} does not match its reference`);
  return JSON.parse(bytes.toString()) as T;
}

/** "Which shard a record is in". */
export function shardOfName(name: string, shards: number): number {
  const times = (a: number, b: number): number => Number((BigInt(a) * BigInt(b)) & 0xffffffffn);
  let h = 0x811c9dc5;
  for (let i = 0; i < name.length; i++) {
    const unit = name.charCodeAt(i);
    h = times((h ^ (unit & 0xff)) >>> 0, 0x01000193);
    h = times((h ^ (unit >>> 8)) >>> 0, 0x01000193);
  }
  h = times((h ^ (h >>> 16)) >>> 0, 0x85ebca6b);
  h = times((h ^ (h >>> 13)) >>> 0, 0xc2b2ae35);
  h = (h ^ (h >>> 16)) >>> 0;
  return h % shards;
}

export interface Generation {
  gen: number;
  tables: Map<string, Map<string, unknown>>;
  /** Tables that are named by an index file. */
  indexed: string[];
}

/** All records of the newest generation. @throws Error where a file is not what the document says */
export function readNewest(dir: string): Generation {
  const { gen, tables, overlay } = readManifest(dir, newestNumber(dir));
  const result: Generation = { gen, tables: new Map(), indexed: [] };
  for (const [table, entry] of Object.entries(tables)) {
    let references = entry.files;
    if (entry.index !== undefined) {
      references = readTableFile<{ shards: (Reference | null)[] }>(dir, entry.index).shards;
      result.indexed.push(table);
    }
    if (references?.length !== entry.shards) throw new Error(`table ${table} does not have ${entry.shards} shards`);
    const records = new Map<string, unknown>();
    for (const [i, reference] of references.entries()) {
      if (reference === null) continue;
      const shard = readTableFile<{ table: string; shard: number; of: number; records: Records }>(dir, reference);
      if (shard.table !== table || shard.shard !== i || shard.of !== entry.shards) throw new Error('another shard');
      for (const [name, record] of Object.entries(shard.records)) {
        if (shardOfName(name, entry.shards) !== i) throw new Error(`${name} is not in the shard of its name`);
        records.set(name, record);
      }
    }
    for (const [name, record] of Object.entries(overlay[table] ?? {})) {
      if (record === null) records.delete(name);
      else records.set(name, record);
    }
    if (records.size !== entry.count) throw new Error(`table ${table} has ${records.size} of ${entry.count} records`);
    result.tables.set(table, records);
  }
  return result;
}
