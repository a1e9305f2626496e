/** Operations on the cluster's settings: set and unset, freeze and unfreeze. */
import { CfsError } from '../errors.js';
import { quoteName } from '../model/names.js';
import { checkCrossRules, parseSetting, requireSetting } from '../model/settings.js';
import type { FreezeValue } from '../model/tables.js';
import { checkValue, descriptionRule } from '../model/values.js';
import type { Operation } from '../operation.js';
import type { Snapshot } from '../store/store.js';

/** Sets several settings at once; values as text (`30s`) or as stored. */
export const clusterSet: Operation<{ settings: Record<string, string | number> }, { set: string[] }> = {
  name: 'cluster.set',
  run(draft, request) {
    const entries = Object.entries(request.settings);
    for (const [name, input] of entries) draft.put('cluster', name, { value: parseSetting(name, input) });
    checkCrossRules(draft);
    return { set: entries.map(([name]) => name) };
  },
};

/** Returns settings to their defaults. */
export const clusterUnset: Operation<{ names: readonly string[] }, { unset: string[] }> = {
  name: 'cluster.unset',
  run(draft, request) {
    for (const name of request.names) {
      if (requireSetting(name).name === 'name') {
        throw new CfsError('BAD_VALUE', 'The name of the cluster cannot be unset', {
          hint: 'Give it another one: cfs cluster set name=NAME',
        });
      }
      if (draft.table('cluster').has(name)) draft.remove('cluster', name);
    }
    checkCrossRules(draft);
    return { unset: [...request.names] };
  },
};

export interface FreezeRequest {
  /** When it ends, RFC 3339 with any offset; null: when somebody ends it. */
  until: string | null;
  reason?: string | null;
}

/** Stops every automatic action until a time, or until unfrozen. A second freeze replaces the first. */
export const clusterFreeze: Operation<FreezeRequest, FreezeValue> = {
  name: 'cluster.freeze',
  run(draft, request, context) {
    const until = request.until === null ? null : parseTime(request.until);
    if (until !== null && until <= context.nowMs) {
      throw new CfsError('BAD_VALUE', `The cluster cannot be frozen until ${quoteName(request.until!)}: that is over`, {
        hint: 'Give a time to come, or how long it lasts: --for 2h',
        details: { until: request.until, now: new Date(context.nowMs).toISOString() },
      });
    }
    const value: FreezeValue = {
      until: until === null ? null : new Date(until).toISOString(),
      reason: checkValue('the freeze', 'reason', request.reason ?? null, descriptionRule),
    };
    draft.put('cluster', 'freeze', { value });
    return value;
  },
};

/** Ends a freeze; where there is none nothing changes. */
export const clusterUnfreeze: Operation<Record<string, never>, { ended: FreezeValue | null }> = {
  name: 'cluster.unfreeze',
  run(draft) {
    const ended = (draft.table('cluster').get('freeze')?.value as FreezeValue | undefined) ?? null;
    if (ended !== null) draft.remove('cluster', 'freeze');
    return { ended };
  },
};

/** The freeze that holds at `nowMs` (wall clock, ms since the epoch), or null. */
export function freezeOf(snapshot: Snapshot, nowMs: number): FreezeValue | null {
  const value = snapshot.table('cluster').get('freeze')?.value as FreezeValue | undefined;
  if (value === undefined) return null;
  return value.until === null || Date.parse(value.until) > nowMs ? value : null;
}

const TIME = /^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:\d{2})$/;

/** A point in time, ms since the epoch. @throws CfsError BAD_VALUE */
function parseTime(text: string): number {
  const ms = TIME.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(ms)) {
    throw new CfsError('BAD_VALUE', `${quoteName(text)} is not a time`, {
      hint: 'A time is written like 2030-01-31T18:00:00Z or 2030-01-31T18:00+01:00.',
    });
  }
  return ms;
}
