/** An operation: what a command, an agent and the library all call. Pure: it sees a draft and a request, nothing else. */
import type { Draft } from './store/store.js';

export interface OperationContext {
  /** Wall-clock time of the attempt, ms since the epoch; for records that say until when. */
  nowMs: number;
}

export interface Operation<Request, Result> {
  /** As history shows it: `node.add`. */
  readonly name: string;
  /** Changes the draft and returns what the command shows. @throws CfsError when the request cannot be met. */
  run(draft: Draft, request: Request, context: OperationContext): Result;
  /**
   * What history keeps of the request, where the request is too big to be kept whole (100,000 volumes, a document): counts
   * and the flags. Absent: the request itself. The generation's changes hold the rest.
   */
  recorded?(request: Request): unknown;
}
