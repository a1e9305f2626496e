/**
 * Sending. What is promised:
 *
 * - Durable: when `sendMail` returns, the message survives power loss, as far as the file system honours fsync.
 * - At least once: it lies in the mailbox until the recipient has handled it, or until it expires.
 * - Idempotent: the sender gives the id; sending the same id again delivers nothing twice while the first one lies there, and
 *   what was handled before the second came is known to the recipient by its id (mailbox.ts: the newest 1,024 for certain).
 * - Whole or not at all: written under a temporary name, flushed, put in place by an exclusive link.
 * - Bounded: a message has at most 64 KiB, a mailbox about 1,000 messages; a full one refuses (MAILBOX_FULL) and loses nothing.
 * - Expiring: see MailMessage.ttlMs, and sweeper.ts for mailboxes that nobody reads.
 *
 * Not promised: an order, an answer, or that anybody reads it; a message that expires is dropped, and the recipient's log says so.
 */
import { CfsError } from '../errors.js';
import { quoteName } from '../model/names.js';
import { isSystemCallError, type Label } from '../platform/files.js';
import { systemError } from '../store/system-error.js';
import { flushDirectory, writeNew } from '../store/write-file.js';
import { DEFAULT_TTL_MS, encodeMessage, type MailMessage } from './message.js';
import { listMailbox, MAX_MESSAGES, type MailPlace, mailboxPath, temporaryMessageName } from './place.js';

export interface MailRequest extends Pick<MailMessage, 'from' | 'to' | 'kind' | 'body'> {
  /** Default: a new one. The same one again is the same message. */
  id?: string;
  /** Default: DEFAULT_TTL_MS. */
  ttlMs?: number;
}

export interface Sent {
  message: MailMessage;
  /** False: it lay there already. */
  isNew: boolean;
}

const NOTHING = 'the message was not sent';

/**
 * Sends a message. Nobody checks here whether the node is in the cluster.
 * @throws CfsError BAD_VALUE, MAILBOX_FULL, NO_SPACE and others of the system: not sent; COMMIT_UNSURE: it may have been sent,
 * and may be sent again under its id, which the details hold
 */
export function sendMail(place: MailPlace, request: MailRequest): Sent {
  const { files, random, clock } = place.platform;
  const { from, to, kind, body, id = random.hex(16), ttlMs = DEFAULT_TTL_MS } = request;
  const message: MailMessage = { id, from, to, kind, body, sent: new Date(clock.nowMs()).toISOString(), ttlMs };
  const bytes = encodeMessage(message);
  const box = mailboxPath(place, to);
  makeMailbox(place, box);
  checkRoom(place, message);
  const temporary = `${box}/${temporaryMessageName(id, random.hex(8))}`;
  try {
    try {
      writeNew(files, 'mail', temporary, bytes, place.modes.file);
    } catch (error) {
      throw systemError(error, 'write', temporary, NOTHING);
    }
    const isNew = put(place, message, temporary, `${box}/${id}`);
    try {
      flushDirectory(files, 'mailbox', box);
    } catch (error) {
      throw unsure(message, 'it lies in the mailbox but may not be on disk', error);
    }
    return { message, isNew };
  } finally {
    discard(place, temporary);
  }
}

/** @returns false when the message lies there already */
function put({ platform }: MailPlace, message: MailMessage, temporary: string, target: string): boolean {
  try {
    platform.files.link('mail.link', temporary, target);
    return true;
  } catch (error) {
    if (isSystemCallError(error, 'EEXIST')) return false;
    if (!isSystemCallError(error)) throw error;
    let isAbsent: boolean;
    try {
      isAbsent = platform.files.isAbsent('mail.relook', target);
    } catch (e) {
      throw unsure(message, 'the link failed, and its place cannot be looked at', e);
    }
    // A network file system may lose the reply of a link that was made; nobody else uses this id for anything else.
    if (!isAbsent) return true;
    // A recipient may have taken it already: it was sent, or it was not.
    if (isSystemCallError(error, 'ENOSPC', 'EDQUOT', 'EROFS', 'EACCES', 'EPERM')) {
      throw systemError(error, 'link', target, NOTHING);
    }
    throw unsure(message, 'the link failed', error);
  }
}

/** `mail/` and `mail/NODE`, on disk before anything in them counts, whoever made them. */
function makeMailbox(place: MailPlace, box: string): void {
  const { paths, modes } = place;
  const { files } = place.platform;
  for (const [path, parent] of [
    [paths.mail, paths.root],
    [box, paths.mail],
  ] as const) {
    try {
      make(place, path, modes.directory);
      flushDirectory(files, 'mail-parent', parent);
    } catch (error) {
      throw systemError(error, 'make', path, NOTHING);
    }
  }
}

/** The mode is set explicitly, whatever the umask. */
function make({ platform: { files } }: MailPlace, path: string, mode: number): void {
  const label: Label = 'mail.mkdir';
  try {
    files.mkdir(label, path, mode);
  } catch (error) {
    if (isSystemCallError(error, 'EEXIST')) return;
    throw error;
  }
  files.chmod('mail.chmod', path, mode);
}

function checkRoom(place: MailPlace, { id, to }: MailMessage): void {
  const names = listMailbox(place, to);
  if (names.length < MAX_MESSAGES || names.includes(id)) return;
  throw new CfsError('MAILBOX_FULL', `the mailbox of node ${quoteName(to)} is full: ${names.length} messages`, {
    hint: 'Its agent takes messages out when it runs; or read them: cfs mail read',
    details: { node: to, messages: names.length, most: MAX_MESSAGES },
  });
}

function unsure({ id, to }: MailMessage, why: string, cause: unknown): CfsError {
  return new CfsError('COMMIT_UNSURE', `message ${id} may or may not have been sent: ${why}`, {
    hint: `Send it again under its id, it is delivered once: cfs mail send --id ${id}`,
    ...(isSystemCallError(cause) ? { errno: cause.code } : {}),
    details: { id, node: to },
    cause,
  });
}

/** What cannot be removed now, a sweeper removes; an earlier error is the one to report. */
function discard({ platform }: MailPlace, temporary: string): void {
  try {
    platform.files.unlink('mail.unlink-temporary', temporary);
  } catch (error) {
    if (!isSystemCallError(error)) throw error;
  }
}
