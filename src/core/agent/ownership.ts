/**
 * Who may run what: the rule by which two agents never run one volume at the same time, whoever is paused or killed.
 *
 * A generation gives a volume to a node. The agent that loses it stops it and then acknowledges, by its lease's RELEASED.
 * The agent that gains it starts it only when every node that could still run it is *clear* (one of these is enough):
 *   - released     its lease acknowledges a generation not older than the volume's epoch;
 *   - no agent     it never had a lease: an administrator put it online by hand and answers for it;
 *   - left         its agent ended in order, having stopped everything;
 *   - recorded     the generation that failed it names its lease's sequence number, and its lease shows no higher one: who
 *                  confirmed the failure has watched for a whole timeout, or has fenced it, and it has not come back since;
 *   - lapsed       we have watched its lease ourselves for a whole timeout: it has fenced itself. Where the policy is
 *                  `fencing.policy=required` this is not enough.
 * So a change of placement is published in two steps without anybody holding a lock: the generation suspends (losers stop and
 * acknowledge), the acknowledgement resumes (gainers start). Where its publisher dies changes nothing.
 *
 * Pure functions. See `core/agent/worker.ts` for who calls them.
 */

/** Why a node that could run a volume surely does not, or null when it may. */
export type Clearance = 'released' | 'no-agent' | 'left' | 'recorded' | 'lapsed';

/** What is known of a node that could still run a volume. */
export interface Candidate {
  /** Its newest lease; undefined: it has none. */
  lease: { seq: number; released: number; applied: number | null } | undefined;
  /** Its membership says that it is failed, and at which sequence number that was confirmed. */
  failedAt: number | undefined;
  /** We have watched its lease for its whole timeout without a renewal. */
  isLapsed: boolean;
  /** Whether self-fencing is taken as proof (`fencing.policy` is `optional`). */
  trustsSelfFencing: boolean;
}

/** Whether `candidate` surely does not run a volume of epoch `epoch`, and why. */
export function clearance(candidate: Candidate, epoch: number): Clearance | null {
  const { lease, failedAt, isLapsed, trustsSelfFencing } = candidate;
  if (lease === undefined) return 'no-agent';
  if (lease.applied === null) return 'left';
  if (lease.released >= epoch) return 'released';
  if (failedAt !== undefined && lease.seq <= failedAt) return 'recorded';
  if (isLapsed && trustsSelfFencing) return 'lapsed';
  return null;
}

/** A volume's move, as an agent remembers those of recent generations. */
export interface Move {
  /** The generation that moved it. */
  generation: number;
  /** The node that had it before; null: none. */
  from: string | null;
}

/**
 * Whether a node whose lease acknowledges `released` only could still run the volume: it had it at some generation from
 * `released` on. A move that is older than what is remembered (`knownFrom`: moves of later generations are all known) could
 * have been anybody's.
 * @param moves of this volume, in order
 */
export function couldRun(node: string, released: number, moves: readonly Move[], knownFrom: number): boolean {
  if (released < knownFrom) return true;
  return moves.some((move) => move.generation > released && move.from === node);
}
