/** What an agent does with messages that no part of cfs handles itself: the log, and the administrator's hook `mail`. */
import type { Hooks, Log, MailHandler } from '../agent/ports.js';
import type { MailMessage } from './message.js';

/** Variables of the hook: CFS_MAIL_ID, CFS_MAIL_FROM, CFS_MAIL_KIND, CFS_MAIL_SENT, CFS_MAIL_BODY (JSON) and CFS_MAIL_TEXT. */
export function mailVariables({ id, from, kind, sent, body }: MailMessage): Record<string, string> {
  return {
    CFS_MAIL_ID: id,
    CFS_MAIL_FROM: from,
    CFS_MAIL_KIND: kind,
    CFS_MAIL_SENT: sent,
    CFS_MAIL_BODY: JSON.stringify(body),
    CFS_MAIL_TEXT: textOf(body) ?? '',
  };
}

/** The words of a note (`{"text":"…"}`), or null. A program's arguments and variables hold no NUL. */
export function textOf(body: unknown): string | null {
  if (typeof body !== 'object' || body === null) return null;
  const { text } = body as { text?: unknown };
  return typeof text === 'string' ? text.replaceAll('\0', '') : null;
}

export function mailToHooks(log: Log, hooks: Hooks): MailHandler {
  return async (message) => {
    const { id, from, kind, body } = message;
    log.info({ mail: id, from, kind, body }, `${kind} from ${from}: ${textOf(body) ?? JSON.stringify(body)}`);
    await hooks.run('mail', mailVariables(message));
  };
}
