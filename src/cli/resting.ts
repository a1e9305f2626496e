/** A pause that a new name in a directory cuts short, where the file system tells. */
import { watchHint } from '../node/watch-hint.js';

export interface Rest {
  pause(ms: number): Promise<void>;
  /** Ends the pause, or the next one. */
  wake(): void;
  end(): void;
}

export function resting(dir: string): Rest {
  let isHinted = false;
  let resume: (() => void) | null = null;
  const wake = (): void => {
    isHinted = true;
    resume?.();
  };
  const end = watchHint(dir, wake);
  return {
    async pause(ms) {
      if (!isHinted) {
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, ms);
          resume = () => {
            clearTimeout(timer);
            resolve();
          };
        });
      }
      resume = null;
      isHinted = false;
    },
    wake,
    end,
  };
}
