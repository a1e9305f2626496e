/** What is said while a change waits for the lock. */
import type { LockHolder } from '../core/store/store.js';
import { escapeText } from '../render/format.js';
import { isTerminal, STDERR, writeErr } from '../render/output.js';

/** On a terminal: who holds the lock and how long that lasts, on one line that goes again. */
export function lockNotice(isQuiet: boolean): {
  onWait: (holder: LockHolder | null, waitedMs: number) => void;
  stop: () => void;
} {
  const live = !isQuiet && isTerminal(STDERR);
  let shown = false;
  return {
    onWait: (holder, waitedMs) => {
      if (!live) return;
      shown = true;
      const who = holder ? `${holder.user}@${holder.host} (pid ${holder.pid}: ${holder.command})` : 'somebody';
      const text = escapeText(`Waiting for the lock, held by ${who}, ${Math.round(waitedMs / 1000)} s`);
      writeErr(`\r${text.slice(0, 79)}\u001b[K`);
    },
    stop: () => {
      if (shown) writeErr('\r\u001b[K');
    },
  };
}
