/** Clusters for tests of membership: nodes with agents, and volumes that may be on any of them. */
import { init } from '../../src/core/config/init.js';
import { clusterSet } from '../../src/core/config/settings.js';
import type { Lease } from '../../src/core/membership/leases.js';
import { LeaseObserver } from '../../src/core/membership/observer.js';
import type { MembershipRecord } from '../../src/core/model/tables.js';
import type { Operation } from '../../src/core/operation.js';
import { rebalance } from '../../src/core/placement/operations.js';
import type { Snapshot } from '../../src/core/store/store.js';
import { MemoryCluster } from '../kit/memory.js';

export interface Wish {
  nodes: number;
  volumes: number;
  state?: 'online' | 'offline';
  settings?: Record<string, string | number>;
}

/** Nodes n1 … and volumes v1 …, volume i preferring node i (as far as there are nodes), placed by a rebalance. */
export function clusterOfNodes({ nodes, volumes, state = 'online', settings = {} }: Wish): MemoryCluster {
  const cluster = new MemoryCluster();
  cluster.change(init, {
    document: {
      settings: { name: 'test' },
      nodes: Array.from({ length: nodes }, (_, i) => ({ name: `n${i + 1}`, domains: ['all'], state })),
      volumes: Array.from({ length: volumes }, (_, i) => ({
        name: `v${i + 1}`,
        domains: ['all'],
        weight: (i % 5) + 1,
        preferredNode: i < nodes ? `n${i + 1}` : null,
      })),
    },
  });
  if (Object.keys(settings).length > 0) cluster.change(clusterSet, { settings });
  cluster.change(rebalance, {});
  return cluster;
}

/** Writes a membership record as it is. */
export const giveMembership: Operation<{ node: string; record: MembershipRecord }, void> = {
  name: 'test.membership',
  run: (draft, { node, record }) => draft.put('membership', node, record),
};

export function membershipOf(cluster: MemoryCluster, node: string): MembershipRecord | undefined {
  return cluster.snapshot().table('membership').get(node);
}

/** Where each volume is. */
export function whereabouts(snapshot: Snapshot): Map<string, string | null> {
  return new Map([...snapshot.table('placements').entries()].map(([volume, { node }]) => [volume, node]));
}

export function volumesOn(snapshot: Snapshot, node: string): string[] {
  return [...whereabouts(snapshot)].flatMap(([volume, on]) => (on === node ? [volume] : []));
}

/** Leases by hand, and an observer that looks at them every `stepMs`. */
export class Leases {
  readonly observer: LeaseObserver;
  readonly leases = new Map<string, Lease>();
  nowMs = 1000;

  /** @param generation what a first lease acknowledges */
  constructor(
    readonly stepMs = 1000,
    maxGapMs = 3 * stepMs,
    readonly generation = 0,
  ) {
    this.observer = new LeaseObserver(maxGapMs);
  }

  renew(node: string, more: Partial<Lease> = {}): void {
    const known = this.leases.get(node) ?? {
      node,
      seq: 0,
      released: this.generation,
      applied: this.generation,
      timeoutMs: 0,
    };
    this.leases.set(node, { ...known, seq: known.seq + 1, ...more });
  }

  look(): void {
    this.observer.look({ leases: new Map(this.leases), beganMs: this.nowMs, endedMs: this.nowMs });
  }

  /** Steps of time, in which the nodes renew and the observer looks. */
  run(steps: number, renewing: readonly string[], each: () => void = () => undefined): void {
    for (let i = 0; i < steps; i++) {
      this.nowMs += this.stepMs;
      for (const node of renewing) this.renew(node);
      this.look();
      each();
    }
  }
}
