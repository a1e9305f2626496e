/** The third part of `--wait DURATION`: whether writers that were to give a right up have given it up, or keep it after all. */
import { type KeptRight, keptRights } from '../core/access/wait.js';
import { CfsError } from '../core/errors.js';
import type { TransactOutcome } from '../core/store/store.js';
import type { DirectoryCluster } from '../open.js';

/** What ended the wait where a right did not pass on: MOUNT_BUSY, REQUEST_WITHDRAWN, REQUEST_EXPIRED; null: it did, or none was to. */
export function keptError(
  cluster: DirectoryCluster,
  { generation, changes, committed }: Pick<TransactOutcome<unknown>, 'generation' | 'changes' | 'committed'>,
): CfsError | null {
  if (!committed || changes.every(({ table }) => table !== 'writers')) return null;
  const [kept] = keptRights(cluster.snapshot(generation), cluster.snapshot(), changes);
  return kept === undefined ? null : errorOf(kept, generation);
}

function errorOf({ volume, client, request }: KeptRight, committed: number): CfsError {
  const keeps = `${client} keeps ${volume}`;
  const details = { volume, client, committed };
  const how = 'On its host, cfs agentd status names them';
  if (request === null) {
    const hint = `${how}; --force ends them.`;
    return new CfsError('MOUNT_BUSY', `${keeps}: programs have files open there`, { hint, details });
  }
  const { from, response, responseMessage: message } = request;
  const says = `${keeps}: the request of ${from} was ${response}${message === null ? '' : `: ${message}`}`;
  const ended = { ...details, from, message };
  if (response === 'withdrawn' || response === 'expired') {
    return new CfsError(response === 'expired' ? 'REQUEST_EXPIRED' : 'REQUEST_WITHDRAWN', says, {
      hint: `What waits: cfs volume requests ${volume} --all`,
      details: ended,
    });
  }
  const hint = `${how}. When ${from} has asked again, --force with --grant ends them.`;
  return new CfsError('MOUNT_BUSY', says, { hint, details: ended });
}
