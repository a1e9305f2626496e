/**
 * `Interrupts` on Node. Listeners are put in place by the first hold and taken away a turn after the last release, so that
 * a loop of commits does not pay for six system calls each time.
 */
import type { Hold, Interrupts } from '../core/platform/interrupts.js';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

export class NodeInterrupts implements Interrupts {
  private holders = 0;
  private listening = false;
  private leaving = false;
  private signal: NodeJS.Signals | null = null;
  private readonly onSignal = (signal: NodeJS.Signals): void => {
    if (this.holders > 0) {
      this.signal ??= signal;
      return;
    }
    // Nobody holds any more: give the signal the effect it would have had without us.
    this.stop();
    if (process.listenerCount(signal) === 0) process.kill(process.pid, signal);
  };

  hold(): Hold {
    this.holders += 1;
    if (!this.listening) {
      for (const signal of SIGNALS) process.on(signal, this.onSignal);
      this.listening = true;
    }
    let released = false;
    return {
      received: () => this.signal,
      release: () => {
        if (released) return;
        released = true;
        this.holders -= 1;
        if (this.holders === 0) {
          this.signal = null;
          this.leaveSoon();
        }
      },
    };
  }

  async withoutListeners<T>(load: () => Promise<T>): Promise<T> {
    const before = signalListeners();
    const loaded = await load();
    for (const [signal, listener] of signalListeners()) {
      if (!before.some(([s, l]) => s === signal && l === listener)) process.off(signal, listener);
    }
    return loaded;
  }

  private leaveSoon(): void {
    if (this.leaving) return;
    this.leaving = true;
    setImmediate(() => {
      this.leaving = false;
      if (this.holders === 0) this.stop();
    });
  }

  private stop(): void {
    if (!this.listening) return;
    for (const signal of SIGNALS) process.off(signal, this.onSignal);
    this.listening = false;
  }
}

type SignalListener = (...args: unknown[]) => void;

function signalListeners(): [string, SignalListener][] {
  return process
    .eventNames()
    .filter((name): name is string => typeof name === 'string' && name.startsWith('SIG'))
    .flatMap((name) =>
      process.listeners(name as NodeJS.Signals).map((l): [string, SignalListener] => [name, l as never]),
    );
}
