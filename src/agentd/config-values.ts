/** Values that more than one part of the agent's configuration has. */
import { isAbsolute } from 'node:path';
import * as v from 'valibot';
import { parseDuration } from '../core/model/units.js';

export const absolutePath = v.pipe(v.string(), v.check(isAbsolute, 'is no absolute path'));

/** Text such as `30s`; gives milliseconds. */
export const duration = v.pipe(
  v.string(),
  v.rawTransform(({ dataset, addIssue, NEVER }) => {
    try {
      const ms = parseDuration('it', dataset.value);
      if (ms >= 100 && ms <= 3_600_000) return ms;
      addIssue({ message: 'is not from 100ms to 1h' });
    } catch {
      addIssue({ message: 'is no duration such as 30s' });
    }
    return NEVER;
  }),
);
