/**
 * A simulated node: a supervisor by the real rules (src/agentd/watchdog.ts), the real worker, a driver that takes its time and
 * sometimes fails, and what can happen to each of them.
 */

import type { Watchdog } from '../../src/agentd/watchdog.js';
import { DECISIONS } from '../../src/core/agent/decisions.js';
import { withQuestions } from '../../src/core/agent/look-again.js';
import type { WorkerEnd } from '../../src/core/agent/options.js';
import type { DecisionName, Log, Supervisor } from '../../src/core/agent/ports.js';
import { Worker } from '../../src/core/agent/worker.js';
import type { Operation } from '../../src/core/operation.js';
import type { Platform } from '../../src/core/platform/platform.js';
import { openStore, type SharedDirectoryStore } from '../../src/core/store/index.js';
import type { SimCluster } from './sim-cluster.js';
import { CALM, simDriver, simFencing } from './sim-driver.js';
import { HostFiles } from './sim-host-files.js';
import type { Life, SimWorker, WorkerParts } from './sim-life.js';
import { type Chance, SimClock, SimKilled, SimProcess } from './sim-world.js';

const RESTART_MS = 250;

export class SimNode {
  readonly watchdog: Watchdog;
  /** What really runs, by volume. */
  readonly running = new Map<string, number>();
  readonly problems = new Set<string>();
  habits = CALM;
  isUp = false;
  /** The supervisor is stopped too, as the whole machine is: it neither fences nor hears. */
  isFrozen = false;
  life: Life | null = null;
  /** Until when system calls on the shared directory hang, by the world's time. */
  hangsUntilMs = 0;
  /** Renewals that the supervisor was told of. */
  renewals = 0;
  left: WorkerEnd | null = null;
  private boots = 0;
  private lives = 0;
  private watchOrder = 0;
  private isFencing = false;
  private wallOffsetMs: number;

  constructor(
    readonly cluster: SimCluster,
    readonly name: string,
    /** Name of the host; another one for a second agent of a node. */
    private readonly host = name,
  ) {
    this.watchdog = cluster.makeWatchdog();
    this.wallOffsetMs = Date.UTC(2030, 0, 1) + Math.floor(cluster.world.chance.between(-5000, 5000));
  }

  /** Switches the machine on; the agent comes up with it. */
  powerOn(): void {
    if (this.isUp) return;
    this.isUp = true;
    this.boots += 1;
    this.note('power on');
    this.startWorker();
  }

  /** Everything that runs on it ends in this moment. */
  powerOff(): void {
    if (!this.isUp) return;
    this.note('power off');
    this.isUp = false;
    this.isFrozen = false;
    this.isFencing = false;
    this.boots += 1;
    this.endLife();
    this.watchdog.workerStarts();
    for (const volume of [...this.running.keys()]) this.stopped(volume);
    for (const { volume } of this.watchdog.holdings) this.watchdog.released(volume);
    this.isOff();
  }

  /** kill -9 of the worker: its supervisor sees it at once. */
  killWorker(): void {
    if (this.life === null || !this.isUp) return;
    this.note('worker killed');
    this.endLife();
    this.fence('the worker was killed');
  }

  /** kill -9 of worker and supervisor at once: nobody stops what runs until another agent comes up and finds it. */
  killAgent(downMs: number): void {
    this.note('worker and supervisor killed');
    this.endLife();
    this.boots += 1;
    this.isFencing = false;
    for (const { volume } of this.watchdog.holdings) this.watchdog.released(volume);
    this.again(downMs, () => this.startWorker());
  }

  /** SIGSTOP of the worker for so long; the supervisor goes on. */
  pauseWorker(ms: number): void {
    const { life } = this;
    if (life === null) return;
    this.note(`worker paused for ${Math.round(ms)} ms`);
    life.process.pause();
    this.world.after(ms, () => life.process.resume());
  }

  /** SIGSTOP of everything on the machine, what it runs included: it still counts as running. */
  freeze(ms: number): void {
    if (!this.isUp || this.isFrozen) return;
    this.note(`frozen for ${Math.round(ms)} ms`);
    const { boots } = this;
    this.isFrozen = true;
    this.life?.process.pause();
    this.world.after(ms, () => {
      if (this.boots !== boots) return;
      this.note('thawed');
      this.isFrozen = false;
      this.life?.process.resume();
      this.watch();
    });
  }

  /** The shared directory does not answer for so long; a call under way ends when it is back, or its process dies. */
  hang(ms: number, isWithinCall: boolean): void {
    if (!this.isUp) return;
    this.note(`directory hangs for ${Math.round(ms)} ms${isWithinCall ? ', within a call' : ''}`);
    this.hangsUntilMs = Math.max(this.hangsUntilMs, this.world.nowMs + ms);
    const { life } = this;
    if (life === null) return;
    if (isWithinCall) {
      // A synchronous call cannot be left half-way here: it hangs until the supervisor kills its process.
      const calls = 1 + Math.floor(this.chance.fraction() * 12);
      life.files.doom = { calls, isAfter: this.chance.happens(0.5), act: () => this.stuck(life, ms) };
      return;
    }
    life.process.pause();
    this.world.after(ms, () => life.process.resume());
  }

