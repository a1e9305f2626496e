/**
 * The one error class of cfs, its codes, and the exit code of each.
 *
 * A code names the situation (STYLE.md, "Errors"); the exit code is what a script branches on.
 * Everything that is not a CfsError is a bug in cfs and is reported as one.
 */

/** Exit codes of every command; the same table prints the EXIT STATUS section of the manual. */
export const EXIT_CODES = {
  done: { status: 0, meaning: 'done' },
  failed: { status: 1, meaning: 'failed (no space, I/O error, missing rights); nothing was changed' },
  usage: { status: 2, meaning: 'wrong usage: unknown flag, bad value, malformed file' },
  notFound: { status: 3, meaning: 'not found' },
  conflict: { status: 4, meaning: 'conflict, or a precondition is not met' },
  denied: { status: 5, meaning: 'denied' },
  notYet: { status: 6, meaning: 'not yet (lock held, wait over); it may still succeed' },
  notReady: { status: 7, meaning: 'not ready (node or session failed)' },
  damaged: { status: 8, meaning: 'damaged data' },
  declined: { status: 9, meaning: 'declined at a prompt' },
  unsure: { status: 10, meaning: 'unsure: may or may not have been committed; look the transaction up' },
  interrupted: { status: 130, meaning: 'interrupted (Ctrl-C)' },
} as const;

export type ExitKind = keyof typeof EXIT_CODES;

/** Every code of a CfsError and the kind of exit it leads to. Codes are stable: scripts read them. */
export const ERROR_CODES = {
  // usage
  BAD_VALUE: 'usage',
  BAD_NAME: 'usage',
  BAD_FILE: 'usage',
  RESERVED_NAME: 'usage',
  UNKNOWN_FIELD: 'usage',
  CONFIRMATION_NEEDED: 'usage',
  NO_CLUSTER_CHOSEN: 'usage',
  USAGE: 'usage',
  // not found
  CLUSTER_NOT_FOUND: 'notFound',
  NODE_NOT_FOUND: 'notFound',
  VOLUME_NOT_FOUND: 'notFound',
  CLIENT_NOT_FOUND: 'notFound',
  REQUEST_NOT_FOUND: 'notFound',
  GROUP_NOT_FOUND: 'notFound',
  DOMAIN_NOT_FOUND: 'notFound',
  GENERATION_NOT_FOUND: 'notFound',
  TRANSACTION_NOT_FOUND: 'notFound',
  SETTING_NOT_FOUND: 'notFound',
  TABLE_NOT_FOUND: 'notFound',
  RECORD_NOT_FOUND: 'notFound',
  FILE_NOT_FOUND: 'notFound',
  // conflict or precondition
  GENERATION_CONFLICT: 'conflict',
  CLUSTER_EXISTS: 'conflict',
  CLUSTER_FROZEN: 'conflict',
  NODE_EXISTS: 'conflict',
  VOLUME_EXISTS: 'conflict',
  GROUP_EXISTS: 'conflict',
  DOMAIN_EXISTS: 'conflict',
  GROUP_IN_USE: 'conflict',
  DOMAIN_IN_USE: 'conflict',
  NODE_IN_USE: 'conflict',
  VOLUME_IN_USE: 'conflict',
  CLIENT_EXISTS: 'conflict',
  CLIENT_IN_USE: 'conflict',
  NOT_LOGGED_ON: 'conflict',
  NOT_MOUNTED: 'conflict',
  VOLUME_DISABLED: 'conflict',
  READ_ONLY_MEDIA: 'conflict',
  VOLUME_HAS_WRITER: 'conflict',
  REQUEST_STANDS: 'conflict',
  MOUNT_BUSY: 'conflict',
  SOFTWARE_LOCKED: 'conflict',
  NODE_STATE: 'conflict',
  AGENT_ELSEWHERE: 'conflict',
  AGENT_RUNNING: 'conflict',
  RECORD_CHANGED_SINCE: 'conflict',
  CANNOT_UNDO: 'conflict',
  UNPLACED_VOLUMES: 'conflict',
  FORMAT_TOO_NEW: 'conflict',
  FORMAT_TOO_OLD: 'conflict',
  AGENT_TOO_OLD: 'conflict',
  FILE_EXISTS: 'conflict',
  LOCK_NOT_HELD: 'conflict',
  LOCK_IN_USE: 'conflict',
  UNSUITABLE_FILE_SYSTEM: 'conflict',
  FENCING_NOT_CONFIGURED: 'conflict',
  // denied
  ACCESS_DENIED: 'denied',
  MOUNT_DENIED: 'denied',
  LOCKED_OUT: 'denied',
  NOT_THE_WRITER: 'denied',
  REQUEST_DENIED: 'denied',
  UNSAFE_DIRECTORY: 'denied',
  PROGRAM_NOT_TRUSTED: 'denied',
  // not yet
  LOCK_TIMEOUT: 'notYet',
  WAIT_TIMEOUT: 'notYet',
  REQUEST_EXPIRED: 'notYet',
  REQUEST_WITHDRAWN: 'notYet',
  MAILBOX_FULL: 'notYet',
  // not ready
  AGENT_NOT_RUNNING: 'notReady',
  // damaged
  MANIFEST_DAMAGED: 'damaged',
  TABLE_DAMAGED: 'damaged',
  CLUSTER_DAMAGED: 'damaged',
  BACKUP_DAMAGED: 'damaged',
  // outcome of a commit or a prompt
  DECLINED: 'declined',
  COMMIT_UNSURE: 'unsure',
  INTERRUPTED: 'interrupted',
  // the system said no
  NO_SPACE: 'failed',
  IO_ERROR: 'failed',
  READ_ONLY: 'failed',
  MOUNT_FAILED: 'failed',
  SYSTEM_ERROR: 'failed',
  BUG: 'failed',
} as const satisfies Record<string, ExitKind>;

export type ErrorCode = keyof typeof ERROR_CODES;

export interface CfsErrorOptions {
  /** What to do next; one sentence or command. */
  hint?: string;
  /** The errno name where a standard has one (`ENOSPC`, `EIO` …). */
  errno?: string;
  /** Facts for scripts: names, generations, both sides of a mismatch. Plain JSON. */
  details?: Record<string, unknown>;
  cause?: unknown;
}

/** The user's situation (never our bug): what happened, to what, and what to do next. */
export class CfsError extends Error {
  readonly code: ErrorCode;
  readonly hint: string | undefined;
  readonly errno: string | undefined;
  readonly details: Record<string, unknown> | undefined;

  constructor(code: ErrorCode, message: string, options: CfsErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'CfsError';
    this.code = code;
    this.hint = options.hint;
    this.errno = options.errno;
    this.details = options.details;
  }

  /** The status that the process exits with. */
  get exitStatus(): number {
    return EXIT_CODES[ERROR_CODES[this.code]].status;
  }

  /** The shape printed under `--json`. */
  toJSON(): { code: ErrorCode; errno?: string; message: string; hint?: string; details?: Record<string, unknown> } {
    return {
      code: this.code,
      ...(this.errno === undefined ? {} : { errno: this.errno }),
      message: this.message,
      ...(this.hint === undefined ? {} : { hint: this.hint }),
      ...(this.details === undefined ? {} : { details: this.details }),
    };
  }
}
