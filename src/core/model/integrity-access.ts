/**
 * The part of integrity.ts for access control: records of volumes and clients that are there, mounts that are allowed, and a queue that
 * is exactly the pending requests, in the order of asking. A writer may be one that must give up: it may have no mount any more.
 */
import type { Snapshot } from '../store/store.js';
import { quoteName } from './names.js';
import type { TableName } from './tables.js';

type Add = (table: TableName, name: string, says: string) => void;

/** Reads everything; costs nothing where no client has ever been. */
export function checkAccess(snapshot: Snapshot, add: Add): void {
  const { generation } = snapshot;
  const volumes = snapshot.table('volumes');
  const clients = snapshot.table('clients');
  const logons = snapshot.table('logons');
  const access = snapshot.table('access');
  const future = (table: TableName, name: string, field: string, value: number): void => {
    if (value > generation) add(table, name, `its ${field} ${value} is in the future`);
  };

  for (const name of logons.names()) if (!clients.has(name)) add('logons', name, 'there is no such client');
  for (const table of ['access', 'mounts', 'requests'] as const) {
    for (const name of snapshot.table(table).names()) {
      const { volume, client } = partsOf(name);
      if (!volumes.has(volume)) add(table, name, `there is no volume ${quoteName(volume)}`);
      if (!clients.has(client)) add(table, name, `there is no client ${quoteName(client)}`);
    }
  }
  for (const [name, { refreshed }] of snapshot.table('mounts').entries()) {
    if (logons.get(partsOf(name).client)?.loggedOn !== true) add('mounts', name, 'the client is not logged on');
    if (access.get(name)?.mount !== true) add('mounts', name, 'the client may not mount the volume');
    future('mounts', name, 'refreshed', refreshed);
  }
  for (const table of ['volumeAccess', 'writers'] as const) {
    for (const name of snapshot.table(table).names())
      if (!volumes.has(name)) add(table, name, 'there is no such volume');
  }
  for (const [name, { asked, response }] of snapshot.table('requests').entries()) {
    future('requests', name, 'asked', asked);
    const { volume, client } = partsOf(name);
    const isQueued = snapshot.table('writers').get(volume)?.queue.includes(client) ?? false;
    if (response === 'pending' && !isQueued) add('requests', name, 'it is pending, and not in the queue of its volume');
  }
  checkWriters(snapshot, add, future);
}

function checkWriters(
  snapshot: Snapshot,
  add: Add,
  future: (table: TableName, name: string, field: string, value: number) => void,
): void {
  const clients = snapshot.table('clients');
  const requests = snapshot.table('requests');
  for (const [name, { writer, since, yields, queue, modified }] of snapshot.table('writers').entries()) {
    const says = (what: string): void => add('writers', name, what);
    if (writer !== null && !clients.has(writer)) says(`there is no client ${quoteName(writer)}, which writes it`);
    future('writers', name, 'since', since);
    future('writers', name, 'modified', modified);
    let last = 0;
    for (const client of queue) {
      if (!clients.has(client)) says(`there is no client ${quoteName(client)}, which waits`);
      const request = requests.get(`${name}/${client}`);
      if (request?.response !== 'pending') {
        says(`client ${quoteName(client)} waits without a pending request`);
        continue;
      }
      if (request.asked < last) says(`client ${quoteName(client)} asked before one that it waits behind`);
      last = request.asked;
    }
    const to = yields?.to ?? null;
    if (to !== null && queue[0] !== to) says(`it is to pass on to ${quoteName(to)}, which is not the first that waits`);
  }
}

function partsOf(pair: string): { volume: string; client: string } {
  const at = pair.indexOf('/');
  return { volume: pair.slice(0, at), client: pair.slice(at + 1) };
}
