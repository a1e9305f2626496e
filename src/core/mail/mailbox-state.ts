/**
 * What a recipient remembers of its mail, in the node's own state directory: ids of messages that were handled, so that one
 * whose removal was cut off, or that was sent again, is not handled twice; and when it first saw those that still lie there.
 */
import { isSystemCallError } from '../platform/files.js';
import type { Platform } from '../platform/platform.js';
import { readWhole, Unfit } from '../store/read-file.js';
import { flushDirectory, writeNew } from '../store/write-file.js';
import { isMessageId } from './message.js';

/** Handled ids that are remembered at least, beside those that still lie in the mailbox. */
export const HANDLED_KEPT = 1024;

const MAX_STATE_BYTES = 1024 * 1024;

/** As it lies in `STATE/mail.json`. Times are of the monotonic clock, ms, which begins anew with each boot. */
interface Saved {
  bootId: string;
  savedMs: number;
  firstSeen: Record<string, number>;
  handled: string[];
}

export class MailboxState {
  /** When this node first saw a message that it has not handled yet: monotonic ms, also of a time before this boot. */
  readonly firstSeen = new Map<string, number>();
  /** In order of handling. */
  readonly handled = new Set<string>();
  private readonly path: string;

  /** Reads what there is. What is not readable is as good as none: messages may then be handled once more. */
  constructor(
    private readonly platform: Platform,
    private readonly stateDir: string,
  ) {
    this.path = `${stateDir}/mail.json`;
    const saved = this.read();
    if (saved === null) return;
    const nowMs = platform.clock.monotonicMs();
    // After a boot the clock says nothing about what was before: the age then is kept, and the time between does not count.
    const isSameBoot = saved.bootId !== '' && saved.bootId === platform.processes.bootId() && saved.savedMs <= nowMs;
    for (const [id, firstMs] of Object.entries(saved.firstSeen)) {
      this.firstSeen.set(id, isSameBoot ? firstMs : nowMs - (saved.savedMs - firstMs));
    }
    for (const id of saved.handled) this.handled.add(id);
  }

  /** Notes a message as handled, and forgets the oldest that no longer lie in the mailbox. */
  handle(id: string, isPresent: (id: string) => boolean): void {
    this.firstSeen.delete(id);
    this.handled.delete(id);
    this.handled.add(id);
    let tooMany = this.handled.size - HANDLED_KEPT;
    for (const old of this.handled) {
      if (tooMany <= 0) break;
      if (isPresent(old)) continue;
      this.handled.delete(old);
      tooMany--;
    }
  }

  /** Durable when it returns. @throws SystemCallError */
  save(): void {
    const { files, clock, processes } = this.platform;
    const saved: Saved = {
      bootId: processes.bootId(),
      savedMs: clock.monotonicMs(),
      firstSeen: Object.fromEntries(this.firstSeen),
      handled: [...this.handled],
    };
    // This directory has one user at a time: what lies under the temporary name is a killed predecessor's.
    const temporary = `${this.path}.tmp`;
    try {
      files.unlink('mail-state.unlink', temporary);
    } catch (error) {
      if (!isSystemCallError(error, 'ENOENT')) throw error;
    }
    writeNew(files, 'mail-state', temporary, Buffer.from(`${JSON.stringify(saved)}\n`), 0o600);
    files.rename('mail-state.rename', temporary, this.path);
    flushDirectory(files, 'mail-state-dir', this.stateDir);
  }

  private read(): Saved | null {
    try {
      const bytes = readWhole(this.platform.files, 'mail-state', this.path, MAX_STATE_BYTES);
      return savedOf(JSON.parse(bytes.toString('utf8')));
    } catch (error) {
      if (error instanceof SyntaxError || error instanceof Unfit || isSystemCallError(error)) return null;
      throw error;
    }
  }
}

function savedOf(value: unknown): Saved | null {
  if (typeof value !== 'object' || value === null) return null;
  const { bootId, savedMs, firstSeen, handled } = value as Partial<Saved>;
  if (typeof bootId !== 'string' || typeof savedMs !== 'number') return null;
  if (typeof firstSeen !== 'object' || firstSeen === null || !Array.isArray(handled)) return null;
  if (!handled.every((id) => typeof id === 'string' && isMessageId(id))) return null;
  if (!Object.entries(firstSeen).every(([id, ms]) => isMessageId(id) && typeof ms === 'number')) return null;
  return { bootId, savedMs, firstSeen, handled };
}
