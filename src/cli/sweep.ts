/** `cfs failover --sweep`: both halves, and what is kept for the next run. */

import { readAgentConfig } from '../agentd/config.js';
import type { NodeFencing } from '../agentd/fencing.js';
import { ownFencing } from '../agentd/own-fencing.js';
import { chooseStateDir, makeStateDir } from '../agentd/state-dir.js';
import { CfsError } from '../core/errors.js';
import { type FailedRequest, type FailedResult, nodesFailed, type QuietNode } from '../core/membership/failed.js';
import { fencingObstacle } from '../core/membership/fenced.js';
import type { NotDone } from '../core/membership/join.js';
import { clientOfHolder, listLeases } from '../core/membership/leases.js';
import { frozenReason } from '../core/membership/reasons.js';
import type { SweepFindings, SweepObservations } from '../core/membership/sweep.js';
import { allowsFormat2 } from '../core/model/format.js';
import { settingOf } from '../core/model/settings.js';
import type { Operation } from '../core/operation.js';
import type { Snapshot, TransactOutcome } from '../core/store/store.js';
import { readObservations, writeObservations } from '../node/observations.js';
import type { DirectoryCluster } from '../open.js';
import { fenceClients, type SweptClients } from './sweep-clients.js';
import { type FencedNode, fenceQuiet, type SweepFenceParts } from './sweep-fence.js';
import { watchLeases } from './sweep-watch.js';

export interface SweepWish {
  cluster: DirectoryCluster;
  /** --config and --state-dir. */
  config: string | undefined;
  stateDir: string | undefined;
  /** Which node this is, given what the agent's configuration says. */
  node: (configured: string | null) => string;
  isDryRun: boolean;
  change: SweepFenceParts['change'];
  /** What is done now. */
  onStep: (text: string) => void;
  /** A remark on what could not be done, and matters less. */
  onNote: (text: string) => void;
}

export interface Swept {
  /** For `nodesFailed`. */
  quiet: QuietNode[];
  fenced: FencedNode[];
  /** On a dry run: what would be fenced. */
  wouldFence: string[];
  /** Nodes that have a lease at all. */
  agents: number;
  /** Clients that have one. */
  clientAgents: number;
  clients: SweptClients;
  /** The node that this is. */
  self: string;
}

/** Finds who lapsed, nodes and clients, and fences them. @throws CfsError CLUSTER_FROZEN, what readAgentConfig throws, SystemCallError */
export async function sweepLeases(wish: SweepWish): Promise<Swept> {
  const { cluster, isDryRun, onStep } = wish;
  refuseFrozen(cluster);
  const site = siteOf(wish);
  const findings = await watchLeases(cluster, {
    before: site.before,
    onLook: (nodes, leftMs) => {
      if (nodes.length > 0)
        onStep(`Watching the lease of ${nodes.slice(0, 5).join(', ')}, at most ${Math.ceil(leftMs / 1000)} s more`);
    },
  });
  if (!isDryRun) keep(site.stateDir, findings, wish);
  const { clientFencing, ownClient, self } = site;
  const holders = Object.keys(findings.observations.nodes);
  const agents = holders.filter((holder) => clientOfHolder(holder) === null).length;
  const parts = { cluster, fencing: clientFencing, self, ownClient, isDryRun, onStep };
  const [nodes, clients] = await Promise.all([
    fenceNodes(findings.lapsed, site, wish),
    fenceClients(findings.clients, parts),
  ]);
  return { ...nodes, agents, clientAgents: holders.length - agents, clients, self };
}

type SweptNodes = Pick<Swept, 'quiet' | 'fenced' | 'wouldFence'>;

async function fenceNodes(
  quiet: QuietNode[],
  { fencing, self }: Site,
  { cluster, isDryRun, change, onStep }: SweepWish,
): Promise<SweptNodes> {
  const swept: SweptNodes = { quiet, fenced: [], wouldFence: [] };
  if (fencing === null || !allowsFormat2(cluster.snapshot())) return swept;
  // The orderly left run nothing; and nobody turns itself off.
  const needsFencing = ({ node, left }: QuietNode) => !left && node !== self;
  swept.wouldFence = isDryRun ? swept.quiet.filter(needsFencing).map(({ node }) => node) : [];
  if (isDryRun) return swept;
  const parts = { cluster, fencing, self, change: inTurn(change), onStep };
  // At once: one that takes its whole time must not keep the others waiting.
  const done = await Promise.all(
    swept.quiet.map(async (quiet) => (needsFencing(quiet) ? fenceQuiet(quiet, parts) : { quiet, fenced: null })),
  );
  swept.quiet = done.map(({ quiet }) => quiet);
  swept.fenced = done.flatMap(({ fenced }) => (fenced === null ? [] : [fenced]));
  return swept;
}

