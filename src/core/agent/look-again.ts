/** The questions that a decision asks under the lock (FailedRequest, FenceClaimRequest): answered by listing the leases anew, wherever it runs. */
import { listLeases } from '../membership/leases.js';
import type { Place } from '../store/place.js';
import type { DecisionRequest } from './decisions.js';
import type { DecisionName } from './ports.js';

/** The request with its questions. A lease that a listing does not show is not known to be quiet: it may be being renewed. */
export function withQuestions(
  { platform, paths }: Pick<Place, 'platform' | 'paths'>,
  name: DecisionName,
  request: unknown,
): unknown {
  if (name !== 'failed' && name !== 'fence-claim') return request;
  const lease = (node: string) => listLeases(platform, paths.leases).get(node);
  const stillQuiet = (node: string, seq: number) => (lease(node)?.seq ?? Number.POSITIVE_INFINITY) <= seq;
  if (name === 'fence-claim') return { ...(request as DecisionRequest<'fence-claim'>), stillQuiet };
  const asked: DecisionRequest<'failed'> = {
    ...(request as DecisionRequest<'failed'>),
    stillQuiet,
    stillUnreleased: (node, generation) => (lease(node)?.released ?? generation) < generation,
  };
  return asked;
}
