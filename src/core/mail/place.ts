/** Names below `mail/`, and reading one message. */
import { decodeName, encodeName } from '../membership/leases.js';
import { isSystemCallError } from '../platform/files.js';
import type { Place } from '../store/place.js';
import { readWhole, Unfit } from '../store/read-file.js';
import { systemError } from '../store/system-error.js';
import { decodeMessage, MAX_MESSAGE_BYTES, type MailMessage } from './message.js';

/** Where mail lies and what touches it; a store has it as `store.place`. */
export type MailPlace = Pick<Place, 'platform' | 'paths' | 'modes'>;

/** Most files in one mailbox; a sender that finds so many is refused. Senders at one time may exceed it by their number. */
export const MAX_MESSAGES = 1000;

/** `mail/NODE`, the name percent-encoded. */
export function mailboxPath({ paths }: MailPlace, node: string): string {
  return `${paths.mail}/${encodeName(node)}`;
}

/** Name of a message on its way into a mailbox: seen by nobody but whoever clears up. */
export function temporaryMessageName(id: string, nonce: string): string {
  return `.${id}.${nonce}.tmp`;
}

export function isTemporaryMessageName(name: string): boolean {
  return /^\.[0-9a-f]{32}\.[0-9a-f]{16}\.tmp$/.test(name);
}

/** Names in a node's mailbox, of whatever kind; one that was never written to is empty. @throws CfsError of the system */
export function listMailbox(place: MailPlace, node: string): string[] {
  return list(place, mailboxPath(place, node));
}

/** Nodes that have a mailbox. @throws CfsError of the system */
export function listMailboxes(place: MailPlace): string[] {
  return list(place, place.paths.mail)
    .map(decodeName)
    .filter((node) => node !== null);
}

function list({ platform }: MailPlace, path: string): string[] {
  try {
    return platform.files.list('mail.list', path);
  } catch (error) {
    if (isSystemCallError(error, 'ENOENT', 'ENOTDIR')) return [];
    throw systemError(error, 'list', path);
  }
}

/**
 * Reads a message. `gone`: somebody removed it meanwhile.
 * @throws CfsError of the system: it may be whole, and cannot be read now
 */
export function readMessage(place: MailPlace, node: string, id: string): MailMessage | { damaged: string } | 'gone' {
  const path = `${mailboxPath(place, node)}/${id}`;
  try {
    return decodeMessage(readWhole(place.platform.files, 'mail', path, MAX_MESSAGE_BYTES), id, node);
  } catch (error) {
    if (error instanceof Unfit) return { damaged: `it ${error.message}` };
    if (isSystemCallError(error, 'ENOENT', 'ESTALE')) return 'gone';
    throw systemError(error, 'read', path);
  }
}

/** Removes a file of a mailbox; it may be gone already. @throws CfsError of the system */
export function removeMail(place: MailPlace, node: string, file: string): void {
  const path = `${mailboxPath(place, node)}/${file}`;
  try {
    place.platform.files.unlink('mail.unlink', path);
  } catch (error) {
    if (!isSystemCallError(error, 'ENOENT')) throw systemError(error, 'remove', path);
  }
}
