/** The decisions that a client's agent may ask for (ports.ts), each an operation that a command could call as well. */
import { listClientLeases } from '../../membership/leases.js';
import type { Operation } from '../../operation.js';
import type { Place } from '../../store/place.js';
import { givenUp, respond } from '../answers.js';
import { clientLogoff, clientLogon, clientsLapsed, type LapsedRequest } from '../logon.js';
import { mountsRefreshed, volumeTouch } from '../mounts.js';
import { endRequests } from '../requests.js';
import type { ClientDecisionName } from './ports.js';

export const CLIENT_DECISIONS = {
  'client-logon': clientLogon,
  'client-logoff': clientLogoff,
  'clients-lapsed': clientsLapsed,
  'given-up': givenUp,
  respond,
  touch: volumeTouch,
  refreshed: mountsRefreshed,
  'end-requests': endRequests,
} as const satisfies Record<ClientDecisionName, Operation<never, unknown>>;

type OperationOf<N extends ClientDecisionName> = (typeof CLIENT_DECISIONS)[N];

/** What the operation of a decision is asked; closures of it (`stillQuiet`) are added where it runs. */
export type ClientDecisionRequest<N extends ClientDecisionName> = Parameters<OperationOf<N>['run']>[1];
/** What it gives. */
export type ClientDecisionResult<N extends ClientDecisionName> = ReturnType<OperationOf<N>['run']>;

/**
 * The request with the questions that it asks under the lock: answered by listing the leases anew, wherever it runs. A lease that a
 * listing does not show is not known to be quiet: it may be being renewed.
 */
export function withClientQuestions(
  { platform, paths }: Pick<Place, 'platform' | 'paths'>,
  name: ClientDecisionName,
  request: unknown,
): unknown {
  if (name !== 'clients-lapsed') return request;
  const asked: LapsedRequest = {
    ...(request as LapsedRequest),
    stillQuiet: (client, seq) =>
      (listClientLeases(platform, paths.leases).get(client)?.seq ?? Number.POSITIVE_INFINITY) <= seq,
  };
  return asked;
}
