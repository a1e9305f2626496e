import assert from 'node:assert/strict';
import { Holdings } from '../../src/core/agent/holdings.js';
import type { Holding } from '../../src/core/agent/ports.js';
import { SimClock, SimWorld } from '../kit/sim-world.js';

/** A driver whose calls end when the test says so; everything that happens is written down. */
class Bench {
  readonly world = new SimWorld(1);
  readonly said: string[] = [];
  readonly holdings: Holdings;
  private readonly calls = new Map<string, { resolve: () => void; reject: (error: Error) => void }>();

  constructor(limits: { parallelStarts?: number; parallelStops?: number } = {}) {
    const quiet = () => {};
    this.holdings = new Holdings({
      driver: {
        name: 'test',
        start: ({ volume }) => this.call('start', volume),
        stop: ({ volume }) => this.call('stop', volume),
        running: () => Promise.resolve([]),
      },
      supervisor: {
        holds: ({ volume, epoch }: Holding) => void this.said.push(`holds ${volume}@${epoch}`),
        released: (volume) => void this.said.push(`released ${volume}`),
      },
      clock: new SimClock(this.world, null),
      log: { debug: quiet, info: quiet, warn: quiet, error: quiet },
      onEvent: (event, { volume }) => void this.said.push(`${event} ${volume}`),
      wake: quiet,
      parallelStarts: 16,
      parallelStops: 64,
      ...limits,
    });
  }

  step(desired: Record<string, number>, obstacle: string | null = null): void {
    this.holdings.step(new Map(Object.entries(desired)), () => obstacle);
  }

  /** Ends a call of the driver, and lets everything happen that follows at once. */
  async end(call: string, error?: string): Promise<void> {
    const waiting = this.calls.get(call);
    assert.ok(waiting, `${call} is under way, of ${[...this.calls.keys()]}`);
    this.calls.delete(call);
    if (error === undefined) waiting.resolve();
    else waiting.reject(new Error(error));
    await new Promise(setImmediate);
  }

  /** What happened since this was asked last. */
  take(): string[] {
    return this.said.splice(0);
  }

  private call(verb: string, volume: string): Promise<void> {
    this.said.push(`${verb} ${volume}`);
    return new Promise((resolve, reject) => this.calls.set(`${verb} ${volume}`, { resolve, reject }));
  }
}

const wants = (desired: Record<string, number>) => new Map(Object.entries(desired));

describe('what a node holds', () => {
  it('tells the supervisor before the driver starts, and after it has stopped', async () => {
    const b = new Bench();
    b.step({ v1: 3 });
    assert.deepEqual(b.take(), ['holds v1@3', 'start v1']);
    assert.equal(b.holdings.hasReleased(wants({ v1: 3 })), true);
    assert.equal(b.holdings.hasApplied(wants({ v1: 3 })), false);
    await b.end('start v1');
    assert.equal(b.holdings.hasApplied(wants({ v1: 3 })), true);
    b.step({});
    assert.equal(b.holdings.hasReleased(wants({})), false);
    await b.end('stop v1');
    assert.deepEqual(b.take(), ['volume-started v1', 'stop v1', 'released v1', 'volume-stopped v1']);
    assert.equal(b.holdings.hasReleased(wants({})), true);
    assert.equal(b.holdings.isEmpty, true);
  });

  it('begins stops before starts', () => {
    const b = new Bench();
    b.step({ v1: 3, v2: 3 });
    b.take();
    return b.end('start v1').then(() => {
      b.take();
      b.step({ v2: 3, v3: 4 });
      assert.deepEqual(b.take(), ['stop v1', 'holds v3@4', 'start v3']);
    });
  });

  it('stops a volume and starts it anew when its epoch rises', async () => {
    const b = new Bench();
    b.step({ v1: 3 });
    await b.end('start v1');
    b.take();
    b.step({ v1: 5 });
    assert.deepEqual(b.take(), ['stop v1']);
    assert.equal(b.holdings.hasReleased(wants({ v1: 5 })), false);
    await b.end('stop v1');
    b.step({ v1: 5 });
    assert.deepEqual(b.take(), ['released v1', 'volume-stopped v1', 'holds v1@5', 'start v1']);
  });

  it('lets a start end before it stops the volume, and has not released it until then', async () => {
    const b = new Bench();
    b.step({ v1: 3 });
    b.step({});
    assert.deepEqual(b.take(), ['holds v1@3', 'start v1']);
    assert.equal(b.holdings.hasReleased(wants({})), false);
    await b.end('start v1');
    b.step({});
    await b.end('stop v1');
    assert.equal(b.holdings.hasReleased(wants({})), true);
  });

  it('stops what was half started before it tries again, later and later', async () => {
    const b = new Bench();
    b.step({ v1: 3 });
    await b.end('start v1', 'no such device');
    assert.deepEqual(b.take(), ['holds v1@3', 'start v1', 'volume-failed v1', 'stop v1']);
    await b.end('stop v1');
    b.step({ v1: 3 });
    assert.deepEqual(b.take(), ['released v1']);
    assert.deepEqual(b.holdings.problems(), ['volume v1: cannot be started: no such device']);
    assert.equal(b.holdings.nextRetryMs(), 1000);
    await b.world.runFor(1000);
    b.step({ v1: 3 });
    await b.end('start v1', 'no such device');
    await b.end('stop v1');
    assert.equal(b.holdings.nextRetryMs(), 3000);
    await b.world.runFor(2000);
    b.step({ v1: 3 });
    await b.end('start v1');
    assert.deepEqual(b.holdings.problems(), []);
  });

  it('tries a failed stop again, and counts since when the volume should not be there', async () => {
    const b = new Bench();
    b.step({ v1: 3 });
    await b.end('start v1');
    b.step({});
    await b.end('stop v1', 'target is busy');
    assert.equal(b.holdings.hasReleased(wants({})), false);
    assert.deepEqual(b.holdings.status(), [
      { volume: 'v1', epoch: 3, state: 'failed', why: 'cannot be stopped: target is busy' },
    ]);
    await b.world.runFor(900);
    b.take();
    b.step({});
    assert.deepEqual(b.take(), []);
    await b.world.runFor(100);
    b.step({});
    assert.deepEqual(b.take(), ['stop v1']);
    assert.equal(b.holdings.longestUnwantedMs(), 1000);
    await b.end('stop v1');
    assert.equal(b.holdings.longestUnwantedMs(), 0);
  });

  it('waits with what may not be started yet, and says why', () => {
    const b = new Bench();
    b.step({ v1: 3 }, 'node n2 may still run it');
    assert.deepEqual(b.take(), []);
    assert.deepEqual(b.holdings.status(), [
      { volume: 'v1', epoch: 3, state: 'waiting', why: 'node n2 may still run it' },
    ]);
    assert.equal(b.holdings.isWaiting, true);
    assert.equal(b.holdings.hasReleased(wants({ v1: 3 })), true);
  });

  it('starts and stops no more at a time than it is told', async () => {
    const b = new Bench({ parallelStarts: 2, parallelStops: 1 });
    const all = { v1: 3, v2: 3, v3: 3 };
    b.step(all);
    await b.end('start v1');
    await b.end('start v2');
    b.step(all);
    await b.end('start v3');
    b.take();
    b.step({});
    assert.deepEqual(b.take(), ['stop v1']);
    await b.end('stop v1');
    b.take();
    b.step({});
    assert.deepEqual(b.take(), ['stop v2']);
  });
});
