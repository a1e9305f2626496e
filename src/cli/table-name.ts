/** A table as somebody typed its name. */
import { CfsError } from '../core/errors.js';
import { quoteName } from '../core/model/names.js';
import { didYouMean } from '../core/model/suggest.js';
import { TABLE_NAMES, type TableName } from '../core/model/tables.js';

/** The table, whatever the letter case. @throws CfsError TABLE_NOT_FOUND */
export function tableNamed(input: string): TableName {
  const found = TABLE_NAMES.find((name) => name.toLowerCase() === input.toLowerCase());
  if (found !== undefined) return found;
  throw new CfsError('TABLE_NOT_FOUND', `There is no table ${quoteName(input)}`, {
    hint: didYouMean(input, TABLE_NAMES, `Tables: ${TABLE_NAMES.join(', ')}.`),
  });
}
