/**
 * How a right to write may end: by an operation that says of this very right that its mount is read-only, or that its holder is gone.
 * Anything else that takes a writer away is a violation.
 */
import type { WritersState } from './writers-state.js';

export interface EndingRight {
  volume: string;
  client: string;
  since: number;
}

export interface Ending {
  operation: string;
  /** As history holds it. */
  request: unknown;
  before: WritersState;
  after: WritersState;
}

type Fields = Record<string, unknown>;

/** Requests hold one name or several. Long lists are shortened to their count: they prove nothing. */
function names(value: unknown, wanted: string): boolean {
  return Array.isArray(value) ? value.includes(wanted) : value === wanted;
}

/** Why it is no proper end; null: it is one. */
type Judge = (request: Fields, right: EndingRight, ending: Ending) => string | null;

const madeReadOnly: Judge = (request, { client }) => {
  if (request.client !== client) return `it speaks of client ${String(request.client)}`;
  return request.readOnly === true ? null : 'nobody said that the mount is read-only';
};

const ofVolume =
  (judge: Judge): Judge =>
  (request, right, ending) =>
    names(request.volume, right.volume) ? judge(request, right, ending) : 'it speaks of another volume';

const readOnlyOnes: Judge = (request, { client }) =>
  names(request.readOnly, client) ? null : 'nobody said that the mount is read-only';

const lapsed =
  (listed: (request: Fields) => unknown): Judge =>
  (request, { client }, { after }) => {
    const list = listed(request);
    const clients = (Array.isArray(list) ? list : []).map((item: unknown) =>
      typeof item === 'string' ? item : (item as Fields).client,
    );
    if (!clients.includes(client)) return 'nobody found it gone';
    if (after.isLoggedOn(client)) return 'it is still logged on';
    return after.get('logons', client)?.lease === undefined ? 'no lease of it is recorded as lapsed' : null;
  };

const JUDGES: Record<string, Judge> = {
  'volume.respond': ofVolume((request, { client }) => {
    if (request.by !== null && request.by !== client) return `it was answered by ${String(request.by)}`;
    if (request.grant !== true) return 'the answer was no';
    return request.readOnly === true ? null : 'nobody said that the mount is read-only';
  }),
  'volume.release-write': ofVolume(madeReadOnly),
  'volume.unmount': ofVolume(madeReadOnly),
  'client.logoff': madeReadOnly,
  'volume.deny': ofVolume(readOnlyOnes),
  'volume.control': ofVolume(readOnlyOnes),
  'client.lapsed': lapsed((request) => request.clients),
  'volume.request-write': lapsed((request) => request.gone),
  'volume.given-up': (request, { volume, client, since }, { before }) => {
    const items = (Array.isArray(request.volumes) ? request.volumes : []) as Fields[];
    const item = items.find((one) => one.volume === volume && one.since === since);
    if (request.client !== client || item === undefined) return 'it speaks of another right';
    if (item.problem !== null) return 'its mount could not be made read-only';
    return before.keepsWriting(volume, client) ? 'nobody had asked it to give up' : null;
  },
};

export function whyNoProperEnd(right: EndingRight, ending: Ending): string | null {
  const judge = Object.hasOwn(JUDGES, ending.operation) ? JUDGES[ending.operation] : undefined;
  if (judge === undefined) return `${ending.operation} ends no right`;
  return judge((ending.request ?? {}) as Fields, right, ending);
}
