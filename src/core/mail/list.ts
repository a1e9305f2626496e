/** What lies in mailboxes, for people and for monitoring. */
import { naturalCompare } from '../model/names.js';
import type { MailMessage } from './message.js';
import { isMessageId } from './message.js';
import { isTemporaryMessageName, listMailbox, listMailboxes, type MailPlace, readMessage } from './place.js';

/** A file in a mailbox: a message, or why it is none. */
export interface MailItem {
  node: string;
  file: string;
  message: MailMessage | null;
  problem: string | null;
}

/** The mailbox of a node, oldest first by the senders' clocks; then what is damaged or foreign. @throws CfsError of the system */
export function readMailbox(place: MailPlace, node: string): MailItem[] {
  const items: MailItem[] = [];
  for (const file of listMailbox(place, node)) {
    if (isTemporaryMessageName(file)) continue;
    if (!isMessageId(file)) {
      items.push({ node, file, message: null, problem: 'no message' });
      continue;
    }
    const read = readMessage(place, node, file);
    if (read === 'gone') continue;
    if ('damaged' in read) items.push({ node, file, message: null, problem: `damaged: ${read.damaged}` });
    else items.push({ node, file, message: read, problem: null });
  }
  const key = ({ message, file }: MailItem): string => (message === null ? `~${file}` : `${message.sent} ${file}`);
  return items.sort((a, b) => (key(a) < key(b) ? -1 : 1));
}

/** How many messages wait for each node that has any; names only, nothing is read. @throws CfsError of the system */
export function countMail(place: MailPlace): Map<string, number> {
  const counts = new Map<string, number>();
  for (const node of listMailboxes(place).sort(naturalCompare)) {
    counts.set(node, listMailbox(place, node).filter(isMessageId).length);
  }
  return counts;
}
