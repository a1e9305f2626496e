/** What operators do meanwhile, at random. */
import { clusterSet } from '../../src/core/config/settings.js';
import { volumeCreate, volumeRemove } from '../../src/core/config/volumes.js';
import { nodeOnline } from '../../src/core/membership/states.js';
import { drainTo, failback, failover, rebalance } from '../../src/core/placement/operations.js';
import type { SimCluster } from './sim-cluster.js';
import type { Chance } from './sim-world.js';

const TIMES: readonly Record<string, number>[] = [
  { 'lease.timeout': 3000, 'lease.interval': 500 },
  { 'lease.timeout': 1500, 'lease.interval': 300 },
  { 'lease.timeout': 6000, 'lease.interval': 1000 },
  { 'apply.timeout': 3000 },
  { 'apply.timeout': 10_000 },
  { 'failback.hold': 0 },
  { 'failback.hold': 5000 },
];

/** One command, aimed at `node` where it takes one. What cannot be done at the moment is refused, as it would be. */
export function configureCluster(cluster: SimCluster, node: string, chance: Chance): void {
  const volume = `v${1 + Math.floor(chance.fraction() * 12)}`;
  const later = (ms: number, run: () => void): void => cluster.world.after(ms, run);
  const online = (): void => cluster.operate(nodeOnline, { name: node });
  const commands: (() => void)[] = [
    () => cluster.operate(rebalance, {}),
    () => cluster.operate(rebalance, {}),
    () => {
      cluster.operate(drainTo('standby'), { node });
      later(chance.between(500, 10_000), online);
    },
    () => {
      cluster.operate(drainTo('offline'), { node });
      later(chance.between(500, 10_000), online);
    },
    () => cluster.operate(failover, { node }),
    () => cluster.operate(failback, { node }),
    () => {
      cluster.operate(volumeRemove, { name: [volume] });
      later(chance.between(10, 3000), () => {
        cluster.operate(volumeCreate, { volumes: [{ name: volume, weight: 1 + Math.floor(chance.fraction() * 3) }] });
        cluster.operate(rebalance, {});
      });
    },
    () => cluster.operate(clusterSet, { settings: chance.pick(TIMES) }),
    () => cluster.operate(clusterSet, { settings: chance.pick(TIMES) }),
  ];
  chance.pick(commands)();
}
