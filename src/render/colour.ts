/** Colours. chalk is loaded only when they will be seen; until then every style gives its text back unchanged. */
import type { ChalkInstance } from 'chalk';
import { colourWanted, STDOUT } from './output.js';

export type Style = 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'cyan';

let chalk: ChalkInstance | null = null;

/** Loads chalk if standard output is a terminal that wants colours. Called once, before a command runs. */
export async function prepareColour(): Promise<void> {
  if (!colourWanted(STDOUT)) return;
  const { Chalk } = await import('chalk');
  chalk = new Chalk({ level: 1 });
}

/** Text in a style, on a terminal; otherwise the text. */
export function paint(style: Style, text: string): string {
  return chalk === null ? text : chalk[style](text);
}
