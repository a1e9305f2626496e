/** Reads shards and indexes on demand, checks them, and remembers them: a file of that name never changes. */
import { CfsError } from '../errors.js';
import { isSystemCallError } from '../platform/files.js';
import { MAX_TABLE_FILE_BYTES, parseTableFileName } from './layout.js';
import type { FileRef, TableEntry } from './manifest.js';
import { patiently } from './patience.js';
import type { Place } from './place.js';
import { readWhole, Unfit } from './read-file.js';
import { sha256 } from './sum.js';
import { systemError } from './system-error.js';
import { decodeIndex, decodeShard, type Shard } from './table-file.js';

/** Bytes of files whose contents are remembered between snapshots. */
const REMEMBERED_BYTES = 64 * 1024 * 1024;
const EMPTY: Shard = new Map();

/** A file of a generation that is no longer kept. Whoever can begin again with a newer one does. */
export class Collected extends CfsError {
  constructor(readonly generation: number) {
    super('GENERATION_NOT_FOUND', `generation ${generation} was collected while it was read`, {
      hint: 'Run the command again; it then reads a newer generation.',
      details: { generation },
    });
  }
}

export class TableReader {
  private readonly shards = new Map<string, { records: Shard; sizeBytes: number }>();
  private readonly indexes = new Map<string, { refs: readonly (FileRef | null)[]; sizeBytes: number }>();
  private remembered = 0;

  /** @param floor the floor of the newest generation, asked when a file is missing */
  constructor(
    private readonly place: Place,
    private readonly floor: () => number,
  ) {}

  /** The files of a table's shards at generation `gen`. */
  refs(gen: number, table: string, entry: TableEntry): readonly (FileRef | null)[] {
    if (entry.index === undefined) return entry.files ?? [];
    const ref = entry.index;
    let found = this.indexes.get(ref[0]);
    if (found === undefined) {
      const refs = this.load(gen, ref, (bytes) => decodeIndex(bytes, table, entry.shards));
      found = { refs, sizeBytes: ref[2] };
      this.indexes.set(ref[0], found);
      this.account(ref[2]);
    }
    return found.refs;
  }

  /** The records of one shard. */
  shard(gen: number, table: string, entry: TableEntry, shard: number): Shard {
    const ref = this.refs(gen, table, entry)[shard] ?? null;
    if (ref === null) return EMPTY;
    let found = this.shards.get(ref[0]);
    if (found === undefined) {
      const records = this.load(gen, ref, (bytes) => decodeShard(bytes, table, shard, entry.shards));
      found = { records, sizeBytes: ref[2] };
      this.shards.set(ref[0], found);
      this.account(ref[2]);
    }
    return found.records;
  }

  /** Checks one file against its reference, without remembering it. @throws as `shard` */
  verify(gen: number, ref: FileRef): Buffer {
    return this.load(gen, ref, (bytes) => bytes);
  }

  private load<T>(gen: number, ref: FileRef, decode: (bytes: Buffer) => T): T {
    const [file, sum, sizeBytes] = ref;
    const path = `${this.place.paths.tables}/${file}`;
    return patiently(
      this.place.platform.clock,
      () => {
        if (parseTableFileName(file) === null) throw new Unfit('is not the name of a table file');
        try {
          const bytes = readWhole(this.place.platform.files, 'table', path, MAX_TABLE_FILE_BYTES);
          if (bytes.length !== sizeBytes) throw new Unfit(`has ${bytes.length} bytes instead of ${sizeBytes}`);
          if (sha256(bytes) !== sum) throw new Unfit('does not match its checksum');
          return decode(bytes);
        } catch (error) {
          if (isSystemCallError(error, 'ENOENT', 'ESTALE')) {
            if (this.floor() > gen) throw new Collected(gen);
            throw error;
          }
          throw systemError(error, 'read', path);
        }
      },
      (error) =>
        new CfsError(
          'TABLE_DAMAGED',
          `table file ${file} of generation ${gen} ${error instanceof Unfit ? error.message : 'is missing'}`,
          {
            hint: 'Look with: cfs db check. Then: cfs db repair --dry-run',
            details: { path, generation: gen },
            cause: error,
          },
        ),
    );
  }

  private account(sizeBytes: number): void {
    this.remembered += sizeBytes;
    for (const cache of [this.shards, this.indexes]) {
      for (const [file, { sizeBytes: size }] of cache) {
        if (this.remembered <= REMEMBERED_BYTES) return;
        cache.delete(file);
        this.remembered -= size;
      }
    }
  }
}
