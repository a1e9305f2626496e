/** `cfs why VOLUME`: which decision put the volume where it is, and for each other node why it is not there. */
import { requireVolume } from '../model/find.js';
import type { PlacementRecord, UnplacedReason } from '../model/tables.js';
import type { Snapshot } from '../store/store.js';
import { type Amount, Capacity } from './capacity.js';
import { type ExclusionRule, exclusion, sharesDomain } from './eligibility.js';
import { planFailback, planFailover } from './failover.js';
import { type PlacementNode, type PlacementVolume, placementInput, placementNodes, placementVolume } from './input.js';
import { besideOthers } from './moment.js';
import { sortNames } from './name-order.js';
import type { PlacementResult } from './result.js';
import { staged } from './staged.js';

/** What is needed to make the decision again. */
export interface Replay {
  /** The generation before the one that made the placement (`since`). */
  readonly before: Snapshot;
  /** What history says of the generation `since`. */
  readonly operation: string;
  readonly request: unknown;
}

export interface WhyNode {
  readonly node: string;
  readonly verdict: 'here' | 'excluded' | 'eligible';
  /** Set when excluded. */
  readonly rule: ExclusionRule | null;
  readonly text: string;
}

export interface Why {
  readonly volume: string;
  readonly generation: number;
  readonly node: string | null;
  /** Generation, decision, stage and rule of the placement; null where no record says so. */
  readonly since: number | null;
  readonly by: string | null;
  readonly stage: string | null;
  readonly rule: string | null;
  readonly unplaced: UnplacedReason | null;
  /** Whether the capacities are those of the moment of the decision; else they are the present ones. */
  readonly replayed: boolean;
  /** Every node, in natural order, the volume's own first. */
  readonly nodes: readonly WhyNode[];
  /** All of this as text. */
  readonly lines: readonly string[];
}

export interface WhyOptions {
  readonly replay?: Replay;
  /** Without a replay, tell present capacities; that reads the tables volumes and placements whole. Default true. */
  readonly capacities?: boolean;
}

function nameOf(item: unknown): string | null {
  const name = typeof item === 'object' && item !== null ? (item as { node?: unknown }).node : item;
  return typeof name === 'string' ? name.normalize('NFC') : null;
}

/** The nodes of a request as history keeps it: one (`failover`), or several (`node.failed`, `node.join`, `node.return`). */
function nodesOf(request: unknown): string[] | null {
  const single = nameOf(request);
  if (single !== null) return [single];
  const { nodes, count } = (typeof request === 'object' && request !== null ? request : {}) as {
    nodes?: unknown;
    count?: unknown;
  };
  // A long list is not kept whole, and then nobody knows.
  if (!Array.isArray(nodes) || (typeof count === 'number' && count > nodes.length)) return null;
  const names = nodes.map(nameOf);
  return names.every((name) => name !== null) ? names : null;
}

/** Makes the decision again; null when it is not known how. */
function decideAgain(by: string, replay: Replay): PlacementResult | null {
  const input = placementInput(replay.before);
  if (by === 'staged' && replay.operation === 'rebalance') return staged(input);
  const named = nodesOf(replay.request);
  if (named === null) return null;
  if (by === 'failover' || by === 'drain') return planFailover(input, { leaving: named, by });
  if (by !== 'failback' && by !== 'staged' && by !== 'join') return null;
  // These came, or came back, with the decision.
  const nodes = input.nodes.map((known) =>
    named.includes(known.name) ? { ...known, active: true, held: false } : known,
  );
  if (by === 'staged') return nodes.some(({ held }) => held) ? null : staged({ ...input, nodes });
  if (by === 'join') return planFailover({ ...input, nodes }, { leaving: [], by });
  return planFailback({ ...input, nodes }, named);
}

function replayed(record: PlacementRecord | undefined, volume: string, replay: Replay | undefined) {
  if (record === undefined || record.node === null || replay === undefined) return null;
  if (replay.before.generation !== record.since - 1) return null;
  const result = decideAgain(record.by, replay);
  // Whatever else the generation changed may have decided: then the moment is not the one we computed.
  if (result === null || result.assignment.get(volume) !== record.node) return null;
  return besideOthers(result, volume);
}

