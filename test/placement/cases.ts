/** The golden cases: one small file each in fixtures/placement/cases, named after the situation. */
import { readdirSync, readFileSync } from 'node:fs';
import { load } from 'js-yaml';
import type {
  MembershipRecord,
  NodeRecord,
  NodeState,
  PlacementRecord,
  VolumeRecord,
} from '../../src/core/model/tables.js';
import type { Operation } from '../../src/core/operation.js';
import { explain } from '../../src/core/placement/explain.js';
import { drainTo, failback, failover, rebalance } from '../../src/core/placement/operations.js';
import type { PlacementResult } from '../../src/core/placement/result.js';
import { MemoryDraft, memorySnapshot } from '../../src/core/store/draft.js';
import type { Snapshot } from '../../src/core/store/store.js';

interface CaseFile {
  nodes: Record<string, { weight: number; domains: string[]; groups: string[]; state?: NodeState }>;
  volumes: Record<
    string,
    {
      weight: number;
      group: string | null;
      domains: string[];
      preferredNode?: string;
      canGroupMigrate?: boolean;
      /** Where it is; absent: no placement record yet, unless `unplaced` says why it has no node. */
      on?: string;
      unplaced?: 'no-common-domain' | 'group-locked';
    }
  >;
  request: { operation: string; node?: string };
  expected: Outcome;
}

/** What a case expects: everything the decision does, in lines. */
export interface Outcome {
  /** `volume: old -> new`, in natural order. */
  plan: string[];
  /** Membership changes, `node: old -> new`. */
  states?: string[];
  unassigned?: string[];
  warnings?: string[];
  explain: string[];
}

export const OPERATIONS = new Map<string, Operation<{ node: string }, PlacementResult>>(
  [rebalance as unknown as Operation<{ node: string }, PlacementResult>, failover, failback, drainTo('standby')].map(
    (operation) => [operation.name, operation],
  ),
);

export interface Case {
  name: string;
  snapshot: Snapshot;
  request: CaseFile['request'];
  expected: Outcome;
}

function snapshotOf(file: CaseFile): Snapshot {
  const nodes = new Map<string, NodeRecord>();
  const membership = new Map<string, MembershipRecord>();
  for (const [name, { state, ...record }] of Object.entries(file.nodes)) {
    nodes.set(name, { ...record, updateIntervalMs: 10_000, threshold: 0.8 });
    membership.set(name, { state: state ?? 'online', reason: null });
  }
  const volumes = new Map<string, VolumeRecord>();
  const placements = new Map<string, PlacementRecord>();
  for (const [name, { on, unplaced, preferredNode, canGroupMigrate, ...record }] of Object.entries(file.volumes)) {
    volumes.set(name, { ...record, preferredNode: preferredNode ?? null, canGroupMigrate: canGroupMigrate ?? true });
    if (on === undefined && unplaced === undefined) continue;
    const given = { since: 1, by: 'given', stage: null, rule: null };
    placements.set(name, { node: on ?? null, unplaced: unplaced ?? null, ...given });
  }
  return memorySnapshot({ nodes, membership, volumes, placements }, 4);
}

const FOLDER = new URL('../../fixtures/placement/cases/', import.meta.url);

export function readCases(): Case[] {
  return readdirSync(FOLDER)
    .filter((name) => name.endsWith('.yaml'))
    .sort()
    .map((name) => {
      const file = load(readFileSync(new URL(name, FOLDER), 'utf8')) as CaseFile;
      const { request, expected } = file;
      return { name: name.slice(0, -'.yaml'.length), snapshot: snapshotOf(file), request, expected };
    });
}

/** Runs a case's request on its state. */
export function runCase({ snapshot, request }: Case): {
  draft: MemoryDraft;
  result: PlacementResult;
  outcome: Outcome;
} {
  const draft = new MemoryDraft(snapshot);
  const operation = OPERATIONS.get(request.operation) as Operation<{ node: string }, PlacementResult>;
  const result = operation.run(draft, { node: request.node ?? '' }, { nowMs: 0 });
  const states = draft
    .changes()
    .filter(({ table }) => table === 'membership')
    .map(({ name, before, after }) => {
      return `${name}: ${(before as MembershipRecord | null)?.state} -> ${(after as MembershipRecord).state}`;
    });
  const unassigned = result.unassigned.map(({ volume, reason }) => `${volume}: ${reason}`);
  const warnings = result.warnings.map(({ code, detail }) => `${code}: ${detail}`);
  const outcome: Outcome = {
    plan: result.changed.map((volume) => {
      const old = snapshot.table('placements').get(volume)?.node;
      return `${volume}: ${old ?? '-'} -> ${result.assignment.get(volume) ?? '-'}`;
    }),
    ...(states.length > 0 ? { states } : {}),
    ...(unassigned.length > 0 ? { unassigned } : {}),
    ...(warnings.length > 0 ? { warnings } : {}),
    explain: explain(result),
  };
  return { draft, result, outcome };
}
