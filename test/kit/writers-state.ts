/**
 * The tables of access control while a checker walks through history: what each generation changed is put on top of the former one.
 * Written apart from src/core/access, so that a mistake there is not shared.
 */
import type { AnyRecord, TableName, Tables, WriterRecord } from '../../src/core/model/tables.js';
import type { Change, Snapshot } from '../../src/core/store/store.js';

export const WATCHED = [
  'clients',
  'logons',
  'access',
  'mounts',
  'volumeAccess',
  'writers',
  'requests',
] as const satisfies readonly TableName[];
type Watched = (typeof WATCHED)[number];

export const NOBODY: WriterRecord = { writer: null, since: 1, queue: [], modified: 0, lastModified: null };

export class WritersState {
  private readonly tables = new Map<string, Map<string, AnyRecord>>(WATCHED.map((name) => [name, new Map()]));

  /** @param base where history begins; null: nothing is there yet */
  constructor(base: Snapshot | null) {
    if (base === null) return;
    for (const name of WATCHED) {
      for (const [key, record] of base.table(name).entries()) this.tables.get(name)!.set(key, record);
    }
  }

  apply(changes: readonly Change[]): void {
    for (const { table, name, after } of changes) {
      if (after === null) this.tables.get(table)?.delete(name);
      else this.tables.get(table)?.set(name, after);
    }
  }

  get<N extends Watched>(table: N, name: string): Tables[N] | undefined {
    return this.tables.get(table)!.get(name) as Tables[N] | undefined;
  }

  names(table: Watched): Iterable<string> {
    return this.tables.get(table)!.keys();
  }

  writerOf(volume: string): WriterRecord {
    return this.get('writers', volume) ?? NOBODY;
  }

  isLoggedOn(client: string): boolean {
    return this.get('logons', client)?.loggedOn === true;
  }

  isPending(volume: string, client: string): boolean {
    return this.get('requests', `${volume}/${client}`)?.response === 'pending';
  }

  /** Why the client may not have the volume for writing at all; null: it may. Being locked out keeps from asking, not from writing. */
  whyNotWriter(volume: string, client: string): string | null {
    const control = this.get('volumeAccess', volume);
    if (this.get('clients', client) === undefined) return 'there is no such client';
    if (!this.isLoggedOn(client)) return 'it is not logged on';
    if (this.get('access', `${volume}/${client}`)?.mount !== true) return 'it may not mount the volume';
    if (this.get('mounts', `${volume}/${client}`) === undefined) return 'it has not mounted the volume';
    if (control?.enabled === false) return 'the volume is disabled';
    return control?.readOnlyMedia === true ? 'its media are read-only' : null;
  }

  /** Whether the tables ask this client to keep the volume mounted for writing. */
  keepsWriting(volume: string, client: string): boolean {
    const { writer, yields } = this.writerOf(volume);
    return writer === client && yields === undefined && this.whyNotWriter(volume, client) === null;
  }
}
