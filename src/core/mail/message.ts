/** A message from one node to another, as it lies in `mail/NODE/ID` (DESIGN.md, "The shared directory"). */
import { CfsError } from '../errors.js';
import { parseName, quoteName } from '../model/names.js';
import { formatDuration } from '../model/units.js';

export interface MailMessage {
  /** Unique; the same message delivered twice has the same one. */
  id: string;
  from: string;
  to: string;
  /** What it is: `note` (for people), later `write-request`, `redirect`, `resubmit` … */
  kind: string;
  /** Plain JSON, small. */
  body: unknown;
  /** RFC 3339, the sender's clock; information only. */
  sent: string;
  /** How long the recipient may still use it, ms, counted by the recipient's own clock from when it first saw it. */
  ttlMs: number;
}

/** Longest message, as it lies in its file, bytes. */
export const MAX_MESSAGE_BYTES = 64 * 1024;
/** Shortest and longest time that a message may be kept, ms. */
export const MIN_TTL_MS = 1000;
export const MAX_TTL_MS = 7 * 86_400_000;
/** How long a message is kept where the sender does not say, ms. */
export const DEFAULT_TTL_MS = 600_000;

const ID = /^[0-9a-f]{32}$/;
const KIND = /^[a-z][a-z0-9-]{0,39}$/;

/** Whether a file name is the name of a message: 128 random bits in hexadecimal. */
export function isMessageId(name: string): boolean {
  return ID.test(name);
}

/** What is wrong with a message, or null. One sentence without its subject. */
function fault(value: unknown): string | null {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return 'it is no object';
  const { id, from, to, kind, body, sent, ttlMs, ...rest } = value as Record<string, unknown>;
  if (typeof id !== 'string' || !isMessageId(id)) return 'its id is not 32 hexadecimal digits';
  if (typeof from !== 'string' || from === '' || from.length > 255) return 'it does not say who sent it';
  if (typeof to !== 'string' || !isNodeName(to)) return 'it does not say to which node it goes';
  if (typeof kind !== 'string' || !KIND.test(kind)) return 'its kind is not a word such as note or write-request';
  if (body === undefined) return 'it has no body';
  if (typeof sent !== 'string' || Number.isNaN(Date.parse(sent))) return 'it does not say when it was sent';
  if (typeof ttlMs !== 'number' || !Number.isInteger(ttlMs) || ttlMs < MIN_TTL_MS || ttlMs > MAX_TTL_MS) {
    return `its time to live is not from ${formatDuration(MIN_TTL_MS)} to ${formatDuration(MAX_TTL_MS)}`;
  }
  const unknown = Object.keys(rest)[0];
  return unknown === undefined ? null : `it has a field ${quoteName(unknown)} that nobody knows`;
}

function isNodeName(text: string): boolean {
  try {
    return parseName('node', text) === text;
  } catch {
    return false;
  }
}

/** The bytes of a message's file: one line of JSON. @throws CfsError BAD_VALUE */
export function encodeMessage(message: MailMessage): Buffer {
  const { id, from, to, kind, body, sent, ttlMs } = message;
  const text = JSON.stringify({ id, from, to, kind, body, sent, ttlMs });
  const wrong = fault(JSON.parse(text));
  if (wrong !== null) throw new CfsError('BAD_VALUE', `the message cannot be sent: ${wrong}`);
  const bytes = Buffer.from(`${text}\n`);
  if (bytes.length > MAX_MESSAGE_BYTES) {
    throw new CfsError('BAD_VALUE', `the message has ${bytes.length} bytes, more than ${MAX_MESSAGE_BYTES}`, {
      hint: 'Put what is long elsewhere and send where it is.',
      details: { bytes: bytes.length, most: MAX_MESSAGE_BYTES },
    });
  }
  return bytes;
}

/** The message of a file, or why it is none: it is cut short, not ours, or not what its name says. */
export function decodeMessage(bytes: Uint8Array, id: string, to: string): MailMessage | { damaged: string } {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
  if (!text.endsWith('\n')) return { damaged: 'it is cut short' };
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { damaged: 'it is not JSON' };
  }
  const wrong = fault(value);
  if (wrong !== null) return { damaged: wrong };
  const message = value as MailMessage;
  if (message.id !== id) return { damaged: 'it is the message of another name' };
  if (message.to !== to) return { damaged: `it is for node ${quoteName(message.to)}` };
  return message;
}
