/** Random runs: faults and operators' commands by seed, then calm, then everything must come to rest as the tables say. */

import { SimCluster, type SimOptions } from './sim-cluster.js';
import type { SimNode } from './sim-node.js';
import { configureCluster } from './sim-operations.js';
import type { Chance } from './sim-world.js';

export interface RandomRun {
  /** Time with faults, ms. */
  troubledMs: number;
  /** Within this time after the last fault everything must have come to rest, ms. */
  restMs: number;
  /** Faults besides the usual ones. */
  more?: readonly Fault[];
  /** What is done when the faults have ended. */
  calm?: () => void;
}

export type Fault = (cluster: SimCluster, node: SimNode, chance: Chance) => void;

/** Each with its weight, for hosts of nodes and of clients. A node that is down or busy with another fault takes what makes sense. */
export const HOST_FAULTS: readonly [number, Fault][] = [
  [4, (_, node) => node.killWorker()],
  [4, (_, node) => node.killWithinCall()],
  [4, (cluster, node, chance) => powerCycle(cluster, node, chance.between(500, 15_000))],
  [5, (_, node, chance) => node.pauseWorker(chance.between(100, 8000))],
  [5, (_, node, chance) => node.hang(chance.between(100, 10_000), false)],
  [5, (_, node, chance) => node.hang(chance.between(100, 10_000), true)],
  [1, (cluster, _, chance) => someHang(cluster, chance, 0.5)],
  [1, (cluster, _, chance) => someHang(cluster, chance, 1)],
  [3, (_, node, chance) => node.jumpWallClock(chance.pick([-3_600_000, 3_600_000, -1000, 7000]))],
  [2, (cluster, node, chance) => leaveAndReturn(cluster, node, chance)],
  [1, (cluster, _, chance) => fillDisk(cluster, chance)],
  [2, (_, node, chance) => slowDown(node, chance)],
];
const FAULTS: readonly [number, Fault][] = [
  ...HOST_FAULTS,
  [6, (cluster, node, chance) => configureCluster(cluster, node.name, chance)],
];

function powerCycle(cluster: SimCluster, node: SimNode, downMs: number): void {
  node.powerOff();
  cluster.world.after(downMs, () => node.powerOn());
}

function someHang(cluster: SimCluster, chance: Chance, share: number): void {
  const ms = chance.between(500, 12_000);
  for (const node of cluster.nodes) if (chance.happens(share)) node.hang(ms, chance.happens(0.3));
}

function leaveAndReturn(cluster: SimCluster, node: SimNode, chance: Chance): void {
  node.leave(chance.happens(0.5));
  cluster.world.after(chance.between(500, 12_000), () => {
    if (node.left !== null) node.startWorker();
  });
}

function fillDisk(cluster: SimCluster, chance: Chance): void {
  cluster.world.note('the disk is full');
  cluster.disk.full = chance.pick(['data', 'all'] as const);
  cluster.world.after(chance.between(500, 6000), () => {
    cluster.world.note('the disk has space again');
    cluster.disk.full = 'no';
  });
}

function slowDown(node: SimNode, chance: Chance): void {
  node.note('drivers become slow and fail');
  node.habits = { usualMs: 60, slow: 0.3, slowMs: 4000, failedStarts: 0.15, failedStops: 0.15 };
  node.cluster.world.after(chance.between(1000, 15_000), () => {
    node.habits = { usualMs: 60, slow: 0, slowMs: 0, failedStarts: 0, failedStops: 0 };
  });
}

function pickFault(chance: Chance, faults: readonly [number, Fault][], more: readonly Fault[]): Fault {
  if (more.length > 0 && chance.happens(0.2)) return chance.pick(more);
  let left = chance.between(
    0,
    faults.reduce((sum, [weight]) => sum + weight, 0),
  );
  for (const [weight, fault] of faults) {
    left -= weight;
    if (left <= 0) return fault;
  }
  return faults[0]![1];
}

/** One run. @throws when two nodes run one volume, when the cluster does not come to rest, for every bug that shows itself */
export async function randomRun(options: SimOptions, run: RandomRun): Promise<SimCluster> {
  const cluster = new SimCluster(options);
  await troubled(cluster, run);
  return cluster;
}

/** The same of a cluster that is made already. @param faults the usual ones, with their weights */
export async function troubled(
  cluster: SimCluster,
  { troubledMs, restMs, more = [], calm }: RandomRun,
  faults = FAULTS,
): Promise<void> {
  const { world } = cluster;
  const { chance } = world;
  const usual = { usualMs: 60, slow: 0, slowMs: 0, failedStarts: 0, failedStops: 0 };
  for (const node of cluster.nodes) node.habits = usual;
  // Mostly at once; now and then the planning takes long, or whoever plans is stopped before the commit.
  cluster.decisionMs = () => (chance.happens(0.1) ? chance.between(0, 4000) : chance.between(0, 5));
  cluster.powerOn(chance.pick([0, 200, 5000]));
  // Sometimes several at once, sometimes long quiet.
  const pauseMs = chance.pick([800, 2000, 5000, 12_000]);
  for (let atMs = chance.between(0, 8000); atMs < troubledMs; atMs += chance.between(0, 2 * pauseMs)) {
    const fault = pickFault(chance, faults, more);
    const node = chance.pick(cluster.nodes);
    world.after(atMs, () => fault(cluster, node, chance));
  }
  await world.runUntil(troubledMs);
  cluster.decisionMs = () => 1;
  // Faults under way end, and everybody is switched on.
  await world.runFor(16_000);
  for (const node of cluster.nodes) {
    node.habits = usual;
    if (node.life !== null) node.life.files.doom = null;
    if (!node.isUp) node.powerOn();
    else if (node.left !== null) node.startWorker();
  }
  calm?.();
  await cluster.converge(restMs, 500);
  const { generation } = cluster.snapshot();
  if (cluster.history().length !== generation) world.fail(new Error('a generation is missing'));
}
