/** What tests of programs share: scripts in a directory that is trusted, a log that is kept, a state directory. */
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Programs } from '../../src/agentd/programs.js';
import type { Log } from '../../src/core/agent/ports.js';
import { tempDir } from '../kit/cli.js';

/** A shell script of these lines; gives its path. */
export function script(lines: string, path = join(tempDir('script'), 'program')): string {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, `#!/bin/sh\n${lines}\n`);
  chmodSync(path, 0o755);
  return path;
}

export interface KeptLog extends Log {
  lines: string[];
}

/** `level: sentence` of everything logged. */
export function keptLog(): KeptLog {
  const lines: string[] = [];
  const keep = (level: string) => (_facts: object, sentence: string) => {
    lines.push(`${level}: ${sentence}`);
  };
  return { lines, debug: keep('debug'), info: keep('info'), warn: keep('warn'), error: keep('error') };
}

export function somePrograms(stateDir: string | null = null, outside: string[] = []): Programs {
  return new Programs({ stateDir, outside });
}

/** Waits until the step gives something; a deadline of ten seconds. */
export async function eventually<T>(step: () => T | null | undefined | false, what: string): Promise<T> {
  const deadline = performance.now() + 10_000;
  for (;;) {
    const found = step();
    if (found) return found;
    if (performance.now() > deadline) throw new Error(`never: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
