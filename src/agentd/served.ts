/** Whom an agent serves: a node or a client. One process may serve one of each, with two workers (supervisor-main.ts). */
import { clientHolder, encodeName } from '../core/membership/leases.js';

export const ROLES = ['node', 'client'] as const;
export type Role = (typeof ROLES)[number];

export interface Served {
  role: Role;
  /** The node's or the client's, as in the tables. */
  name: string;
}

/** `node n1`, for sentences. */
export function servedText({ role, name }: Served): string {
  return `${role} ${name}`;
}

export function isSameServed(a: Served, b: Served): boolean {
  return a.role === b.role && a.name === b.name;
}

/** Who holds the lease, and stands in the ownership journal: a node by its name, a client as `client~NAME`. */
export function holderOf({ role, name }: Served): string {
  return role === 'client' ? clientHolder(name) : name;
}

/** The name of its state directory below that of the cluster; also, below that of a node, of a client that is served with it. */
export function stateName({ role, name }: Served): string {
  return role === 'client' ? clientHolder(encodeName(name)) : encodeName(name);
}

/** What every program of the configuration is told: CFS_NODE or CFS_CLIENT. */
export function servedVariables({ role, name }: Served): Record<string, string> {
  return role === 'client' ? { CFS_CLIENT: name } : { CFS_NODE: name };
}

interface Words {
  /** What the supervisor does with what runs there. */
  stopping: string;
  stopped: string;
  notStopped: string;
  /** What others may do when the lease has lapsed. */
  others: string;
  /** What they may have done when it was too late. */
  othersDid: string;
}

export const WORDS: Readonly<Record<Role, Words>> = {
  node: {
    stopping: 'stopping',
    stopped: 'stopped',
    notStopped: 'could not be stopped',
    others: 'another node may take over',
    othersDid: 'another node may have taken over meanwhile',
  },
  client: {
    stopping: 'making read-only',
    stopped: 'made read-only',
    notStopped: 'could not be made read-only',
    others: 'another client may write',
    othersDid: 'another client may have written meanwhile',
  },
};
