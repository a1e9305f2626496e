/**
 * Whether the records of a snapshot fit together: every reference names a record, no two declared names are one. Operations
 * keep it so; this finds where they, or somebody's hands, did not. Reads everything.
 */
import type { Snapshot } from '../store/store.js';
import { ALL_DOMAINS, ANY_GROUP } from './defaults.js';
import { checkAccess } from './integrity-access.js';
import { foldCase, quoteName } from './names.js';
import type { MembershipRecord, NodeState, TableName } from './tables.js';

export interface IntegrityProblem {
  table: TableName;
  name: string;
  says: string;
}

/** What does not fit, at most `limit` problems. */
export function integrityProblems(snapshot: Snapshot, limit = 20): IntegrityProblem[] {
  const problems: IntegrityProblem[] = [];
  const nodes = snapshot.table('nodes');
  const volumes = snapshot.table('volumes');
  const groups = snapshot.table('groups');
  const domains = snapshot.table('domains');
  const add = (table: TableName, name: string, says: string): void => {
    if (problems.length < limit) problems.push({ table, name, says });
  };
  for (const table of ['groups', 'domains'] as const) {
    const seen = new Map<string, string>();
    for (const name of snapshot.table(table).names()) {
      const other = seen.get(foldCase(name));
      if (other !== undefined) add(table, name, `it is the same as ${quoteName(other)}`);
      seen.set(foldCase(name), name);
    }
  }
  const checkDomains = (table: TableName, name: string, list: readonly string[]): void => {
    for (const domain of list) {
      if (domain !== ALL_DOMAINS && !domains.has(domain)) add(table, name, `there is no domain ${quoteName(domain)}`);
    }
  };
  for (const [name, node] of nodes.entries()) {
    for (const group of node.groups)
      if (!groups.has(group)) add('nodes', name, `there is no group ${quoteName(group)}`);
    checkDomains('nodes', name, node.domains);
  }
  checkMembership(snapshot, add);
  for (const [name, volume] of volumes.entries()) {
    const { group, preferredNode } = volume;
    if (group !== null && group !== ANY_GROUP && !groups.has(group)) {
      add('volumes', name, `there is no group ${quoteName(group)}`);
    }
    if (preferredNode !== null && !nodes.has(preferredNode)) {
      add('volumes', name, `there is no node ${quoteName(preferredNode)}, which it prefers`);
    }
    checkDomains('volumes', name, volume.domains);
  }
  for (const [name, placement] of snapshot.table('placements').entries()) {
    if (!volumes.has(name)) add('placements', name, 'there is no such volume');
    if (placement.node !== null && !nodes.has(placement.node)) {
      add('placements', name, `there is no node ${quoteName(placement.node)}, which administers it`);
    }
    if (placement.since > snapshot.generation) add('placements', name, `its epoch ${placement.since} is in the future`);
  }
  checkAccess(snapshot, add);
  return problems;
}

/** States that may carry each field of a membership record beside state and reason (tables.ts). */
const FIELD_STATES = {
  lease: ['suspect', 'failed', 'standby', 'offline'],
  mayJoin: ['offline'],
  held: ['online', 'suspect', 'offline'],
} as const satisfies Partial<Record<keyof MembershipRecord, readonly NodeState[]>>;

function checkMembership(snapshot: Snapshot, add: (table: TableName, name: string, says: string) => void): void {
  const nodes = snapshot.table('nodes');
  for (const [name, record] of snapshot.table('membership').entries()) {
    if (!nodes.has(name)) add('membership', name, 'there is no such node');
    for (const [field, states] of Object.entries(FIELD_STATES)) {
      const isThere = record[field as keyof typeof FIELD_STATES] !== undefined;
      if (isThere && !(states as readonly NodeState[]).includes(record.state)) {
        add('membership', name, `a node that is ${record.state} has no ${field}`);
      }
    }
  }
  for (const name of snapshot.table('fencing').names()) {
    if (!nodes.has(name)) add('fencing', name, 'there is no such node');
  }
}