/** One change at a time, while fencing commands run beside one another. */
function inTurn(change: SweepFenceParts['change']): SweepFenceParts['change'] {
  let last: Promise<unknown> = Promise.resolve();
  return (operation, request) => {
    const next = last.then(() => change(operation, request));
    last = next.catch(() => {});
    return next;
  };
}

function refuseFrozen(cluster: DirectoryCluster): void {
  const frozen = frozenReason(cluster.snapshot(), Date.now());
  if (frozen === null) return;
  throw new CfsError('CLUSTER_FROZEN', `Nothing is swept: ${frozen}`, {
    hint: 'End it with cfs cluster unfreeze, or name the node that has failed: cfs failover NODE',
  });
}

interface Site {
  self: string;
  fencing: NodeFencing | null;
  clientFencing: NodeFencing | null;
  /** The client that this host is. */
  ownClient: string | null;
  stateDir: string;
  before: SweepObservations | null;
}

function siteOf({ cluster, config: path, stateDir: flag, node }: SweepWish): Site {
  const { dir, store } = cluster;
  const config = readAgentConfig(path);
  const self = node(config.node);
  const clusterName = () => settingOf(cluster.snapshot(), 'name');
  const served = { role: 'node', name: self } as const;
  const stateDir = chooseStateDir({ flag, configured: config.stateDir, served, dir, clusterName });
  return {
    self,
    fencing: ownFencing(config, dir, self),
    clientFencing: ownFencing(config, dir, self, 'client'),
    ownClient: config.client?.name ?? null,
    stateDir,
    before: readObservations(stateDir, store.place.platform.processes.bootId()),
  };
}

/** Nothing is kept, and no directory made, where no agent ever ran. */
function keep(stateDir: string, { observations }: SweepFindings, { cluster, onNote }: SweepWish): void {
  if (Object.keys(observations.nodes).length === 0) return;
  try {
    makeStateDir(stateDir, cluster.dir);
    writeObservations(stateDir, observations);
  } catch (error) {
    onNote(`What was seen cannot be kept for the next sweep, which will watch again: ${(error as Error).message}`);
  }
}

/**
 * `nodesFailed` for what was found, which looks at the leases again under the lock. On a dry run as if all had been fenced that
 * would be.
 */
export function failQuiet(cluster: DirectoryCluster, swept: Swept): Operation<FailedRequest, FailedResult> {
  const { platform, paths } = cluster.store.place;
  const stillQuiet = (node: string, seq: number) => listLeases(platform, paths.leases).get(node)?.seq === seq;
  return {
    ...nodesFailed,
    run(draft, request, context) {
      for (const { node, lease } of request.nodes) {
        if (!swept.wouldFence.includes(node)) continue;
        draft.put('fencing', node, { state: 'done', by: swept.self, lease, attempts: 1, message: null });
      }
      return nodesFailed.run(draft, { ...request, stillQuiet }, context);
    },
  };
}

/** What `nodesFailed` gives for no nodes. */
export function nothingFailed(cluster: DirectoryCluster): TransactOutcome<FailedResult> {
  const { generation } = cluster.snapshot();
  const value = { failed: [], suspected: [], leftAlone: [], moved: 0, unplaced: 0 };
  return { value, changes: [], base: generation, generation, committed: false, txid: null };
}

/** Takeovers that wait until the node is fenced or its end is confirmed. */
export function waitingFor(snapshot: Snapshot, result: FailedResult, { quiet }: Swept): NotDone[] {
  const isRequired = settingOf(snapshot, 'fencing.policy') === 'required';
  const isObstructed = ({ node, why }: NotDone): boolean => {
    const lease = quiet.find((item) => item.node === node)?.lease ?? null;
    return lease !== null && why === fencingObstacle(snapshot, node, lease, isRequired);
  };
  return [...result.suspected, ...result.leftAlone.filter(isObstructed)];
}
