/** JSON as parsed, read without trusting names: a member called `__proto__` is a member like any other (R6). */
import { Unfit } from './read-file.js';

export type Json = null | boolean | number | string | Json[] | { [name: string]: Json };

/** The members of an object. @throws Unfit when it is not an object */
export function jsonMembers(value: Json | undefined): Map<string, Json> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Unfit('is not of the right shape');
  const members = new Map<string, Json>();
  // Not Object.entries: a list for each of 100,000 records is a fifth of reading them.
  for (const name of Object.keys(value)) members.set(name, value[name]!);
  return members;
}

export function isDeepEmpty(value: Json | undefined): boolean {
  return typeof value !== 'object' || value === null || Object.keys(value).length === 0;
}
