/** Clocks that jump while a program runs: libfaketime with a file that says by how much. The monotonic clock stays as it is. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Debian's package libfaketime. */
export const CLOCK_LIBRARY = '/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1';

/** Sets the clock of the programs that were started with `clockEnv(base)`, seconds from the true time. */
export function setClock(base: string, seconds: number): void {
  writeFileSync(join(base, 'clock'), `${seconds < 0 ? '' : '+'}${seconds}\n`);
}

/** The environment of programs whose clock `setClock(base, …)` sets. */
export function clockEnv(base: string): Record<string, string> {
  setClock(base, 0);
  return {
    LD_PRELOAD: CLOCK_LIBRARY,
    FAKETIME_TIMESTAMP_FILE: join(base, 'clock'),
    FAKETIME_NO_CACHE: '1',
    FAKETIME_DONT_FAKE_MONOTONIC: '1',
    NO_FAKE_STAT: '1',
  };
}
