/** Drivers and fencing commands of simulated nodes: they take their time, and now and then they fail. */
import type { Driver, Fencing, Holding } from '../../src/core/agent/ports.js';
import type { SimNode } from './sim-node.js';
import type { SimProcess } from './sim-world.js';

/** How drivers behave; probabilities from 0 to 1. */
export interface DriverHabits {
  /** Usual longest duration of a call, ms. */
  usualMs: number;
  /** How often a call takes up to `slowMs` instead. */
  slow: number;
  slowMs: number;
  failedStarts: number;
  failedStops: number;
}

export const CALM: DriverHabits = { usualMs: 20, slow: 0, slowMs: 0, failedStarts: 0, failedStops: 0 };

/** The driver as one process uses it: what it began ends with that process, what it started runs on. */
export function simDriver(node: SimNode, process: SimProcess): Driver {
  const { world, checker } = node.cluster;
  const { chance } = world;
  /** Runs for a while; then it fails, or does what it is for. */
  const call = (failure: number, says: string, effect: () => void): Promise<void> =>
    new Promise((resolve, reject) => {
      const { usualMs, slow, slowMs } = node.habits;
      const isFailing = chance.happens(failure);
      const ms = chance.happens(slow) ? chance.between(usualMs, slowMs) : chance.between(1, usualMs);
      const end = (): void => {
        if (isFailing) {
          reject(new Error(says));
          return;
        }
        effect();
        resolve();
      };
      world.after(ms, end, process);
    });
  return {
    name: 'simulated',
    start({ volume, epoch }: Holding) {
      node.note(`starts ${volume}@${epoch}`);
      // It counts as running from the first moment, and also when the start then fails.
      node.running.set(volume, epoch);
      checker.began(volume, node.name, epoch);
      return call(node.habits.failedStarts, 'it does not start today', () => {});
    },
    stop: ({ volume }) => call(node.habits.failedStops, 'it does not stop today', () => node.stopped(volume)),
    running: () => Promise.resolve([...node.running].map(([volume, epoch]) => ({ volume, epoch }))),
  };
}

/** Switches another node off, which comes up again a little later. */
export function simFencing({ cluster }: SimNode, process: SimProcess): Fencing {
  const { world } = cluster;
  const { chance } = world;
  const fence = (other: string): Promise<string> =>
    new Promise((resolve, reject) => {
      const end = (): void => {
        if (chance.happens(0.2)) {
          reject(new Error('no route to the switch'));
          return;
        }
        const target = cluster.node(other);
        target.powerOff();
        world.after(chance.between(2000, 8000), () => target.powerOn());
        resolve('switched off');
      };
      world.after(chance.between(50, 2000), end, process);
    });
  return { timeoutMs: 3000, fence };
}
