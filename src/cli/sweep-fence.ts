/** The second half of `cfs failover --sweep`: fences what has lapsed, where this node has a fencing command. */
import type { NodeFencing } from '../agentd/fencing.js';
import type { QuietNode } from '../core/membership/failed.js';
import { isFencedAt } from '../core/membership/fenced.js';
import { type FenceClaimRequest, fenceClaim, fenceResult } from '../core/membership/fencing.js';
import { listLeases } from '../core/membership/leases.js';
import { settingOf } from '../core/model/settings.js';
import type { FencingRecord } from '../core/model/tables.js';
import type { Operation } from '../core/operation.js';
import type { TransactOutcome } from '../core/store/store.js';
import type { DirectoryCluster } from '../open.js';

export interface SweepFenceParts {
  cluster: DirectoryCluster;
  fencing: NodeFencing;
  /** The node that this is. */
  self: string;
  change: <Q, R>(operation: Operation<Q, R>, request: Q) => Promise<TransactOutcome<R>>;
  /** What is done now, a sentence. */
  onStep: (text: string) => void;
}

export interface FencedNode {
  node: string;
  ok: boolean;
  /** What the command said, or why it was not run. */
  message: string;
}

/** Between two looks at another one's fencing, ms. */
const POLL_MS = 250;

/**
 * Claims, runs the command and records what came of it. Where somebody else is at it, waits for that; a claim that nobody
 * completes within the time of a command and of a lease is taken over.
 * @returns the node as it is to be confirmed failed, and what was done
 */
export async function fenceQuiet(
  quiet: QuietNode,
  parts: SweepFenceParts,
): Promise<{ quiet: QuietNode; fenced: FencedNode }> {
  const { cluster, fencing, self, change, onStep } = parts;
  const { node, why } = quiet;
  const lease = quiet.lease as number;
  const outcome = (ok: boolean, message: string, seq = lease) => ({
    quiet: { ...quiet, lease: seq },
    fenced: { node, ok, message },
  });
  let stale: FenceClaimRequest['stale'];
  for (;;) {
    const request: FenceClaimRequest = { node, lease, by: self, why, ...(stale === undefined ? {} : { stale }) };
    const { value: claim } = await change(fenceClaim, request);
    if (claim.claimed) break;
    const record = cluster.snapshot().table('fencing').get(node);
    if (isFencedAt(record, lease)) return outcome(true, record!.message ?? 'it was fenced already');
    if (record?.state !== 'running' || record.by === null) return outcome(false, claim.why!);
    onStep(`${record.by} is fencing ${node}`);
    stale = (await isLeftUndone(node, record, parts)) ? { by: record.by, attempts: record.attempts } : undefined;
  }
  onStep(`Fencing ${node}`);
  const result = await fencing.fence(node).then(
    (message) => ({ ok: true, message }),
    (error: Error) => ({ ok: false, message: error.message }),
  );
  // It may have renewed until it was off: what others wait for is that it shows nothing later.
  const { platform, paths } = cluster.store.place;
  const seq = result.ok ? (listLeases(platform, paths.leases).get(node)?.seq ?? lease) : lease;
  await change(fenceResult, { node, by: self, ...result, ...(result.ok ? { lease: seq } : {}) });
  return outcome(result.ok, result.message, seq);
}

/** Waits for the end of somebody's fencing. @returns whether time was up instead */
async function isLeftUndone(node: string, record: FencingRecord, parts: SweepFenceParts): Promise<boolean> {
  const { cluster, fencing } = parts;
  const { clock } = cluster.store.place.platform;
  const limitMs = fencing.timeoutMs + settingOf(cluster.snapshot(), 'lease.timeout');
  const untilMs = clock.monotonicMs() + limitMs;
  while (clock.monotonicMs() < untilMs) {
    await clock.sleep(POLL_MS);
    const now = cluster.snapshot().table('fencing').get(node);
    if (now?.state !== 'running' || now.by !== record.by || now.attempts !== record.attempts) return false;
  }
  return true;
}
