/** The decisions that an agent may ask for (ports.ts), each an operation that a command could call as well. */
import { nodesFailed } from '../membership/failed.js';
import { fenceClaim, fenceResult } from '../membership/fencing.js';
import { nodesJoin } from '../membership/join.js';
import { nodeLeave } from '../membership/leave.js';
import { nodeRecovered, nodesReturn } from '../membership/return.js';
import type { Operation } from '../operation.js';
import type { DecisionName } from './ports.js';

export const DECISIONS = {
  join: nodesJoin,
  failed: nodesFailed,
  recovered: nodeRecovered,
  return: nodesReturn,
  'fence-claim': fenceClaim,
  'fence-result': fenceResult,
  leave: nodeLeave,
} as const satisfies Record<DecisionName, Operation<never, unknown>>;

type OperationOf<N extends DecisionName> = (typeof DECISIONS)[N];

/** What the operation of a decision is asked; closures of it (`stillQuiet`) are added where it runs. */
export type DecisionRequest<N extends DecisionName> = Parameters<OperationOf<N>['run']>[1];
/** What it gives. */
export type DecisionResult<N extends DecisionName> = ReturnType<OperationOf<N>['run']>;
