/**
 * Messages to systemd, by its own program `systemd-notify` (Node has no datagram sockets for local paths), one after the other. The
 * unit needs NotifyAccess=all. Without NOTIFY_SOCKET in the environment nothing is sent.
 */
import { spawn } from 'node:child_process';

/** How long one may take, ms. */
const TIMEOUT_MS = 5000;

export class Notifier {
  private readonly socket = process.env.NOTIFY_SOCKET;
  private last: Promise<void> = Promise.resolve();
  private status = '';
  private timer: NodeJS.Timeout | undefined;

  /** What programs of the agent must not inherit. */
  constructor(private readonly onProblem: (problem: string) => void) {
    const watchdogUs = Number(process.env.WATCHDOG_USEC ?? 0);
    const isMine = (process.env.WATCHDOG_PID ?? String(process.pid)) === String(process.pid);
    delete process.env.NOTIFY_SOCKET;
    delete process.env.WATCHDOG_USEC;
    delete process.env.WATCHDOG_PID;
    if (this.socket === undefined || !isMine || !(watchdogUs > 0)) return;
    this.timer = setInterval(() => this.send('WATCHDOG=1'), watchdogUs / 2000);
    this.timer.unref();
  }

  /** `READY=1`, `STOPPING=1` … */
  send(...messages: string[]): void {
    if (this.socket === undefined) return;
    this.last = this.last.then(() => this.run(messages));
  }

  /** One line of what the agent does, where it is another than before. */
  says(text: string): void {
    if (text === this.status) return;
    this.status = text;
    this.send(`STATUS=${text}`);
  }

  reloading(): void {
    // systemd compares it with its own clock, microseconds of CLOCK_MONOTONIC.
    this.send('RELOADING=1', `MONOTONIC_USEC=${process.hrtime.bigint() / 1000n}`);
  }

  /** Resolves when everything was sent. */
  async idle(): Promise<void> {
    clearInterval(this.timer);
    await this.last;
  }

  private run(messages: string[]): Promise<void> {
    return new Promise((resolve) => {
      const env = { PATH: process.env.PATH, NOTIFY_SOCKET: this.socket };
      const child = spawn('systemd-notify', messages, { env, stdio: 'ignore', timeout: TIMEOUT_MS });
      child.on('error', (error) => {
        this.onProblem(`systemd-notify could not be run: ${error.message}`);
        resolve();
      });
      child.on('exit', (status) => {
        if (status !== 0) this.onProblem(`systemd-notify ended with ${status}`);
        resolve();
      });
    });
  }
}
