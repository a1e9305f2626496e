/** What an agent cannot do at the moment, by what it is trying: told in the log once, and shown until it can again. */
import { isSituation, messageOf } from './guard.js';
import type { Log } from './ports.js';

export class Troubles {
  private readonly known = new Map<string, string>();

  constructor(private readonly log: Log) {}

  /** Tries something that may fail for a while (guard.ts). @returns whether it succeeded @throws what is a bug */
  attempt(what: string, work: () => void): boolean {
    try {
      work();
      if (this.known.delete(what)) this.log.info({}, `can ${what} again`);
      return true;
    } catch (error) {
      if (!isSituation(error)) throw error;
      const says = `cannot ${what}: ${messageOf(error)}`;
      // Names with another number in them are the same trouble.
      const known = this.known.get(what);
      if (known === undefined || withoutNumbers(known) !== withoutNumbers(says)) this.log.error({}, says);
      this.known.set(what, says);
      return false;
    }
  }

  set(what: string, says: string): void {
    this.known.set(what, says);
  }

  /** A sentence each. */
  says(): string[] {
    return [...this.known.values()];
  }
}

function withoutNumbers(says: string): string {
  return says.replace(/\d+/g, '');
}
