/**
 * Declared names: groups and domains. Compared by their folded form (`CA` and `ca` are one), kept as they were declared.
 * References are stored in the declared spelling, so that everything after the entry compares exactly.
 */
import { CfsError, type ErrorCode } from '../errors.js';
import type { Snapshot } from '../store/store.js';
import { ALL_DOMAINS, ANY_GROUP } from './defaults.js';
import { foldCase, parseName, quoteName } from './names.js';
import { suggest } from './suggest.js';
import { checkValue, MAX_LIST } from './values.js';

export type DeclaredTable = 'groups' | 'domains';
export type DeclaredKind = 'group' | 'domain';

export const kindOf = (table: DeclaredTable): DeclaredKind => (table === 'groups' ? 'group' : 'domain');

/** Codes by table, so that both tables share every rule. */
const NOT_FOUND: Record<DeclaredTable, ErrorCode> = { groups: 'GROUP_NOT_FOUND', domains: 'DOMAIN_NOT_FOUND' };

/**
 * The declared names of one table of a draft, for one operation. The exact spelling costs one look-up; the folded index is
 * built on the first miss. An operation that declares a name tells it here (`declare`).
 */
export class DeclaredNames {
  private byFold: Map<string, string> | null = null;

  constructor(
    private readonly snapshot: Snapshot,
    readonly table: DeclaredTable,
  ) {}

  /** The declared spelling of a name, or null. */
  find(input: string): string | null {
    if (this.snapshot.table(this.table).has(input)) return input;
    if (this.byFold === null) {
      this.byFold = new Map();
      for (const name of this.snapshot.table(this.table).names()) this.byFold.set(foldCase(name), name);
    }
    return this.byFold.get(foldCase(input)) ?? null;
  }

  /** Makes a name that was just put into the table known to the index. */
  declare(name: string): void {
    this.byFold?.set(foldCase(name), name);
  }

  /** The declared spelling. @throws CfsError GROUP_NOT_FOUND, DOMAIN_NOT_FOUND, BAD_NAME, RESERVED_NAME */
  require(input: string): string {
    const kind = kindOf(this.table);
    const found = typeof input === 'string' && input.length <= 80 ? this.find(input) : null;
    if (found !== null) return found;
    const name = parseName(kind, input);
    const near = suggest(name, this.snapshot.table(this.table).names());
    const command = `cfs ${kind} add ${/^[\w.-]+$/.test(name) ? name : `'${name}'`}`;
    throw new CfsError(NOT_FOUND[this.table], `There is no ${kind} ${quoteName(name)}`, {
      hint: near === null ? `Declare it first: ${command}` : `Did you mean "${near}"? If not, declare it: ${command}`,
      details: { [kind]: name },
    });
  }

  /** A list of references in the declared spelling, in the order given. @throws CfsError as `require`, BAD_VALUE for a name listed twice */
  requireList(of: string, input: readonly string[]): string[] {
    checkValue(of, this.table, input, (value) =>
      Array.isArray(value) && value.length <= MAX_LIST ? null : `it is a list of at most ${MAX_LIST} ${this.table}`,
    );
    const names = input.map((name) =>
      this.table === 'domains' && isAllDomains(name) ? ALL_DOMAINS : this.require(name),
    );
    if (new Set(names).size !== names.length) {
      const twice = names.find((name, i) => names.indexOf(name) !== i)!;
      throw new CfsError('BAD_VALUE', `The ${this.table} of ${of} name ${quoteName(twice)} twice`, {
        hint: 'Groups and domains are compared without regard to letter case.',
        details: { of, field: this.table, value: twice },
      });
    }
    return names;
  }
}

/** Whether a domain reference is the word ALL, in any letter case. */
export function isAllDomains(input: string): boolean {
  return input === ALL_DOMAINS || (typeof input === 'string' && input.length === 3 && input.toLowerCase() === 'all');
}

/** Whether a group reference is the word Any, in any letter case. */
export function isAnyGroup(input: string | null): boolean {
  return input === ANY_GROUP || (typeof input === 'string' && input.length === 3 && input.toLowerCase() === 'any');
}