  /** kill -9 in the middle of a turn: within one of the next system calls. */
  killWithinCall(): void {
    const { life } = this;
    if (life === null) return;
    const calls = 1 + Math.floor(this.chance.fraction() * 12);
    life.files.doom = { calls, isAfter: this.chance.happens(0.5), act: () => this.killWorker() };
  }

  jumpWallClock(ms: number): void {
    this.note(`wall clock jumps by ${ms} ms`);
    this.wallOffsetMs += ms;
    if (this.life !== null) this.life.clock.wallOffsetMs = this.wallOffsetMs;
  }

  /** SIGTERM to the agent. */
  leave(drain: boolean): void {
    this.note(`told to leave${drain ? ', draining' : ''}`);
    this.life?.worker.stop({ drain });
  }

  get isAgentUp(): boolean {
    return this.isUp && !this.isFrozen && this.life !== null;
  }

  protected get world() {
    return this.cluster.world;
  }

  protected get chance(): Chance {
    return this.cluster.world.chance;
  }

  note(says: string): void {
    this.world.note(`${this.host}: ${says}`);
  }

  private stuck(life: Life, ms: number): void {
    this.note('stuck in a system call');
    life.process.kill();
    this.hangsUntilMs = Math.max(this.hangsUntilMs, this.world.nowMs + ms);
    // Where the supervisor had nothing to fence for, the process ends when the call does.
    this.again(ms, () => this.life === life && this.killWorker());
  }

  startWorker(): void {
    if (!this.isUp || this.life !== null) return;
    if (this.hangsUntilMs > this.world.nowMs) {
      // Nothing of it can be started from a directory that hangs; the former one may not even be gone.
      this.again(this.hangsUntilMs - this.world.nowMs + 10, () => this.startWorker());
      return;
    }
    this.lives += 1;
    this.left = null;
    this.watchdog.workerStarts();
    const process = new SimProcess(this.world, `${this.name}/${this.lives}`);
    const { platform, files, clock } = this.platformOf(process);
    let store: SharedDirectoryStore;
    let deciding: SharedDirectoryStore;
    try {
      store = openStore(this.cluster.dir, { platform, lock: false });
      deciding = openStore(this.cluster.dir, {
        platform: { ...platform, clock: this.cluster.decidingClock(process) },
        lock: false,
      });
    } catch (error) {
      this.world.fail(error as Error);
      return;
    }
    const abort = new AbortController();
    const worker = this.makeWorker({ process, platform, store, deciding });
    const life: Life = { process, files, worker, clock, abort };
    this.life = life;
    this.note(`worker ${this.lives} started`);
    worker.run(abort.signal).then(
      (end) => this.workerEnded(life, end, null),
      (error: Error) => this.workerEnded(life, null, error),
    );
  }

  protected makeWorker({ process, platform, store, deciding }: WorkerParts): SimWorker {
    const status: Supervisor['status'] = (says) => void this.cluster.statuses.set(this.name, says);
    const decide = (name: DecisionName, request: unknown) =>
      this.decide(deciding, name, DECISIONS[name], withQuestions(deciding.place, name, request));
    return new Worker({
      node: this.name,
      platform,
      store,
      driver: simDriver(this, process),
      supervisor: { ...this.supervisor(process), status },
      decider: { decide },
      hooks: { run: () => Promise.resolve() },
      fencing: this.cluster.hasFencing ? simFencing(this, process) : null,
      log: this.log(),
      config: { version: 'sim' },
      ...this.cluster.workerExtras(),
    });
  }

  /** What else is gone when the machine is off. */
  protected isOff(): void {}

  private workerEnded(life: Life, end: WorkerEnd | null, error: Error | null): void {
    if (this.life !== life || !life.process.isAlive) return;
    this.note(`worker ended: ${end?.says ?? error?.message}`);
    const isExpected =
      error === null || error instanceof SimKilled || /was not renewed for|is given up$/.test(error.message);
    if (!isExpected) this.world.fail(error);
    this.endLife();
    if (end !== null) {
      this.left = end;
      this.watchdog.workerLeft();
      if (this.running.size > 0)
        this.world.fail(new Error(`${this.name} ended in order and runs ${[...this.running.keys()]}`));
      return;
    }
    this.fence(error!.message);
  }

  private endLife(): void {
    this.life?.process.kill();
    this.life = null;
  }

