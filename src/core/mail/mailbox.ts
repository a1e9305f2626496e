/**
 * Receiving: a node's own mailbox. A message is handed to the handler, then noted as handled in the state directory, then
 * removed. Whatever is cut off in between leads to a repeat that the noted id makes harmless; only a message whose handler had
 * succeeded and whose id could not be noted yet is handled again: handlers are repeatable.
 *
 * A handler that fails is tried again, at longer and longer intervals, until the message expires. Files that are damaged, or no
 * messages, are told once and left alone; they hold up nobody else.
 */
import type { Log, MailHandler } from '../agent/ports.js';
import { CfsError } from '../errors.js';
import { isSystemCallError } from '../platform/files.js';
import { systemError } from '../store/system-error.js';
import { MailboxState } from './mailbox-state.js';
import { isMessageId, type MailMessage } from './message.js';
import { isTemporaryMessageName, listMailbox, type MailPlace, readMessage, removeMail } from './place.js';

export interface MailboxOptions {
  place: MailPlace;
  /** The node's own directory; must be there. One process at a time. */
  stateDir: string;
  node: string;
  /** Must end some time: nothing else is received meanwhile. */
  handler: MailHandler;
  log: Log;
}

/** A handler that failed is tried again after so long, then after twice as long, up to the longest. */
const FIRST_RETRY_MS = 1000;
const LONGEST_RETRY_MS = 60_000;

interface Retry {
  atMs: number;
  waitMs: number;
}

export class Mailbox {
  private readonly state: MailboxState;
  private readonly messages = new Map<string, MailMessage>();
  private readonly retries = new Map<string, Retry>();
  /** Files that something was said about; said once. */
  private readonly told = new Set<string>();
  /** Files that are no messages and never will be. */
  private readonly damaged = new Set<string>();
  private polling: Promise<number> | null = null;

  constructor(private readonly options: MailboxOptions) {
    this.state = new MailboxState(options.place.platform, options.stateDir);
  }

  /**
   * Looks once and handles what is new. Costs one listing where there is nothing.
   * @returns how many messages were handled @throws CfsError of the system, when the mailbox cannot be listed or nothing noted
   */
  poll(): Promise<number> {
    this.polling ??= this.look().finally(() => {
      this.polling = null;
    });
    return this.polling;
  }

  private async look(): Promise<number> {
    const { place, node } = this.options;
    const names = listMailbox(place, node);
    if (names.length === 0 && this.state.firstSeen.size === 0 && this.told.size === 0) return 0;
    const present = new Set(names);
    this.forgetAbsent(present);
    this.firstLook(names);
    let handled = 0;
    for (const name of names) {
      if (isMessageId(name)) handled += await this.receive(name, present);
      else if (!isTemporaryMessageName(name)) this.tell(name, 'is no message; it is left alone');
    }
    return handled;
  }

  /** Notes when new messages were first seen, before any handler could end this process. */
  private firstLook(names: readonly string[]): void {
    const { firstSeen, handled } = this.state;
    const nowMs = this.options.place.platform.clock.monotonicMs();
    const fresh = names.filter((name) => isMessageId(name) && !firstSeen.has(name) && !handled.has(name));
    for (const id of fresh) firstSeen.set(id, nowMs);
    if (fresh.length > 0) this.save();
  }

  private forgetAbsent(present: ReadonlySet<string>): void {
    for (const map of [this.state.firstSeen, this.messages, this.retries, this.told, this.damaged]) {
      for (const name of map.keys()) if (!present.has(name)) map.delete(name);
    }
  }

  /** @returns 1 when it was handled */
  private async receive(id: string, present: ReadonlySet<string>): Promise<number> {
    if (this.state.handled.has(id)) {
      this.remove(id);
      return 0;
    }
    const message = this.messages.get(id) ?? this.read(id);
    if (message === null) return 0;
    this.messages.set(id, message);
    const { clock } = this.options.place.platform;
    const ageMs = clock.monotonicMs() - this.state.firstSeen.get(id)!;
    if (ageMs >= message.ttlMs) {
      if (this.remove(id))
        this.options.log.warn(factsOf(message), `a ${message.kind} expired before it could be handled`);
      return 0;
    }
    const retry = this.retries.get(id);
    if (retry !== undefined && clock.monotonicMs() < retry.atMs) return 0;
    if (!(await this.hand(message, retry))) return 0;
    this.state.handle(id, (other) => present.has(other));
    this.save();
    this.remove(id);
    return 1;
  }

  private async hand(message: MailMessage, retry: Retry | undefined): Promise<boolean> {
    try {
      await this.options.handler(message);
      return true;
    } catch (error) {
      const waitMs = Math.min(LONGEST_RETRY_MS, retry === undefined ? FIRST_RETRY_MS : 2 * retry.waitMs);
      this.retries.set(message.id, { atMs: this.options.place.platform.clock.monotonicMs() + waitMs, waitMs });
      const says = error instanceof Error ? error.message : String(error);
      this.options.log.warn({ ...factsOf(message), waitMs }, `a message could not be handled: ${says}`);
      return false;
    }
  }

  private read(id: string): MailMessage | null {
    const { place, node } = this.options;
    if (this.damaged.has(id)) return null;
    let message: ReturnType<typeof readMessage>;
    try {
      message = readMessage(place, node, id);
    } catch (error) {
      if (!(error instanceof CfsError)) throw error;
      // It may be whole: the next look tries again.
      this.tell(id, error.message);
      return null;
    }
    if (message === 'gone') return null;
    if (!('damaged' in message)) return message;
    this.damaged.add(id);
    this.tell(id, `is damaged: ${message.damaged}; it is left alone`);
    return null;
  }

  /** What cannot be removed stays noted as handled, and the next look tries again. */
  private remove(id: string): boolean {
    const { place, node } = this.options;
    try {
      removeMail(place, node, id);
      this.messages.delete(id);
      this.retries.delete(id);
      this.state.firstSeen.delete(id);
      return true;
    } catch (error) {
      if (!(error instanceof CfsError)) throw error;
      this.tell(id, error.message);
      return false;
    }
  }

  private save(): void {
    try {
      this.state.save();
    } catch (error) {
      throw isSystemCallError(error) ? systemError(error, 'note handled mail in', this.options.stateDir) : error;
    }
  }

  private tell(file: string, what: string): void {
    if (this.told.has(file)) return;
    this.told.add(file);
    this.options.log.warn({ file }, `in the mailbox: ${file} ${what}`);
  }
}

function factsOf({ id, from, kind }: MailMessage): object {
  return { mail: id, from, kind };
}
