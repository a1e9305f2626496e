/** Operations on clients: add, set, remove. */
import { distinctNames } from '../config/distinct-names.js';
import { Problems } from '../config/problems.js';
import { shortened } from '../config/record-request.js';
import { CfsError } from '../errors.js';
import { requireClient, someNames } from '../model/find.js';
import { ACCESS_FORMAT, requireFormat } from '../model/format.js';
import { parseName, quoteName } from '../model/names.js';
import type { ClientRecord } from '../model/tables.js';
import { booleanRule, checkValue, given } from '../model/values.js';
import type { Operation } from '../operation.js';
import type { Draft, Snapshot } from '../store/store.js';
import { isLoggedOn } from './look.js';
import { pairOf } from './pair.js';

export const CLIENT_DEFAULTS: ClientRecord = { refreshNotify: false, autoRespond: false, lockedOut: false };

export interface ClientFields {
  refreshNotify?: boolean;
  autoRespond?: boolean;
  lockedOut?: boolean;
}

export interface ClientInput extends ClientFields {
  name: string;
}

/** Every operation of access control begins with it. @throws CfsError FORMAT_TOO_OLD */
export function requireAccessFormat(draft: Draft): void {
  requireFormat(draft, ACCESS_FORMAT, 'Access control');
}

/** Fields given replace those of the base. @throws CfsError BAD_VALUE */
export function clientRecord(of: string, input: ClientFields, base: ClientRecord): ClientRecord {
  const field = (name: keyof ClientFields) => checkValue(of, name, given(input[name], base[name]), booleanRule);
  return { refreshNotify: field('refreshNotify'), autoRespond: field('autoRespond'), lockedOut: field('lockedOut') };
}

/** Adds one client, not logged on. @throws CfsError CLIENT_EXISTS, BAD_NAME, RESERVED_NAME, BAD_VALUE */
export function addClient(draft: Draft, input: ClientInput): string {
  const name = parseName('client', input.name);
  if (draft.table('clients').has(name)) {
    throw new CfsError('CLIENT_EXISTS', `There is already a client ${quoteName(name)}`, {
      hint: 'Change it with cfs client set.',
      details: { client: name },
    });
  }
  draft.put('clients', name, clientRecord(`client ${quoteName(name)}`, input, CLIENT_DEFAULTS));
  return name;
}

/** A name given twice is no client that exists. @throws CfsError BAD_VALUE */
function requireOnce(added: readonly string[], input: string): void {
  const name = String(input).normalize('NFC');
  if (!added.includes(name)) return;
  throw new CfsError('BAD_VALUE', `The client ${quoteName(name)} is given twice`, { details: { client: name } });
}

/** Adds clients, all or none. */
export const clientAdd: Operation<{ clients: readonly ClientInput[] }, { added: string[] }> = {
  name: 'client.add',
  run(draft, request) {
    requireAccessFormat(draft);
    const problems = new Problems();
    const added: string[] = [];
    for (const input of request.clients) {
      const name = problems.attempt(
        () => {
          requireOnce(added, input.name);
          return addClient(draft, input);
        },
        `client ${quoteName(String(input.name))}`,
      );
      if (name !== null) added.push(name);
    }
    problems.throwIfAny();
    return { added };
  },
  recorded: shortened,
};

export interface ClientSetRequest extends ClientFields {
  name: string | readonly string[];
  /** The client that asks, where the command runs on a client's own host: one that is locked out may not change its own settings. */
  self?: string | null;
}

/** @throws CfsError CLIENT_NOT_FOUND; LOCKED_OUT for a client that changes itself and may not */
export const clientSet: Operation<ClientSetRequest, { clients: string[] }> = {
  name: 'client.set',
  run(draft, request) {
    requireAccessFormat(draft);
    const { name: names, self = null, ...fields } = request;
    const clients = distinctNames(names, (input) => requireClient(draft, input));
    for (const name of clients) {
      const base = draft.table('clients').get(name)!;
      if (name === self && base.lockedOut) {
        throw new CfsError('LOCKED_OUT', `Client ${quoteName(name)} may not change its own settings`, {
          hint: 'An administrator can, on another host.',
          details: { client: name },
        });
      }
      draft.put('clients', name, clientRecord(`client ${quoteName(name)}`, fields, base));
    }
    return { clients };
  },
  recorded: shortened,
};

/**
 * Removes clients with their rights and requests.
 * @throws CfsError CLIENT_NOT_FOUND; CLIENT_IN_USE for one that is logged on, or still the writer of a volume
 */
export const clientRemove: Operation<{ name: string | readonly string[] }, { removed: string[] }> = {
  name: 'client.remove',
  run(draft, request) {
    requireAccessFormat(draft);
    const removed = distinctNames(request.name, (input) => requireClient(draft, input));
    requireIdle(draft, removed);
    removeClients(draft, removed);
    return { removed };
  },
  recorded: shortened,
};

/** @throws CfsError CLIENT_IN_USE for one that is logged on, or still the writer of a volume. Reads the table of writers. */
export function requireIdle(snapshot: Snapshot, clients: readonly string[]): void {
  const writes = new Map<string, string[]>(clients.map((client) => [client, []]));
  for (const [volume, { writer }] of snapshot.table('writers').entries()) writes.get(writer ?? '')?.push(volume);
  for (const [client, written] of writes) {
    if (!isLoggedOn(snapshot, client) && written.length === 0) continue;
    const why = written.length > 0 ? `is the writer of ${someNames(written)}` : 'is logged on';
    throw new CfsError('CLIENT_IN_USE', `Client ${quoteName(client)} ${why}`, {
      hint: `Log it off first: cfs client logoff ${client}`,
      details: { client, writes: written.slice(0, 20) },
    });
  }
}

/** Removes clients that are logged off, with every record that names them. Reads the whole tables. */
export function removeClients(draft: Draft, clients: readonly string[]): void {
  const gone = new Set(clients);
  for (const client of gone) {
    draft.remove('clients', client);
    if (draft.table('logons').has(client)) draft.remove('logons', client);
  }
  for (const table of ['access', 'mounts', 'requests'] as const) {
    for (const name of [...draft.table(table).names()]) if (gone.has(pairOf(name).client)) draft.remove(table, name);
  }
  for (const [volume, writer] of [...draft.table('writers').entries()]) {
    const queue = writer.queue.filter((name) => !gone.has(name));
    if (queue.length < writer.queue.length) draft.put('writers', volume, { ...writer, queue });
  }
}
