/**
 * The thread in which an agent's decisions are made: opens the cluster for itself, and runs the operations that commands run. The
 * questions "is its lease still quiet?" are answered here, by listing the leases anew under the lock. It loads the decisions
 * that are asked for alone: an agent of a client needs none of placement.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { isClientDecision } from '../core/access/agent/ports.js';
import { withBallast } from '../core/ballast/ballast.js';
import { CfsError } from '../core/errors.js';
import type { Operation } from '../core/operation.js';
import type { Place } from '../core/store/place.js';
import { type DirectoryCluster, openCluster } from '../open.js';
import type { DeciderAnswer, DeciderData, DeciderQuestion } from './decider.js';

type Asked = [operation: Operation<unknown, unknown>, request: unknown];

const { dir, argv } = workerData as DeciderData;
// What history shows as the command.
process.argv = argv;

let opened: Promise<DirectoryCluster> | undefined;

async function asked(place: Place, { name, request }: DeciderQuestion): Promise<Asked> {
  if (isClientDecision(name)) {
    const { CLIENT_DECISIONS, withClientQuestions } = await import('../core/access/agent/decisions.js');
    return [CLIENT_DECISIONS[name] as Asked[0], withClientQuestions(place, name, request)];
  }
  const { DECISIONS } = await import('../core/agent/decisions.js');
  const { withQuestions } = await import('../core/agent/look-again.js');
  return [DECISIONS[name] as Asked[0], withQuestions(place, name, request)];
}

async function decide(question: DeciderQuestion): Promise<NonNullable<DeciderAnswer['outcome']>> {
  opened ??= openCluster({ dir });
  const cluster = await opened;
  const { place } = cluster.store;
  const [operation, request] = await asked(place, question);
  const { value } = await withBallast(place, () => cluster.change(operation, request));
  return { committed: value.committed, generation: value.generation, value: value.value };
}

parentPort!.on('message', (question: DeciderQuestion | null) => {
  if (question === null) {
    // The thread ends when the lock was given back and nothing else is left to do.
    parentPort!.close();
    return;
  }
  decide(question).then(
    (outcome) => parentPort!.postMessage({ id: question.id, outcome } satisfies DeciderAnswer),
    (error: Error) => {
      const told = error instanceof CfsError ? error.toJSON() : { code: null, message: error.stack ?? String(error) };
      parentPort!.postMessage({ id: question.id, error: told } satisfies DeciderAnswer);
      // What went wrong may be in what was kept of the cluster.
      opened = undefined;
    },
  );
});
