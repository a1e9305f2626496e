/** Collects what is wrong with bulk input, so that all of it is told at once and not one mistake per run. */
import { CfsError } from '../errors.js';

/** How many problems are told; looking on after that helps nobody. */
export const MAX_PROBLEMS = 20;

export class Problems {
  private readonly errors: CfsError[] = [];

  /**
   * Runs a step; a CfsError is kept, and null given. Any other error is ours and goes on.
   * @param of the record that the step is about (`volume "v1"`): a message that does not name it gets it in front
   */
  attempt<T>(step: () => T, of = ''): T | null {
    try {
      return step();
    } catch (error) {
      if (!(error instanceof CfsError)) throw error;
      const isAboutName = error.code === 'BAD_NAME' || error.code === 'RESERVED_NAME';
      if (!isAboutName && !error.message.includes(of)) error.message = `${of}: ${error.message}`;
      this.errors.push(error);
      if (this.errors.length >= MAX_PROBLEMS) this.throwIfAny();
      return null;
    }
  }

  /** One problem: itself. Several: one error with the code of the first and all sentences, one a line. */
  throwIfAny(): void {
    const [first] = this.errors;
    if (first === undefined) return;
    if (this.errors.length === 1) throw first;
    const many = this.errors.length >= MAX_PROBLEMS ? `At least ${MAX_PROBLEMS}` : String(this.errors.length);
    const problems = this.errors.map((error) => error.message);
    throw new CfsError(first.code, `${many} problems:\n${problems.map((problem) => `  ${problem}`).join('\n')}`, {
      ...(first.hint === undefined ? {} : { hint: first.hint }),
      details: { problems, codes: this.errors.map((error) => error.code) },
    });
  }
}
