/**
 * The process of the agent's worker, a node's or a client's: it speaks with the supervisor over the channel it was started with. When
 * that breaks, the supervisor is gone: everything is stopped, and the process ends. What is only for the other role is not loaded.
 */
import { CfsError } from '../core/errors.js';
import type { FatalError, ToWorker } from './ipc.js';
import { createLog } from './log.js';
import { tell, type WorkerContext } from './worker-context.js';

async function work(context: WorkerContext): Promise<void> {
  if (context.start.role === 'client') await (await import('./client-work.js')).workForClient(context);
  else await (await import('./node-work.js')).workForNode(context);
}

/** The sentence that the supervisor's terminal and status show. */
function fatalOf(error: unknown): FatalError {
  if (error instanceof CfsError) return error.toJSON();
  return { code: 'SYSTEM_ERROR', message: error instanceof Error ? error.message : String(error) };
}

function main(): void {
  let listener: ((order: ToWorker | null) => void) | null = null;
  /** Orders that came before the worker was ready for them; null: the channel broke. */
  const early: (ToWorker | null)[] = [];
  const hear = (order: ToWorker | null) => {
    if (listener === null) early.push(order);
    else listener(order);
  };
  const onOrder: WorkerContext['onOrder'] = (listen) => {
    listener = listen;
    for (const waiting of early.splice(0)) listen(waiting);
  };
  // The supervisor's signals are its own; a worker that is told directly to end stops everything first, too.
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => hear({ kind: 'leave', drain: false }));
  process.on('SIGHUP', () => {});
  process.on('disconnect', () => hear(null));
  process.on('message', (order: ToWorker) => {
    if (order.kind !== 'start') {
      hear(order);
      return;
    }
    const { role, name, config } = order;
    process.argv = [process.argv[0]!, 'cfs', 'agentd', `--${role}`, name];
    const log = createLog({ format: config.log ?? 'lines', level: config.logLevel, name: 'worker', served: order });
    let isDying = false;
    const die = async (error: unknown) => {
      if (isDying) return;
      isDying = true;
      const isBug = !(error instanceof CfsError);
      if (isBug) log.error({ error: error instanceof Error ? { stack: error.stack } : error }, 'the worker fails');
      await tell({ kind: 'fatal', error: fatalOf(error) });
      await log.end();
      process.exit(1);
    };
    process.on('uncaughtException', die).on('unhandledRejection', die);
    work({ start: order, log, onOrder }).then(async () => {
      await log.end();
      process.exit(0);
    }, die);
  });
}

main();
