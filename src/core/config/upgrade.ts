/**
 * Raising the format: one generation that changes no record (docs/FORMAT.md, "Versions of the format"). Refused as long as an
 * agent is known that could not read it: it would have to stop all that its node runs.
 */
import { CfsError } from '../errors.js';
import { countOf } from '../model/find.js';
import { FORMAT_NEWS } from '../model/format.js';
import { naturalCompare, quoteName } from '../model/names.js';
import type { Operation } from '../operation.js';
import type { Draft } from '../store/store.js';

/** What a node's lease says of the program that made it. */
export interface AgentVersion {
  node: string;
  /** `gone`: it left, or its lease was watched for the whole lease timeout without a renewal. */
  state: 'live' | 'gone';
  /** Null: the lease does not say. */
  version: string | null;
  /** Newest format that it reads; null: the lease does not say. */
  format: number | null;
}

export interface UpgradeRequest {
  /** The format to be. */
  format: number;
  /** Every agent that has a lease. */
  agents: readonly AgentVersion[];
  /** Go on though agents that are gone could not read it: they stay out until they are upgraded. */
  force?: boolean;
}

export interface UpgradeResult {
  from: number;
  to: number;
  /** What the new format brings, a sentence each. */
  news: string[];
  /** Agents too old for it that are left behind. */
  leftBehind: AgentVersion[];
  /** Nodes that have no agent: nobody knows what they can read. */
  withoutAgent: string[];
}

/** @throws CfsError AGENT_TOO_OLD naming the nodes that cannot read the format */
export const clusterUpgrade: Operation<UpgradeRequest, UpgradeResult> = {
  name: 'cluster.upgrade',
  run(draft, request) {
    const { format, agents, force = false } = request;
    const from = draft.format;
    const nodes = draft.table('nodes');
    const known = new Set(agents.map(({ node }) => node));
    const withoutAgent = [...nodes.names()].filter((node) => !known.has(node)).sort(naturalCompare);
    if (format <= from) return { from, to: from, news: [], leftBehind: [], withoutAgent };
    const old = agents
      .filter((agent) => nodes.has(agent.node) && (agent.format ?? 0) < format)
      .sort((a, b) => naturalCompare(a.node, b.node));
    const inTheWay = force ? old.filter(({ state }) => state === 'live') : old;
    if (inTheWay.length > 0) throw refusal(draft, inTheWay, format, force);
    draft.setFormat(format);
    const news: string[] = [];
    for (let next = from + 1; next <= format; next++) news.push(...(FORMAT_NEWS.get(next) ?? []));
    return { from, to: format, news, leftBehind: old, withoutAgent };
  },
  recorded: ({ format, force }) => ({ format, ...(force === true ? { force } : {}) }),
};

/** `n2 (cfs 0.2.0, format 1)`, `n4 (gone; its lease does not say its version)`. */
export function agentVersionText({ node, state, version, format }: AgentVersion): string {
  const says = format === null ? 'its lease does not say its version' : `cfs ${version}, format ${format}`;
  return `${quoteName(node)} (${state === 'gone' ? 'gone; ' : ''}${says})`;
}

const NAMED = 10;

function refusal(draft: Draft, old: readonly AgentVersion[], format: number, force: boolean): CfsError {
  const named = old.slice(0, NAMED).map(agentVersionText);
  if (old.length > NAMED) named.push(`${old.length - NAMED} more`);
  const upgrade = 'Upgrade cfs on these nodes and restart their agents, then repeat.';
  return new CfsError(
    'AGENT_TOO_OLD',
    `${countOf(old.length, 'agent')} cannot read format ${format}: ${named.join(', ')}`,
    {
      hint: force
        ? `${upgrade} --force leaves behind only agents whose lease is not renewed any more.`
        : `${upgrade} Nodes that are down for long are left behind with --force.`,
      details: { from: draft.format, to: format, agents: old },
    },
  );
}
