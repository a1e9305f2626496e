/** Finding nodes, volumes and clients by what somebody typed. The exact spelling costs one look-up; only a miss looks further. */
import { CfsError } from '../errors.js';
import type { Snapshot } from '../store/store.js';
import { parseName, quoteName } from './names.js';
import { didYouMean } from './suggest.js';

const CODES = { node: 'NODE_NOT_FOUND', volume: 'VOLUME_NOT_FOUND', client: 'CLIENT_NOT_FOUND' } as const;

function require(snapshot: Snapshot, kind: keyof typeof CODES, input: string): string {
  const table = `${kind}s` as const;
  const view = snapshot.table(table);
  if (typeof input === 'string' && input.length <= 80 && view.has(input)) return input;
  const name = parseName(kind, input);
  if (name !== input && view.has(name)) return name;
  throw new CfsError(CODES[kind], `There is no ${kind} ${quoteName(input)} in generation ${snapshot.generation}`, {
    hint: didYouMean(name, view.names(), `See cfs ${kind} list.`),
    details: { [kind]: name, generation: snapshot.generation },
  });
}

/** The name under which the node stands in the table. @throws CfsError NODE_NOT_FOUND, BAD_NAME, RESERVED_NAME */
export function requireNode(snapshot: Snapshot, input: string): string {
  return require(snapshot, 'node', input);
}

/** The name under which the volume stands in the table. @throws CfsError VOLUME_NOT_FOUND, BAD_NAME, RESERVED_NAME */
export function requireVolume(snapshot: Snapshot, input: string): string {
  return require(snapshot, 'volume', input);
}

/** The name under which the client stands in the table. @throws CfsError CLIENT_NOT_FOUND, BAD_NAME, RESERVED_NAME */
export function requireClient(snapshot: Snapshot, input: string): string {
  return require(snapshot, 'client', input);
}

/** `"a", "b" and 3 more`: at most five names, for messages. */
export function someNames(names: readonly string[]): string {
  const shown = names.slice(0, 5).map(quoteName).join(', ');
  return names.length > 5 ? `${shown} and ${names.length - 5} more` : shown;
}

/** `1 volume`, `3 volumes`. */
export function countOf(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