/** Remaining capacities of the active nodes now, as text. Reads volumes and placements whole. */
function presentCapacities(snapshot: Snapshot, nodes: readonly PlacementNode[]): Map<string, string> {
  const active = nodes.filter((node) => node.active);
  const index = new Map(active.map((node, n) => [node.name, n]));
  const reached = new Map<string, boolean>();
  const placements = snapshot.table('placements');
  const weights: number[] = [];
  const holders: number[] = [];
  for (const [name, volume] of snapshot.table('volumes').entries()) {
    const key = volume.domains.join('\0');
    let isReached = reached.get(key);
    if (isReached === undefined) {
      isReached = active.some((node) => sharesDomain(node.domains, volume.domains));
      reached.set(key, isReached);
    }
    if (!isReached) continue;
    weights.push(volume.weight);
    holders.push(index.get(placements.get(name)?.node ?? '') ?? -1);
  }
  const capacity = new Capacity(
    active.map((node) => node.weight),
    weights,
  );
  const remaining = capacity.empty.slice();
  holders.forEach((n, v) => {
    if (n >= 0) remaining[n] = (remaining[n] as Amount) - (capacity.weight[v] as Amount);
  });
  return new Map(active.map((node, n) => [node.name, capacity.text(remaining[n] as Amount)]));
}

function whereText(volume: string, record: PlacementRecord | undefined): string {
  if (record === undefined) return `${volume} has no node yet: nothing has placed it (cfs rebalance does)`;
  const made = `by ${record.by} in generation ${record.since}`;
  if (record.node === null) return `${volume} has no node: ${record.unplaced} (${made})`;
  const stage = record.stage === null ? '' : `${record.stage} `;
  const rule = record.rule === null ? '' : `: ${stage}(${record.rule})`;
  return `${volume} is on ${record.node}, placed ${made}${rule}`;
}

/**
 * Explains one volume. Reads the nodes, and one volume and placement; more only for capacities (see WhyOptions).
 * @throws CfsError VOLUME_NOT_FOUND, with the nearest name as hint
 */
export function whyVolume(snapshot: Snapshot, name: string, options: WhyOptions = {}): Why {
  const volume = placementVolume(snapshot, requireVolume(snapshot, name)) as PlacementVolume;
  const record = snapshot.table('placements').get(volume.name);
  const all = placementNodes(snapshot);
  const byName = new Map(all.map((node) => [node.name, node]));
  const own = volume.currentNode;
  const order = sortNames(byName.keys());
  if (own !== null && byName.has(own)) order.sort((a, b) => Number(b === own) - Number(a === own));

  const moment = replayed(record, volume.name, options.replay);
  let present: Map<string, string> | null = null;
  const standing = (node: string): string => {
    const then = moment?.get(node);
    if (then !== undefined) return then;
    if (byName.get(node)?.held)
      return 'eligible, but back after a failure: volumes wait until it has stayed up (failback.hold)';
    if (options.capacities === false) return 'eligible';
    present ??= presentCapacities(snapshot, all);
    const against = own !== null && present.has(own) ? `, ${own}'s ${present.get(own)}` : '';
    return `eligible; RC now ${present.get(node)}${against}`;
  };
  const nodes = order.map((node): WhyNode => {
    const excluded = exclusion(byName.get(node) as PlacementNode, volume);
    if (node === own) {
      const text = excluded === null ? 'has it' : `has it, but may not have it any more: ${excluded.text}`;
      return { node, verdict: 'here', rule: excluded?.rule ?? null, text };
    }
    if (excluded !== null) return { node, verdict: 'excluded', rule: excluded.rule, text: excluded.text };
    return { node, verdict: 'eligible', rule: null, text: standing(node) };
  });
  return {
    volume: volume.name,
    generation: snapshot.generation,
    node: own,
    since: record?.since ?? null,
    by: record?.by ?? null,
    stage: record?.stage ?? null,
    rule: record?.rule ?? null,
    unplaced: record?.unplaced ?? null,
    replayed: moment !== null,
    nodes,
    lines: [whereText(volume.name, record), ...nodes.map(({ node, text }) => `  ${node}: ${text}`)],
  };
}
