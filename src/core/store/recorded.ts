/** What a commit says of itself, kept within bounds: a manifest that grew too large could not be read back (R2). */
import type { Actor, CommitInfo } from './store.js';

/** Longest request that is kept, in characters of JSON; bulk input stands in the changes already. */
const LONGEST_REQUEST = 64 * 1024;
const LONGEST_COMMAND = 4 * 1024;

export interface Recorded {
  op: string;
  request: unknown;
  message: string | null;
  actor: Actor;
}

/** A request that is too long is replaced by `{"omittedCharacters":n}`, a command line that is too long is cut. */
export function recorded(info: CommitInfo, actor: Actor): Recorded {
  const length = info.request === undefined ? 0 : (JSON.stringify(info.request) ?? '').length;
  const isLong = actor.command.length > LONGEST_COMMAND;
  return {
    op: info.operation,
    request: length > LONGEST_REQUEST ? { omittedCharacters: length } : (info.request ?? null),
    message: info.message ?? null,
    actor: isLong ? { ...actor, command: `${actor.command.slice(0, LONGEST_COMMAND)}…` } : actor,
  };
}