  private platformOf(process: SimProcess): { platform: Platform; files: HostFiles; clock: SimClock } {
    const { world, disk, mostLagMs } = this.cluster;
    const clock = new SimClock(world, process, 1_000_000 * (this.cluster.indexOf(this.name) + 1));
    clock.wallOffsetMs = this.wallOffsetMs;
    const files = new HostFiles(disk, this.host, process, mostLagMs === 0 ? 0 : this.chance.between(0, mostLagMs));
    const { lives, boots } = this;
    const processes: Platform['processes'] = {
      pid: lives,
      uid: 0,
      host: () => this.host,
      bootId: () => `${this.host}-boot-${boots}`,
      startTime: () => '1',
      exists: (pid) => pid === lives,
      actor: () => ({ user: 'root', sudoUser: null, host: this.host, pid: lives, command: 'cfs agentd' }),
      groupId: () => 0,
      env: () => undefined,
    };
    const interrupts: Platform['interrupts'] = {
      hold: () => ({ received: () => null, release: () => {} }),
      withoutListeners: (load) => load(),
    };
    return { platform: { clock, random: this.chance, files, processes, interrupts }, files, clock };
  }

  protected async decide(
    store: SharedDirectoryStore,
    name: string,
    operation: Operation<never, unknown>,
    request: unknown,
  ) {
    this.note(`asks: ${name} ${JSON.stringify(request)}`);
    const outcome = await this.cluster.change(store, operation as Operation<unknown, unknown>, request);
    if (outcome.committed) this.note(`made generation ${outcome.generation}: ${name} ${JSON.stringify(outcome.value)}`);
    return { committed: outcome.committed, generation: outcome.generation, value: outcome.value };
  }

  protected supervisor(process: SimProcess): Omit<Supervisor, 'status'> {
    const now = () => ({ monotonicMs: this.monotonicMs(), bootMs: null });
    const isCurrent = (): boolean => this.life?.process === process && process.isAlive;
    return {
      renewed: (beganMs, timeoutMs) => {
        if (!isCurrent()) return;
        this.renewals += 1;
        this.watchdog.renewed(beganMs, timeoutMs, now());
        this.watch();
      },
      holds: (holding) => {
        this.watchdog.holds(holding, now());
        this.watch();
      },
      released: (volume) => this.watchdog.released(volume),
    };
  }

  /** Looks at the watchdog when its time has come. */
  private watch(): void {
    this.watchOrder += 1;
    const order = this.watchOrder;
    if (!this.isUp || this.isFrozen || this.isFencing) return;
    const verdict = this.watchdog.look({ monotonicMs: this.monotonicMs(), bootMs: null });
    if (verdict.kind === 'read') {
      // A supervisor that was late reads first; in the simulation all was heard already.
      this.again(0, () => this.watchOrder === order && this.watch());
    } else if (verdict.kind === 'fence') {
      this.fence(verdict.why);
    } else if (verdict.untilMs !== null) {
      // Not every quarter of a second as the real one does: nobody sleeps here unnoticed.
      const untilMs = this.watchdog.deadlineMs ?? verdict.untilMs;
      this.again(untilMs - this.monotonicMs(), () => this.watchOrder === order && this.watch());
    }
  }

  private monotonicMs(): number {
    return 1_000_000 * (this.cluster.indexOf(this.name) + 1) + this.world.nowMs;
  }

  /** An event of this boot. */
  protected again(ms: number, run: () => unknown): void {
    const { boots } = this;
    this.world.after(ms, () => {
      if (this.boots !== boots || !this.isUp) return;
      if (this.isFrozen) this.again(10, run);
      else run();
    });
  }

  /** Kills the worker and stops everything; what cannot be stopped in time ends with the machine (the selfFence command). */
  private fence(why: string): void {
    if (this.isFencing || !this.isUp) return;
    const now = { monotonicMs: this.monotonicMs(), bootMs: null };
    const byMs = this.watchdog.stopByMs(now);
    this.note(`supervisor fences: ${why}`);
    this.isFencing = true;
    this.endLife();
    const limitMs = byMs - now.monotonicMs;
    for (const volume of this.running.keys()) {
      const ms = this.chance.between(0, limitMs * (this.habits.slow > 0 ? 1.05 : 0.9));
      this.again(ms, () => this.stopped(volume));
    }
    this.again(limitMs, () => {
      if (this.running.size > 0) {
        this.note('the self-fencing command switches the machine off');
        this.powerOff();
        this.world.after(5000, () => this.powerOn());
        return;
      }
      this.isFencing = false;
      for (const { volume } of this.watchdog.holdings) this.watchdog.released(volume);
      this.watchdog.workerStarts();
      this.again(RESTART_MS, () => this.startWorker());
    });
  }

  /** A volume has ended on this node, by whoever's doing. */
  stopped(volume: string): void {
    if (!this.running.delete(volume)) return;
    this.note(`stopped ${volume}`);
    this.cluster.checker.ended(volume, this.name);
  }

  protected log(): Log {
    const problem = (_facts: object, says: string): void => {
      this.problems.add(says);
      this.note(`! ${says}`);
    };
    const note = (_facts: object, says: string): void => {
      if (process.env.CFS_SIM_LOG === '1') this.note(`· ${says}`);
    };
    return { debug: note, info: note, warn: problem, error: problem };
  }
}
