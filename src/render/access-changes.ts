/** Changes of access as sentences: `v1: c2 writes now, after c1`. */
import { ACCESS_TABLES, type AccessEvent, accessEvents } from '../core/access/changes.js';
import type { Store } from '../core/store/store.js';

/** Things that are named of those to which the same happened. */
const NAMED = 5;

/** What an event is about, what happened, and to which other thing: events that differ in one of the outer two are told once. */
function told(event: AccessEvent): [subject: string, text: string, object: string] {
  switch (event.kind) {
    case 'client':
      return [event.client, event.what === 'changed' ? 'set otherwise' : event.what, ''];
    case 'logon': {
      const why = event.reason === null ? '' : ` (${event.reason})`;
      return [event.client, { on: 'logged on', off: `logged off${why}`, gone: `is gone${why}` }[event.what], ''];
    }
    case 'right':
      return [event.client, RIGHTS[event.what], event.volume];
    case 'mount':
      return [event.volume, MOUNTS[event.what], event.client];
    case 'volume':
      return [event.volume, event.what === 'controlled' ? 'put under other rules' : event.what, ''];
    case 'writer':
      return [event.volume, writerText(event), ''];
    case 'yield': {
      const whom = event.to === null ? '' : ` to ${event.to}`;
      return [event.volume, `is about to pass from ${event.writer}${whom}${event.force ? ', by force' : ''}`, ''];
    }
    case 'kept':
      return [event.volume, 'stays with', event.writer];
    case 'modified':
      return [event.volume, event.writer === null ? 'was modified' : 'was modified by', event.writer ?? ''];
    case 'asked':
      return [event.volume, `asked for by ${event.client} of ${event.writer}${quoted(event.message)}`, ''];
    case 'answered':
      return [event.volume, `${ANSWERS[event.response]} ${event.client}${quoted(event.message)}`, ''];
  }
}

const RIGHTS = {
  allowed: 'may mount',
  denied: 'may no longer mount',
  'locked-out': 'may not ask to write',
  unlocked: 'may ask to write',
  refreshing: 'has its mount refreshed otherwise:',
} as const;

const MOUNTS = { mounted: 'mounted on', unmounted: 'unmounted on', refreshed: 'refreshed on' } as const;

const ANSWERS = {
  granted: 'granted to',
  denied: 'denied to',
  expired: 'left unanswered to',
  withdrawn: 'no longer asked for by',
} as const;

function quoted(message: string | null): string {
  return message === null ? '' : ` ("${message}")`;
}

function writerText({ from, to }: { from: string | null; to: string | null }): string {
  if (to === null) return `no longer written by ${from}`;
  return from === null ? `written by ${to} now` : `written by ${to} now, no longer by ${from}`;
}

/** One line for each thing that happened, with the names to which it happened: `c1, c2 may mount v1, v2`. */
export function accessLines(events: readonly AccessEvent[]): string[] {
  const bySubject = grouped(events.map(told), ([, text, object]) => `${text}\0${object}`);
  const subjects = bySubject.map(
    (same): Told => [[...new Set(same.map(([subject]) => subject))], same[0]![1], same[0]![2]],
  );
  return grouped(subjects, ([names, text]) => `${text}\0${names.join('\0')}`).map((same) => {
    const [names, text] = same[0]!;
    const objects = same.map(([, , object]) => object).filter((object) => object !== '');
    return [some(names), text, some(objects)].filter((part) => part !== '').join(' ');
  });
}

type Told = [names: string[], text: string, object: string];

function grouped<T>(items: readonly T[], keyOf: (item: T) => string): T[][] {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const key = keyOf(item);
    const known = groups.get(key);
    if (known === undefined) groups.set(key, [item]);
    else known.push(item);
  }
  return [...groups.values()];
}

function some(names: readonly string[]): string {
  const more = names.length > NAMED ? ` and ${names.length - NAMED} more` : '';
  return `${names.slice(0, NAMED).join(', ')}${more}`;
}

/** What generation `at` did to access. @throws CfsError GENERATION_NOT_FOUND where its details are not kept any more */
export function accessLinesOf(store: Store, at: number): string[] {
  return accessLines(accessEvents(store.changesOf(at, ACCESS_TABLES)));
}
