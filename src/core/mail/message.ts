/** A message from one node to another, as it lies in `mail/NODE/ID` (DESIGN.md, "The shared directory"). */
export interface MailMessage {
  /** Unique; the same message delivered twice has the same one. */
  id: string;
  from: string;
  to: string;
  /** What it is: `note` (for people), later `write-request`, `redirect`, `resubmit` … */
  kind: string;
  /** Plain JSON, small. */
  body: unknown;
  /** RFC 3339, the sender's clock; information only. */
  sent: string;
  /** How long the recipient may still use it, ms, counted by the recipient's own clock from when it first saw it. */
  ttlMs: number;
}
