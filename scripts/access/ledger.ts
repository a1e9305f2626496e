/**
 * The soak's own book of what was written, kept outside of the volumes: a file per volume, a line of JSON per event, each appended by
 * one write. A record counts as written from its `ack` on: it was on the device (fsync) and the writer was told so.
 *
 *   write  before the record is written, with all of it: one that was never acknowledged may be there, or a part of it, or not
 *   ack    it was written and flushed
 *   opened the file is open for writing, everything that former writers wrote was found
 *   closed it is closed again
 *   wrong  what must never be, a sentence
 *
 * `t` is CLOCK_MONOTONIC, ms, as in the ownership journals.
 */
import { appendFileSync, closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { monotonicMs } from '../lab/proc.js';

interface Who {
  client: string;
  /** The fencing token (WriterRecord.since) under which it is written. */
  epoch: number;
  t: number;
}

export type LedgerEvent =
  | (Who & { k: 'write'; n: number; at: number; text: string })
  | (Who & { k: 'ack'; n: number })
  | (Who & { k: 'opened'; bytes: number })
  | (Who & { k: 'closed' })
  | (Who & { k: 'wrong'; says: string });

type WithoutTime<E> = E extends unknown ? Omit<E, 't'> : never;

export interface WrittenRecord extends Who {
  n: number;
  at: number;
  bytes: Buffer;
  /** When it was begun; `t` is when it was acknowledged. */
  began: number;
}

/** Follows the file of one volume. */
export class Ledger {
  /** Acknowledged records, in order. */
  readonly records: WrittenRecord[] = [];
  readonly wrong: string[] = [];
  readonly events: LedgerEvent[] = [];
  /** Everything acknowledged; what the volume's file must begin with. */
  private content = Buffer.alloc(4096);
  end = 0;
  private readonly pending = new Map<string, WrittenRecord>();
  private offset = 0;
  private rest = '';

  constructor(readonly path: string) {
    closeSync(openSync(path, 'a'));
  }

  add(event: WithoutTime<LedgerEvent>): void {
    appendFileSync(this.path, `${JSON.stringify({ ...event, t: monotonicMs() })}\n`);
  }

  /** Reads what was added since. */
  follow(): void {
    const fd = openSync(this.path, 'r');
    try {
      const bytes = Buffer.alloc(fstatSync(fd).size - this.offset);
      const count = readSync(fd, bytes, 0, bytes.length, this.offset);
      this.offset += count;
      const lines = (this.rest + bytes.toString('latin1', 0, count)).split('\n');
      this.rest = lines.pop()!;
      for (const line of lines) this.take(JSON.parse(line) as LedgerEvent);
    } finally {
      closeSync(fd);
    }
  }

  private take(event: LedgerEvent): void {
    this.events.push(event);
    if (event.k === 'wrong') this.wrong.push(event.says);
    if (event.k === 'write') {
      const { client, epoch, n, at, text, t } = event;
      this.pending.set(keyOf(event), { client, epoch, n, at, bytes: Buffer.from(text), began: t, t });
    }
    if (event.k !== 'ack') return;
    const record = this.pending.get(keyOf(event));
    if (record === undefined) this.wrong.push(`${keyOf(event)} was acknowledged and never begun`);
    else this.append({ ...record, t: event.t });
  }

  private append(record: WrittenRecord): void {
    const { at, bytes, client, epoch, n } = record;
    this.pending.delete(keyOf(record));
    if (at !== this.end) {
      this.wrong.push(
        `record ${n} of ${client} (token ${epoch}) was written at ${at}, and ${this.end} bytes were there`,
      );
    }
    if (at + bytes.length > this.content.length) {
      this.content = Buffer.concat([this.content, Buffer.alloc(this.content.length + bytes.length)]);
    }
    bytes.copy(this.content, at);
    this.end = Math.max(this.end, at + bytes.length);
    this.records.push(record);
  }

  /** Why this is not what was written, a sentence; null: it is. A tail may be a record that was never acknowledged. */
  whyNot(found: Buffer): string | null {
    const { content, end } = this;
    if (found.length < end) return `${end} bytes were written, and ${found.length} are there`;
    if (found.compare(content, 0, end, 0, end) !== 0) {
      let at = 0;
      while (found[at] === content[at]) at++;
      const record = this.records.find((one) => at < one.at + one.bytes.length);
      return `byte ${at}, which ${record?.client} wrote with token ${record?.epoch}, is another one`;
    }
    const tail = found.subarray(end);
    const isKnown =
      tail.length === 0 ||
      [...this.pending.values()].some(({ at, bytes }) => at === end && bytes.subarray(0, tail.length).equals(tail));
    return isKnown ? null : `${tail.length} bytes are there that nobody wrote`;
  }
}

const keyOf = ({ client, epoch, n }: { client: string; epoch: number; n: number }): string => `${client}/${epoch}/${n}`;
