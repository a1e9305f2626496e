/**
 * Messages to systemd of agents that share a process: ready when all of them are, or have ended; stopping when the first one is; one line
 * of status from all.
 */
import type { Notifier } from './notify.js';

type Part = Pick<Notifier, 'send' | 'says'>;

export class SharedNotifier {
  /** Who is not ready yet. */
  private readonly awaited: Set<string>;
  private readonly status = new Map<string, string>();
  private isReady = false;
  private isStopping = false;

  constructor(
    private readonly notifier: Part,
    private readonly names: readonly string[],
  ) {
    this.awaited = new Set(names);
  }

  /** For one of them. */
  of(name: string): Part {
    return {
      send: (...messages) => {
        for (const message of messages) {
          if (message === 'READY=1') this.ready(name);
          else if (message === 'STOPPING=1') this.stopping();
          else this.notifier.send(message);
        }
      },
      says: (text) => this.says(name, text),
    };
  }

  /** It has ended: nobody waits for it. Nothing is ready where all have. */
  gone(name: string): void {
    this.status.set(name, 'ended');
    this.awaited.delete(name);
    if (this.awaited.size === 0 && [...this.status.values()].some((text) => text !== 'ended')) this.tellReady();
    if (this.names.length > 1) this.tellStatus();
  }

  private ready(name: string): void {
    this.awaited.delete(name);
    if (!this.status.has(name)) this.status.set(name, 'ready');
    if (this.awaited.size === 0) this.tellReady();
  }

  private tellReady(): void {
    if (this.isReady) return;
    this.isReady = true;
    this.notifier.send('READY=1');
  }

  private stopping(): void {
    if (this.isStopping) return;
    this.isStopping = true;
    this.notifier.send('STOPPING=1');
  }

  private says(name: string, text: string): void {
    this.status.set(name, text);
    this.tellStatus();
  }

  private tellStatus(): void {
    const said = this.names.filter((name) => this.status.has(name));
    const alone = this.names.length === 1;
    this.notifier.says(said.map((name) => (alone ? '' : `${name}: `) + this.status.get(name)).join(' | '));
  }
}
