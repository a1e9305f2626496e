/**
 * Tickets: `joins/NODE.SEQ`, made by a node's agent that wants to be taken in (FIG. 10B, process 1042). Whoever takes the lock
 * takes all of them in at once. One writer rule as for leases: only NODE's agent makes and removes names of NODE. Empty files;
 * not flushed, since an agent that comes up after a power cut makes a new one.
 */
import { isSystemCallError } from '../platform/files.js';
import type { Platform } from '../platform/platform.js';
import type { Place } from '../store/place.js';
import { decodeName, encodeName } from './leases.js';

const TICKET = /^(.+)\.(0|[1-9]\d{0,15})$/;
/** A listing may lag behind on a shared file system; so many numbers are tried. */
const MOST_TRIES = 100;

/** Where tickets lie and what touches them; a store has it as `store.place`. `joins/` is made by the agent (OwnLease.prepare). */
export type TicketPlace = Pick<Place, 'platform' | 'paths' | 'modes'>;

/** Node and number of a ticket's name; null: it is none. */
export function parseTicketName(file: string): { node: string; seq: number } | null {
  const match = TICKET.exec(file);
  const node = match === null ? null : decodeName(match[1]!);
  return node === null ? null : { node, seq: Number(match![2]) };
}

/** Every node's newest ticket. A directory that is not there yet holds none. One listing. @throws SystemCallError */
export function listTickets(platform: Platform, dir: string): Map<string, number> {
  const newest = new Map<string, number>();
  for (const file of namesIn(platform, dir)) {
    const ticket = parseTicketName(file);
    if (ticket !== null && ticket.seq >= (newest.get(ticket.node) ?? 0)) newest.set(ticket.node, ticket.seq);
  }
  return newest;
}

/**
 * Makes a ticket of the node with a number above those that are there, then removes its older ones. Gives its number.
 * @throws SystemCallError when there is no new ticket
 */
export function writeTicket({ platform, paths, modes }: TicketPlace, node: string): number {
  const { files } = platform;
  let seq = listTickets(platform, paths.joins).get(node) ?? 0;
  for (let tries = 1; ; tries++) {
    seq += 1;
    try {
      const fd = files.openNew('ticket.create', `${paths.joins}/${encodeName(node)}.${seq}`, modes.file);
      files.close('ticket.close', fd);
      break;
    } catch (error) {
      if (!isSystemCallError(error, 'EEXIST') || tries === MOST_TRIES) throw error;
    }
  }
  removeTickets({ platform, paths, modes }, node, seq);
  return seq;
}

/**
 * Removes the node's tickets; with `below` only those of lower numbers. Gives whether all are gone: a failure is no reason to
 * stop, the caller tries again some time.
 */
export function removeTickets(
  { platform, paths }: TicketPlace,
  node: string,
  below = Number.POSITIVE_INFINITY,
): boolean {
  let isGone = true;
  try {
    for (const file of namesIn(platform, paths.joins)) {
      const ticket = parseTicketName(file);
      if (ticket?.node === node && ticket.seq < below) isGone = removed(platform, `${paths.joins}/${file}`) && isGone;
    }
  } catch (error) {
    if (!isSystemCallError(error)) throw error;
    isGone = false;
  }
  return isGone;
}

function removed({ files }: Platform, path: string): boolean {
  try {
    files.unlink('ticket.unlink', path);
    return true;
  } catch (error) {
    if (!isSystemCallError(error)) throw error;
    return error.code === 'ENOENT';
  }
}

function namesIn({ files }: Platform, dir: string): string[] {
  try {
    return files.list('ticket.list', dir);
  } catch (error) {
    if (isSystemCallError(error, 'ENOENT')) return [];
    throw error;
  }
}
