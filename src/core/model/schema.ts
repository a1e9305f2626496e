/** What the schemas are built of. Loaded on the change path only: reading never validates. */
import * as v from 'valibot';
import { isAllDomains } from './declared.js';
import { ALL_DOMAINS } from './defaults.js';
import { parseName } from './names.js';
import { MAX_LIST, type Rule, showValue } from './values.js';

/** A field for which a rule of values.ts decides; its sentence is the message. */
export function ruled<T>(rule: Rule): v.GenericSchema<T> {
  return v.custom<T>(
    (value) => rule(value) === null,
    (issue) => `${showValue(issue.input)} is not allowed: ${rule(issue.input)}`,
  );
}

/** A name as records hold it: NFC, within the rules for names. */
export const nameRule: Rule = (value) => {
  try {
    return parseName('record', value as string) === value ? null : 'it is not in Unicode form NFC';
  } catch (error) {
    return (error as Error).message;
  }
};

/** A list of different declared names. `domains` may hold the word ALL. */
export function namesField(table: 'groups' | 'domains'): v.GenericSchema<string[]> {
  return ruled<string[]>((value) => {
    if (!Array.isArray(value) || value.length > MAX_LIST) return `it is a list of at most ${MAX_LIST} ${table}`;
    if (new Set(value).size !== value.length) return 'it names something twice';
    for (const name of value) {
      if (table === 'domains' && isAllDomains(name)) {
        if (name !== ALL_DOMAINS) return `the word is written ${ALL_DOMAINS}`;
        continue;
      }
      const wrong = nameRule(name);
      if (wrong !== null) return wrong;
    }
    return null;
  });
}
