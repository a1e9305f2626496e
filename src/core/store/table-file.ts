/**
 * Shard and index files: one line of JSON each, immutable, checked against the sum that names them.
 *
 *   shard  {"table":"volumes","shard":3,"of":16,"records":{"v1":{…},"v2":{…}}}
 *   index  {"table":"volumes","of":256,"shards":[["volumes.7.<nonce>.json","<sha256>",65012],null,…]}
 */
import type { AnyRecord } from '../model/tables.js';
import { type Json, jsonMembers } from './json.js';
import type { FileRef } from './manifest.js';
import { Unfit } from './read-file.js';

export type Shard = ReadonlyMap<string, AnyRecord>;

/** @param textOf a record's member `"name":{…}` where the caller has it already */
export function encodeShard(
  table: string,
  shard: number,
  of: number,
  records: Shard,
  textOf: (name: string) => string | null | undefined,
): Buffer {
  const members: string[] = [];
  for (const [name, record] of records) {
    members.push(textOf(name) ?? `${JSON.stringify(name)}:${JSON.stringify(record)}`);
  }
  return Buffer.from(
    `{"table":${JSON.stringify(table)},"shard":${shard},"of":${of},"records":{${members.join(',')}}}\n`,
  );
}

export function encodeIndex(table: string, refs: readonly (FileRef | null)[]): Buffer {
  return Buffer.from(`${JSON.stringify({ table, of: refs.length, shards: refs })}\n`);
}

function parsed(bytes: Buffer): Map<string, Json> {
  try {
    return jsonMembers(JSON.parse(bytes.toString('utf8')) as Json);
  } catch (error) {
    throw error instanceof Unfit ? error : new Unfit('is not JSON');
  }
}

/** @throws Unfit when it is not the shard it should be */
export function decodeShard(bytes: Buffer, table: string, shard: number, of: number): Shard {
  const members = parsed(bytes);
  if (members.get('table') !== table || members.get('shard') !== shard || members.get('of') !== of) {
    throw new Unfit(`is not shard ${shard} of ${of} of table ${table}`);
  }
  return jsonMembers(members.get('records')) as unknown as Shard;
}

/** @throws Unfit when it is not the index it should be */
export function decodeIndex(bytes: Buffer, table: string, of: number): (FileRef | null)[] {
  const members = parsed(bytes);
  const shards = members.get('shards');
  if (members.get('table') !== table || !Array.isArray(shards) || shards.length !== of) {
    throw new Unfit(`is not the index of the ${of} shards of table ${table}`);
  }
  return shards as unknown as (FileRef | null)[];
}
