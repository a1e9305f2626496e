/** Questions on a terminal. inquirer costs three times the start of cfs: loaded here only, when somebody is asked. */
import { CfsError } from '../core/errors.js';
import { escapeBlock } from '../render/format.js';
import { isTerminal, STDERR } from '../render/output.js';

const STDIN = 0;

/** Questions go to standard error, so that standard output stays data. */
function canAsk(): boolean {
  return isTerminal(STDIN) && isTerminal(STDERR);
}

/** Ctrl-C or a closed input at a question: nothing was changed. */
function asked<T>(answer: Promise<T>): Promise<T> {
  return answer.catch((error: Error) => {
    if (error.name === 'ExitPromptError' || error.name === 'AbortPromptError') {
      throw new CfsError('INTERRUPTED', 'Interrupted at a question; nothing was changed', { cause: error });
    }
    throw error;
  });
}

/** @throws CfsError DECLINED, CONFIRMATION_NEEDED, INTERRUPTED */
export async function askToConfirm(question: string): Promise<void> {
  if (!canAsk()) {
    throw new CfsError('CONFIRMATION_NEEDED', `This needs a confirmation: ${question}`, {
      hint: 'Nobody can be asked here: give --yes if you mean it, or --dry-run to see what would happen.',
    });
  }
  const { default: inquirer } = await import('inquirer');
  const ask = inquirer.createPromptModule({ output: process.stderr });
  const { yes } = await asked(
    ask([{ type: 'confirm', name: 'yes', message: escapeBlock(question), default: false }]) as Promise<{
      yes: boolean;
    }>,
  );
  if (!yes) {
    throw new CfsError('DECLINED', 'Declined; nothing was changed', { hint: 'Answer y, or give --yes, to go on.' });
  }
}

/** @throws CfsError CONFIRMATION_NEEDED, INTERRUPTED */
export async function askForText(flag: string, question: string, initial?: string): Promise<string> {
  if (!canAsk()) {
    throw new CfsError('CONFIRMATION_NEEDED', `An answer is needed: ${question}`, {
      hint: `Nobody can be asked here: give --${flag}${initial === undefined ? '' : ', or --yes for the defaults'}.`,
    });
  }
  const { default: inquirer } = await import('inquirer');
  const ask = inquirer.createPromptModule({ output: process.stderr });
  const { text } = await asked(
    ask([
      {
        type: 'input',
        name: 'text',
        message: escapeBlock(question),
        ...(initial === undefined ? {} : { default: initial }),
      },
    ]) as Promise<{ text: string }>,
  );
  return text;
}

/**
 * One of several, by arrow keys. @param instead the flags that say it where nobody can be asked
 * @throws CfsError CONFIRMATION_NEEDED, INTERRUPTED
 */
export async function askToChoose<T extends string>(
  question: string,
  choices: readonly { value: T; name: string }[],
  instead: string,
): Promise<T> {
  if (!canAsk()) {
    throw new CfsError('CONFIRMATION_NEEDED', `An answer is needed: ${question}`, {
      hint: `Nobody can be asked here: give ${instead}.`,
    });
  }
  const { default: inquirer } = await import('inquirer');
  const ask = inquirer.createPromptModule({ output: process.stderr });
  const { choice } = await asked(
    ask([{ type: 'select', name: 'choice', message: escapeBlock(question), choices: [...choices] }]) as Promise<{
      choice: T;
    }>,
  );
  return choice;
}
