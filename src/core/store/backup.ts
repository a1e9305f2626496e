/**
 * Backups: one consistent generation in one self-checking file.
 *
 *   {"cfsBackup":2,"cluster":"<uuid>","generation":812,"txid":"…","time":"…","tables":{"volumes":20000,…}}
 *   {"table":"volumes","name":"v1","record":{…}}        one line per record
 *   {"end":true,"records":20213,"sha256":"<of all bytes before this line>"}
 *
 * The number at its beginning is the format of its generation.
 * Streamed both ways: neither needs the database in memory, except for the shard at hand.
 */
import { createHash, type Hash } from 'node:crypto';
import { CfsError } from '../errors.js';
import { formatLimit } from '../model/format.js';
import { type AnyRecord, TABLE_NAMES, type TableName } from '../model/tables.js';
import { type Files, isSystemCallError } from '../platform/files.js';
import type { Platform } from '../platform/platform.js';
import { type Json, jsonMembers } from './json.js';
import { Unfit } from './read-file.js';
import type { SharedDirectoryStore } from './shared-directory-store.js';
import { systemError } from './system-error.js';
import { flushDirectory } from './write-file.js';

const CHUNK_BYTES = 1024 * 1024;
const FILE_MODE = 0o640;

export interface BackupHeader {
  /** Identity of the cluster it was made of. */
  cluster: string;
  generation: number;
  /** Format of that generation. */
  format: number;
  txid: string;
  /** When that generation was made (RFC 3339). */
  time: string;
  /** Records per table. */
  tables: Record<string, number>;
}

export interface BackupReport extends BackupHeader {
  path: string;
  records: number;
  bytes: number;
}

/**
 * Writes generation `at` (default: the newest) into a new file, durably. A file that fails half-way is removed; one that
 * is cut short by a kill has no end line and is refused on reading.
 * @throws CfsError FILE_EXISTS, NO_SPACE, GENERATION_NOT_FOUND, TABLE_DAMAGED …
 */
export function writeBackup(store: SharedDirectoryStore, path: string, at?: number): BackupReport {
  const { files } = store.place.platform;
  const manifest = store.manifest(at);
  const snapshot = store.snapshot(manifest.gen);
  const header: BackupHeader = {
    cluster: store.cluster,
    generation: manifest.gen,
    format: manifest.format,
    txid: manifest.txid,
    time: manifest.time,
    tables: Object.fromEntries(TABLE_NAMES.map((table) => [table, snapshot.table(table).count])),
  };
  const out = new BackupWriter(files, path);
  let records = 0;
  try {
    const { format, ...rest } = header;
    out.line(JSON.stringify({ cfsBackup: format, ...rest }));
    for (const table of TABLE_NAMES) {
      for (const [name, record] of snapshot.table(table).entries() as Iterable<[string, AnyRecord]>) {
        out.line(JSON.stringify({ table, name, record }));
        records += 1;
      }
    }
    return { ...header, path, records, bytes: out.finish(records) };
  } catch (error) {
    out.abandon();
    throw systemError(error, 'write', path);
  }
}

class BackupWriter {
  private readonly fd: number;
  private readonly hash: Hash = createHash('sha256');
  private pending: string[] = [];
  private pendingLength = 0;
  private bytes = 0;
  private open = true;

  constructor(
    private readonly files: Files,
    private readonly path: string,
  ) {
    try {
      this.fd = files.openNew('backup.create', path, FILE_MODE);
    } catch (error) {
      if (isSystemCallError(error, 'EEXIST', 'ELOOP')) {
        throw new CfsError('FILE_EXISTS', `${path} exists already; it was not touched`, {
          hint: 'Give another name: a backup is never overwritten.',
          details: { path },
        });
      }
      throw systemError(error, 'create', path);
    }
  }

  line(text: string): void {
    this.pending.push(text);
    this.pendingLength += text.length;
    if (this.pendingLength >= CHUNK_BYTES) this.drain();
  }

  /** @returns the size of the file */
  finish(records: number): number {
    this.drain();
    this.write(Buffer.from(`${JSON.stringify({ end: true, records, sha256: this.hash.digest('hex') })}\n`));
    this.files.fchmod('backup.chmod', this.fd, FILE_MODE);
    this.files.fsync('backup.fsync', this.fd);
    this.open = false;
    this.files.close('backup.close', this.fd);
    flushDirectory(this.files, 'backup-dir', this.path.includes('/') ? this.path.replace(/\/[^/]*$/, '') || '/' : '.');
    return this.bytes;
  }

  abandon(): void {
    try {
      if (this.open) this.files.close('backup.close', this.fd);
    } catch {
      // The first error is the one to report.
    }
    try {
      this.files.unlink('backup.unlink', this.path);
    } catch {
      // Without an end line it is refused on reading.
    }
  }

  private drain(): void {
    if (this.pending.length === 0) return;
    const bytes = Buffer.from(`${this.pending.join('\n')}\n`);
    this.pending = [];
    this.pendingLength = 0;
    this.hash.update(bytes);
    this.write(bytes);
  }

  private write(bytes: Buffer): void {
    for (let done = 0; done < bytes.length; ) {
      done += this.files.write('backup.write', this.fd, bytes, done, bytes.length - done);
    }
    this.bytes += bytes.length;
  }
}

