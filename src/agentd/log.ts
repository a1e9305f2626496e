/**
 * The agent's log: pino, whose lines go to standard error. As JSON (`--log json`), or as lines for people:
 *
 *   2026-11-20T21:27:31.123Z INFO  worker: Volume v1 started. (volume=v1 epoch=12)
 *   2026-11-20T21:27:31.208Z INFO  client c1 worker: logged on
 *
 * Under journald (`JOURNAL_STREAM`) lines begin with the priority (`<6>`) and have no time of their own.
 * Writes never wait for the reader: a journal that hangs must not keep the supervisor from fencing. What a reader
 * leaves unread beyond a mebibyte is dropped.
 */
import { type DestinationStream, type Logger, pino } from 'pino';
import type { Log } from '../core/agent/ports.js';
import { escapeText } from '../render/format.js';
import type { LogFormat, LogLevel } from './config.js';
import { type Served, servedText } from './served.js';

const STDERR = 2;
const UNREAD_LIMIT_BYTES = 1 << 20;
const END_MS = 1000;

export interface LogOptions {
  format: LogFormat;
  level: LogLevel;
  /** Which of the two processes speaks, and for whom. */
  name: 'supervisor' | 'worker';
  served: Served;
}

export interface AgentLog extends Log {
  setLevel(level: LogLevel): void;
  /**
   * Before the process exits: resolves when everything is written, the last thing that the log does. A reader that takes nothing
   * for a second is not waited for: the process is killed then, since at a usual exit node would wait for the thread that writes.
   */
  end(): Promise<void>;
}

/** Priorities of syslog by level of pino. */
const LEVELS: Record<number, { label: string; priority: number }> = {
  20: { label: 'DEBUG', priority: 7 },
  30: { label: 'INFO', priority: 6 },
  40: { label: 'WARN', priority: 4 },
  50: { label: 'ERROR', priority: 3 },
};

export function createLog({ format, level, name, served }: LogOptions): AgentLog {
  const out = pino.destination({ dest: STDERR, sync: false, maxLength: UNREAD_LIMIT_BYTES });
  // A closed standard error is no reason to stop guarding volumes.
  out.on('error', () => {});
  const isJournal = process.env.JOURNAL_STREAM !== undefined;
  const to: DestinationStream =
    format === 'json' ? out : { write: (json: string) => void out.write(`${logLine(json, isJournal)}\n`) };
  // `client` in a line may be another one, that the line is about.
  const whose = served.role === 'client' ? { served: servedText(served) } : { node: served.name };
  const logger: Logger = pino(
    {
      level,
      base: { process: name, ...whose },
      timestamp: pino.stdTimeFunctions.isoTime,
      messageKey: 'message',
    },
    to,
  );
  return {
    debug: (facts, sentence) => logger.debug(facts, sentence),
    info: (facts, sentence) => logger.info(facts, sentence),
    warn: (facts, sentence) => logger.warn(facts, sentence),
    error: (facts, sentence) => logger.error(facts, sentence),
    setLevel: (to) => {
      logger.level = to;
    },
    end: async () => {
      const timer = setTimeout(() => process.kill(process.pid, 'SIGKILL'), END_MS);
      await new Promise<void>((resolve) => {
        out.once('close', resolve);
        out.end();
      });
      clearTimeout(timer);
    },
  };
}

/** A line for people from one of pino's: time, level, who, the sentence, and the facts that are not in it by name already. */
export function logLine(json: string, isJournal = false): string {
  const { level, time, process, node: _, served, message, ...facts } = JSON.parse(json) as Record<string, unknown>;
  // One process may serve a node and a client: the client's lines say so.
  const who = served === undefined ? process : `${served} ${process}`;
  const { label, priority } = LEVELS[level as number] ?? LEVELS[30]!;
  const begin = isJournal ? `<${priority}>` : `${time} ${label.padEnd(5)} `;
  const rest = Object.entries(facts).map(([key, value]) => `${key}=${factText(value)}`);
  return escapeText(`${begin}${who}: ${message ?? ''}${rest.length === 0 ? '' : ` (${rest.join(' ')})`}`);
}

function factText(value: unknown): string {
  if (typeof value === 'object' && value !== null) {
    const { message, stack } = value as { message?: unknown; stack?: unknown };
    // An error: the stack of a bug, the message of anything else.
    if (typeof stack === 'string') return JSON.stringify(stack);
    if (typeof message === 'string') return JSON.stringify(message);
  }
  return typeof value === 'string' && /^[^\s"()=]+$/.test(value) ? value : JSON.stringify(value);
}
