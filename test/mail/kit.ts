/** Two directories in memory, a clock that stands still until it is moved, and a log that is kept: for tests of mail. */
import type { Log } from '../../src/core/agent/ports.js';
import { Mailbox } from '../../src/core/mail/mailbox.js';
import type { MailMessage } from '../../src/core/mail/message.js';
import { type MailRequest, sendMail } from '../../src/core/mail/send.js';
import type { Platform } from '../../src/core/platform/platform.js';
import { PLAIN_MODES, pathsOf } from '../../src/core/store/layout.js';
import { FaultyFiles } from '../kit/faulty-files.js';
import { SimFiles } from '../kit/sim-files.js';
import { hastyPlatform } from '../kit/store-kit.js';

export class MailWorld {
  nowMs = 1_000_000;
  bootId = 'boot-1';
  readonly said: string[] = [];
  /** Ids in order of handling. */
  readonly handled: string[] = [];
  readonly files: FaultyFiles;
  readonly platform: Platform;
  /** What the handler does beside noting the id. */
  onMessage: (message: MailMessage) => void | Promise<void> = () => {};

  constructor(readonly sim = new SimFiles()) {
    this.files = new FaultyFiles(sim);
    if (sim.isAbsent('test.look', '/c')) {
      for (const dir of ['/c', '/state']) sim.mkdir('test.mkdir', dir, 0o750);
      // Both are older than the test.
      sim.fsync('test.fsync', sim.openRead('test.open', '/'));
    }
    const hasty = hastyPlatform({ files: this.files });
    const clock = { ...hasty.clock, monotonicMs: () => this.nowMs };
    const processes = Object.assign(Object.create(hasty.processes), { bootId: () => this.bootId });
    this.platform = { ...hasty, clock, processes };
  }

  get place() {
    return { platform: this.platform, paths: pathsOf('/c'), modes: PLAIN_MODES };
  }

  get log(): Log {
    const say = (_facts: object, sentence: string) => {
      this.said.push(sentence);
    };
    return { debug: say, info: say, warn: say, error: say };
  }

  send(request: Partial<MailRequest> = {}) {
    return sendMail(this.place, { from: 'n2', to: 'n1', kind: 'note', body: { text: 'hello' }, ...request });
  }

  mailbox(node = 'n1'): Mailbox {
    const handler = async (message: MailMessage) => {
      await this.onMessage(message);
      this.handled.push(message.id);
    };
    return new Mailbox({ place: this.place, stateDir: '/state', node, handler, log: this.log });
  }

  /** Files in a mailbox. */
  box(node = 'n1'): string[] {
    return this.sim.isAbsent('test.look', `/c/mail/${node}`)
      ? []
      : this.sim.list('test.list', `/c/mail/${node}`).sort();
  }

  put(path: string, text: string): void {
    const fd = this.sim.openNew('test.create', path, 0o640);
    const bytes = Buffer.from(text);
    this.sim.write('test.write', fd, bytes, 0, bytes.length);
    this.sim.close('test.close', fd);
  }
}

/** A message id made of one digit. */
export const id = (digit: string) => digit.repeat(32);
