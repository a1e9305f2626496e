/**
 * Clusters under random faults and commands, by seed: never two owners of a volume, and when the faults end everything comes to
 * rest as the tables say (test/kit/sim-faults.ts). CFS_SIM_SEEDS=N runs more, CFS_SIM_FROM=N begins elsewhere; a failure names its
 * seed and shows what happened last (CFS_SIM_TRACE=N lines, CFS_SIM_LOG=1 with the agents' own words).
 */
import assert from 'node:assert/strict';
import { Holdings } from '../../src/core/agent/holdings.js';
import { OwnLease } from '../../src/core/agent/own-lease.js';
import { Peers } from '../../src/core/agent/peers.js';
import type { Snapshot } from '../../src/core/store/store.js';
import type { SimOptions } from '../kit/sim-cluster.js';
import { type Fault, randomRun } from '../kit/sim-faults.js';
import { LateWatchdog, mutated } from '../kit/sim-mutants.js';

const SETTINGS = {
  ...{ 'lease.interval': 500, 'lease.timeout': 3000, 'join.settle': 500 },
  ...{ 'apply.timeout': 5000, 'failback.hold': 5000 },
};
const CLUSTER: Omit<SimOptions, 'seed'> = {
  nodes: 6,
  volumes: 12,
  mostLagMs: 20,
  hasBallast: true,
  settings: SETTINGS,
};

const FROM = Number(process.env.CFS_SIM_FROM ?? 1);
const SEEDS = Number(process.env.CFS_SIM_SEEDS ?? 45);
/** Seeds that once failed. 9074: a directory that hung between a lease's name and its content, while lease.timeout became shorter. */
const FOUND = [9074];

/** The first seed at which two owners were seen; undefined: at none of so many. */
async function firstCaught(seeds: number, options: Partial<SimOptions> = {}): Promise<number | undefined> {
  for (let seed = 1; seed <= seeds; seed++) {
    try {
      await randomRun({ ...CLUSTER, ...options, seed }, { troubledMs: 60_000, restMs: 60_000 });
    } catch (error) {
      if ((error as Error).message.startsWith('two owners')) return seed;
      // What else a broken rule leads to is not what is asked here.
    }
  }
  return undefined;
}

describe('simulated clusters of agents', function () {
  this.timeout(60_000 + SEEDS * 2000);

  it('never have two owners of a volume, and come to rest when the faults end', async () => {
    const seeds = [...FOUND, ...Array.from({ length: SEEDS }, (_, i) => FROM + i)];
    for (const seed of seeds) await randomRun({ ...CLUSTER, seed }, { troubledMs: 120_000, restMs: 60_000 });
  });

  it('are the same for the same seed', async () => {
    const traces: string[][] = [];
    for (let run = 0; run < 2; run++) {
      const { world } = await randomRun({ ...CLUSTER, seed: FROM }, { troubledMs: 30_000, restMs: 60_000 });
      traces.push(world.trace);
    }
    assert.deepEqual(traces[0], traces[1]);
  });

  it('keep that promise with fencing required, though whole machines freeze and run on', async () => {
    const freeze: Fault = (_, node, chance) => node.freeze(chance.between(500, 20_000));
    const settings = { ...SETTINGS, 'fencing.policy': 'required' };
    for (let seed = FROM; seed < FROM + Math.ceil(SEEDS / 4); seed++) {
      const options = { ...CLUSTER, settings, hasFencing: true, state: 'online' as const, seed };
      await randomRun(options, { troubledMs: 90_000, restMs: 90_000, more: [freeze] });
    }
  });

  it('break it without fencing when whole machines freeze: which the manual says', async () => {
    const freeze: Fault = (_, node, chance) => node.freeze(chance.between(5000, 20_000));
    let seen = 0;
    for (let seed = 1; seed <= 8; seed++) {
      try {
        await randomRun({ ...CLUSTER, seed }, { troubledMs: 60_000, restMs: 60_000, more: [freeze] });
      } catch (error) {
        if ((error as Error).message.startsWith('two owners')) seen += 1;
      }
    }
    assert.ok(seen > 0);
  });

  describe('and the checker has teeth: it finds', () => {
    it('starts without waiting until the former owner is clear', async () => {
      await mutated(
        Peers.prototype,
        'inTheWay',
        () => [],
        async () => {
          assert.notEqual(await firstCaught(20), undefined);
        },
      );
    });

    it('an acknowledgement that comes before the stop', async () => {
      await mutated(
        Holdings.prototype,
        'hasReleased',
        () => true,
        async () => {
          assert.notEqual(await firstCaught(50), undefined);
        },
      );
    });

    it('a supervisor that fences after 1.2 x lease.timeout', async () => {
      assert.notEqual(await firstCaught(20, { makeWatchdog: () => new LateWatchdog() }), undefined);
    });

    it('volumes of a failed node that are started although its lease was renewed since', async () => {
      const { clearanceOf } = Peers.prototype;
      const hasty = function (this: Peers, node: string, epoch: number) {
        return failed.has(node) ? ('recorded' as const) : clearanceOf.call(this, node, epoch);
      };
      // What the tables say of the nodes, as the agents read it.
      const failed = new Set<string>();
      const { follow } = Peers.prototype;
      const noting = function (this: Peers, snapshot: Snapshot): void {
        failed.clear();
        for (const [node, { state }] of snapshot.table('membership').entries())
          if (state === 'failed') failed.add(node);
        follow.call(this, snapshot);
      };
      await mutated(Peers.prototype, 'follow', noting, () =>
        mutated(Peers.prototype, 'clearanceOf', hasty, async () => {
          assert.notEqual(await firstCaught(30), undefined);
        }),
      );
    });

    it('nodes taken for nodes without an agent when a listing misses a lease that is being renewed', async () => {
      const peers = Peers.prototype as unknown as { keepMissing: () => void };
      const own = OwnLease.prototype as unknown as { removeStale: () => void };
      const { removeStale } = own;
      // The name before the newest goes at once, and a lease that was seen is forgotten.
      const atOnce = function (this: { current: string | null; stale: string[] }): void {
        if (this.current !== null) this.stale.push(this.current);
        removeStale.call(this as never);
      };
      await mutated(
        peers,
        'keepMissing',
        () => {},
        () =>
          mutated(own, 'removeStale', atOnce, async () => {
            assert.notEqual(await firstCaught(30), undefined);
          }),
      );
    });

    it('observers that wait for half of the timeout only', async () => {
      const { timeoutOf } = Peers.prototype;
      const half = function (this: Peers, node: string): number {
        return timeoutOf.call(this, node) / 2;
      };
      await mutated(Peers.prototype, 'timeoutOf', half, async () => {
        assert.notEqual(await firstCaught(20), undefined);
      });
    });
  });
});
