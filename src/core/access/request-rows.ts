/** The write requests as `cfs volume requests` and the prompt of `cfs volume respond` show them. */
import { naturalCompare } from '../model/names.js';
import type { RequestResponse } from '../model/tables.js';
import type { Snapshot } from '../store/store.js';
import { writerOf } from './look.js';
import { pairOf } from './pair.js';

export interface RequestRow {
  volume: string;
  /** The client that asks. */
  from: string;
  /** Who is asked: the writer; of a request that has its answer, the writer when it was asked. */
  writer: string | null;
  /** In the queue, from 1; null: it does not wait. */
  place: number | null;
  /** The generation that asked, and when, for people. */
  asked: number;
  askedAt: string;
  /** For how long it has waited by this host's clock, ms; null: it does not wait. */
  waitsMs: number | null;
  limitMs: number;
  message: string | null;
  response: RequestResponse;
  answer: string | null;
}

/** The newest request of each client and volume: by volume, those that wait in their order, then the others by age. Reads the table. */
export function requestRows(snapshot: Snapshot, nowMs: number): RequestRow[] {
  const rows: RequestRow[] = [];
  if (snapshot.table('requests').count === 0) return rows;
  for (const [name, request] of snapshot.table('requests').entries()) {
    const { volume, client } = pairOf(name);
    const { writer, queue } = writerOf(snapshot, volume);
    const isPending = request.response === 'pending';
    const at = queue.indexOf(client);
    rows.push({
      volume,
      from: client,
      writer: isPending ? writer : request.to,
      place: isPending && at !== -1 ? at + 1 : null,
      asked: request.asked,
      askedAt: request.askedAt,
      waitsMs: isPending ? Math.max(0, nowMs - Date.parse(request.askedAt)) : null,
      limitMs: request.limitMs,
      message: request.message,
      response: request.response,
      answer: request.responseMessage,
    });
  }
  const last = Number.MAX_SAFE_INTEGER;
  return rows.sort(
    (a, b) =>
      naturalCompare(a.volume, b.volume) ||
      (a.place ?? last) - (b.place ?? last) ||
      a.asked - b.asked ||
      naturalCompare(a.from, b.from),
  );
}
