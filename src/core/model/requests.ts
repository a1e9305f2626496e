/** Schema of table `requests` (1354, 1360, 1362): the newest write request of a client for a volume. */
import * as v from 'valibot';
import { nameRule, ruled } from './schema.js';
import { RESPONSES, type RequestRecord, type RequestResponse } from './tables.js';
import { descriptionRule, generationRule, timeRule } from './values.js';

export const requestSchema: v.GenericSchema<RequestRecord> = v.pipe(
  v.strictObject({
    asked: ruled<number>(generationRule),
    askedAt: ruled<string>(timeRule),
    to: ruled<string>(nameRule),
    message: ruled<string | null>(descriptionRule),
    limitMs: ruled<number>((value) =>
      Number.isSafeInteger(value) && (value as number) > 0 ? null : 'it is a time in whole ms',
    ),
    response: ruled<RequestResponse>((value) =>
      RESPONSES.includes(value as RequestResponse) ? null : `a response is one of ${RESPONSES.join(', ')}`,
    ),
    responseMessage: ruled<string | null>(descriptionRule),
    answeredAt: ruled<string | null>((value) => (value === null ? null : timeRule(value))),
  }),
  v.check(
    (record) => (record.response === 'pending') === (record.answeredAt === null),
    'it has the time of its answer when it has an answer',
  ),
);
