/** Totals of access control, and what needs a person there. Costs nothing where no client was ever added. */
import { mustGiveUp } from '../access/desired.js';
import { isLoggedOn } from '../access/look.js';
import { pairName } from '../access/pair.js';
import { countOf, someNames } from '../model/find.js';
import { naturalCompare } from '../model/names.js';
import type { Snapshot } from '../store/store.js';
import type { Alarm } from './alarms.js';

export interface AccessStatus {
  clients: { total: number; loggedOn: number };
  /** Volumes that have a writer. */
  writers: number;
  /** Write requests that wait for an answer. */
  pendingRequests: number;
}

/** Reads the tables of logons and writers, where there are clients. */
export function accessStatus(snapshot: Snapshot): AccessStatus {
  const status: AccessStatus = {
    clients: { total: snapshot.table('clients').count, loggedOn: 0 },
    writers: 0,
    pendingRequests: 0,
  };
  if (status.clients.total === 0) return status;
  for (const [, { loggedOn }] of snapshot.table('logons').entries()) if (loggedOn) status.clients.loggedOn += 1;
  for (const [, { writer, queue }] of snapshot.table('writers').entries()) {
    if (writer !== null) status.writers += 1;
    status.pendingRequests += queue.length;
  }
  return status;
}

/** A request that has waited for so many times its limit is told; agents end it at one. */
const LATE_LIMITS = 1.5;

/**
 * Rights to write that nobody can have, since their writer is off or unmounted and has not given them up; and requests that should have
 * ended: no agent looks after them. For people: the age of a request compares this host's clock with that of whoever asked.
 * @param nowMs wall-clock time, ms
 */
export function accessAlarms(snapshot: Snapshot, nowMs: number): Alarm[] {
  if (snapshot.table('clients').count === 0) return [];
  const off: string[] = [];
  const unmounted: string[] = [];
  const late: string[] = [];
  for (const [volume, { writer, yields, queue }] of snapshot.table('writers').entries()) {
    if (writer !== null && !isLoggedOn(snapshot, writer)) off.push(`${volume}/${writer}`);
    // One that yields is about to: its agent tells when it cannot.
    else if (writer !== null && yields === undefined && mustGiveUp(snapshot, volume, writer)) {
      unmounted.push(`${volume}/${writer}`);
    }
    for (const client of queue) {
      const name = pairName(volume, client);
      const request = snapshot.table('requests').get(name);
      if (request !== undefined && nowMs - Date.parse(request.askedAt) > LATE_LIMITS * request.limitMs) late.push(name);
    }
  }
  const alarms: Alarm[] = [];
  const tell = (names: string[], says: (names: string) => string): void => {
    if (names.length > 0) alarms.push({ health: 'WARNING', message: says(someNames(names.sort(naturalCompare))) });
  };
  tell(off, (names) => `${countOf(off.length, 'right')} to write of clients that are logged off: ${names}`);
  tell(unmounted, (names) => `${countOf(unmounted.length, 'right')} to write that must be given up: ${names}`);
  tell(late, (names) => `${countOf(late.length, 'write request')} past the time limit: ${names}`);
  return alarms;
}
