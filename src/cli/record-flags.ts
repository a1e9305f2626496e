/** Rules about the flags that name the fields of a record, shared by `add`, `create` and `set`. */
import { usage } from './command.js';

/** The first flag of these that was given, or undefined. */
function given(flags: Record<string, unknown>, fields: readonly string[]): string | undefined {
  return fields.find((field) => flags[field] !== undefined);
}

/** @throws CfsError USAGE when a `set` names no field: it would do nothing and say that all is well */
export function needsField(command: string, flags: Record<string, unknown>, fields: readonly string[]): void {
  if (given(flags, fields) !== undefined) return;
  usage(
    `${command} needs something to change`,
    `Give a field, such as --${fields[0]}; "${command} --help" lists them.`,
  );
}

/** @throws CfsError USAGE when fields are given beside a file: the file's records carry their own */
export function refuseFieldsWithFile(flags: Record<string, unknown>, fields: readonly string[]): void {
  const field = given(flags, fields);
  if (field === undefined) return;
  usage(`--${field} cannot be given with --file`, 'Write the field into each record of the file.');
}
