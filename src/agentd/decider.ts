/**
 * Decisions beside the worker's event loop: in a thread, so that renewals go on while 100,000 volumes are planned. The thread is
 * there only while there is something to decide, and a while after; an idle agent stays small.
 */
import { Worker as Thread } from 'node:worker_threads';
import type { ClientDecider, ClientDecisionName } from '../core/access/agent/ports.js';
import type { Decider, DecisionName } from '../core/agent/ports.js';
import { CfsError, type ErrorCode } from '../core/errors.js';
import { threadProgram } from './program-files.js';

export interface DeciderData {
  dir: string;
  /** For history: the command line, as process.argv has it. */
  argv: string[];
}

export interface DeciderQuestion {
  id: number;
  name: DecisionName | ClientDecisionName;
  request: unknown;
}

export interface DeciderAnswer {
  id: number;
  outcome?: { committed: boolean; generation: number; value: unknown };
  error?: { code: ErrorCode | null; message: string; hint?: string; errno?: string; details?: Record<string, unknown> };
}

type Outcome = NonNullable<DeciderAnswer['outcome']>;

export interface ThreadDeciderOptions extends DeciderData {
  /** How long the thread stays without a question, ms; default 10 s. */
  idleMs?: number;
}

/** How long a thread that was told to end may take, ms. */
const CLOSE_MS = 2000;

interface Waiting {
  resolve: (outcome: Outcome) => void;
  reject: (error: Error) => void;
}

export class ThreadDecider implements Decider, ClientDecider {
  private thread: Thread | null = null;
  private readonly waiting = new Map<number, Waiting>();
  private count = 0;
  private idle: NodeJS.Timeout | undefined;

  constructor(private readonly options: ThreadDeciderOptions) {}

  /** Whether the thread is there. */
  get isLoaded(): boolean {
    return this.thread !== null;
  }

  /** @throws CfsError what the operation refuses, and what the store throws; Error for a bug */
  decide(name: DecisionName | ClientDecisionName, request: unknown): Promise<Outcome> {
    clearTimeout(this.idle);
    this.thread ??= this.begin();
    const id = ++this.count;
    return new Promise((resolve, reject) => {
      this.waiting.set(id, { resolve, reject });
      this.thread!.postMessage({ id, name, request } satisfies DeciderQuestion);
    });
  }

  /** Ends the thread, when what it is deciding is done; at the latest after two seconds. */
  async close(): Promise<void> {
    clearTimeout(this.idle);
    const { thread } = this;
    if (thread === null) return;
    const ended = new Promise((resolve) => thread.once('exit', resolve));
    const timer = setTimeout(() => thread.terminate(), CLOSE_MS);
    this.end(thread);
    await ended;
    clearTimeout(timer);
  }

  /** By its own doing: the lock that it may still keep belongs to a process that lives on, and nobody would soon break it. */
  private end(thread: Thread): void {
    if (this.thread === thread) this.thread = null;
    thread.postMessage(null);
  }

  private begin(): Thread {
    const { dir, argv } = this.options;
    const thread = startThread({ dir, argv });
    thread.unref();
    thread.on('message', ({ id, outcome, error }: DeciderAnswer) => {
      const waiting = this.waiting.get(id);
      this.waiting.delete(id);
      if (outcome !== undefined) waiting?.resolve(outcome);
      else if (error?.code) waiting?.reject(new CfsError(error.code, error.message, error));
      else waiting?.reject(new Error(error?.message));
      if (this.waiting.size > 0) return;
      this.idle = setTimeout(() => this.end(thread), this.options.idleMs ?? 10_000);
      this.idle.unref();
    });
    const fail = (error: Error) => {
      // The questions are another thread's when this one was told to end.
      if (this.thread !== thread && this.thread !== null) return;
      this.thread = null;
      for (const { reject } of this.waiting.values()) reject(error);
      this.waiting.clear();
    };
    thread.on('error', fail);
    thread.on('exit', () => fail(new Error('the thread that decides has ended')));
    return thread;
  }
}

function startThread(workerData: DeciderData): Thread {
  const { code, isFile } = threadProgram('agentd-decider.cjs', './decider-thread.ts');
  return new Thread(code, { workerData, eval: !isFile });
}