export interface BackupRecord {
  table: TableName;
  name: string;
  record: AnyRecord;
}

export interface Backup {
  header: BackupHeader;
  /** Reads the file again, record by record. */
  records(): Iterable<BackupRecord>;
}

/**
 * Opens a backup after checking it as a whole.
 * @throws CfsError FILE_NOT_FOUND, BACKUP_DAMAGED, FORMAT_TOO_NEW, IO_ERROR …
 */
export function readBackup(platform: Platform, path: string): Backup {
  const header = verify(platform.files, path, formatLimit(platform.processes));
  return { header, records: () => recordsOf(platform.files, path) };
}

function verify(files: Files, path: string, limit: number): BackupHeader {
  const hash = createHash('sha256');
  let header: BackupHeader | null = null;
  let last: string | null = null;
  let lines = 0;
  for (const line of linesOf(files, path)) {
    if (last !== null) hash.update(`${last}\n`);
    if (header === null) header = headerOf(path, line, limit);
    last = line;
    lines += 1;
  }
  if (header === null || last === null || lines < 2) throw damaged(path, 'is empty or cut short');
  let end: Map<string, Json>;
  try {
    end = jsonMembers(JSON.parse(last) as Json);
  } catch {
    throw damaged(path, 'is cut short: its last line is not whole');
  }
  if (end.get('end') !== true) throw damaged(path, 'is cut short: it has no end line');
  if (end.get('sha256') !== hash.digest('hex')) throw damaged(path, 'does not match its checksum');
  if (end.get('records') !== lines - 2)
    throw damaged(path, `has ${lines - 2} records instead of ${end.get('records')}`);
  return header;
}

function headerOf(path: string, line: string, limit: number): BackupHeader {
  let m: Map<string, Json>;
  try {
    m = jsonMembers(JSON.parse(line) as Json);
  } catch {
    throw damaged(path, 'is not a backup of cfs');
  }
  const format = m.get('cfsBackup');
  if (!Number.isSafeInteger(format)) throw damaged(path, 'is not a backup of cfs');
  if ((format as number) > limit) {
    throw new CfsError('FORMAT_TOO_NEW', `${path} is a backup of format ${format}, which this cfs cannot read`, {
      hint: 'Use a newer cfs.',
      details: { path, format },
    });
  }
  const generation = m.get('generation');
  const tables = m.get('tables');
  if (!Number.isSafeInteger(generation) || typeof tables !== 'object' || tables === null) {
    throw damaged(path, 'does not say which generation it holds');
  }
  return {
    cluster: String(m.get('cluster')),
    generation: generation as number,
    format: format as number,
    txid: String(m.get('txid')),
    time: String(m.get('time')),
    tables: tables as Record<string, number>,
  };
}

function* recordsOf(files: Files, path: string): Iterable<BackupRecord> {
  let first = true;
  for (const line of linesOf(files, path)) {
    if (first) {
      first = false;
      continue;
    }
    const m = jsonMembers(JSON.parse(line) as Json);
    if (m.get('end') === true) return;
    const [table, name, record] = [m.get('table'), m.get('name'), m.get('record')];
    if (typeof table !== 'string' || !(TABLE_NAMES as readonly string[]).includes(table) || typeof name !== 'string') {
      throw damaged(path, `holds a record of a table that this cfs does not know: ${JSON.stringify(table)}`);
    }
    yield { table: table as TableName, name, record: record as unknown as AnyRecord };
  }
}

/** Lines without their newline. A last one without a newline is given as well; the end line's check refuses it. */
function* linesOf(files: Files, path: string): Iterable<string> {
  let fd: number;
  try {
    fd = files.openRead('backup.open', path);
    if (files.fstat('backup.fstat', fd).kind !== 'file') {
      files.close('backup.close', fd);
      throw new Unfit('is not a plain file');
    }
  } catch (error) {
    if (error instanceof Unfit || isSystemCallError(error, 'ELOOP')) throw damaged(path, 'is not a plain file');
    if (isSystemCallError(error, 'ENOENT')) {
      throw new CfsError('FILE_NOT_FOUND', `there is no file ${path}`, { details: { path } });
    }
    throw systemError(error, 'open', path);
  }
  const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
  let rest: Buffer = Buffer.alloc(0);
  try {
    for (;;) {
      const n = files.read('backup.read', fd, chunk, 0, CHUNK_BYTES, null);
      if (n === 0) break;
      let data: Buffer = Buffer.concat([rest, chunk.subarray(0, n)]);
      for (let end = data.indexOf(10); end >= 0; end = data.indexOf(10)) {
        yield data.toString('utf8', 0, end);
        data = data.subarray(end + 1);
      }
      rest = data;
    }
  } catch (error) {
    throw systemError(error, 'read', path);
  } finally {
    files.close('backup.close', fd);
  }
  if (rest.length > 0) throw damaged(path, 'is cut short: its last line is not whole');
}

function damaged(path: string, why: string): CfsError {
  return new CfsError('BACKUP_DAMAGED', `${path} ${why}`, {
    hint: 'Nothing was changed. Use another backup.',
    details: { path },
  });
}
