/**
 * A simulated host of a client: the supervisor, the faults and the restarts of a node's (sim-node.ts), with the agent of a client and
 * mounts. What it "runs" are its mounts for writing; to stop one is to make it read-only.
 */
import { ClientWorker } from '../../src/core/access/agent/client-worker.js';
import { CLIENT_DECISIONS, withClientQuestions } from '../../src/core/access/agent/decisions.js';
import type { ClientDecisionName } from '../../src/core/access/agent/ports.js';
import type { SimClients } from './sim-clients.js';
import type { Checker } from './sim-cluster.js';
import { simFencing } from './sim-driver.js';
import type { SimWorker, WorkerParts } from './sim-life.js';
import { HostMounts, simMounts } from './sim-mounts.js';
import { SimNode } from './sim-node.js';

export class SimClientHost extends SimNode {
  declare readonly cluster: SimClients;
  readonly mounts = new HostMounts();
  /** How often an automatic answer is yes. */
  yes = 0.8;
  /** As SimClientsOptions.flaw. */
  flaw: 'eager' | 'forgetful' | null = null;

  protected override makeWorker({ process, platform, store, deciding }: WorkerParts): SimWorker {
    const decide = (name: ClientDecisionName, request: unknown) =>
      this.decide(deciding, name, CLIENT_DECISIONS[name], withClientQuestions(deciding.place, name, request));
    const answer = (): Promise<{ grant: boolean; message: null }> =>
      new Promise((resolve) => {
        const grant = this.chance.happens(this.yes);
        this.world.after(this.chance.between(0, 500), () => resolve({ grant, message: null }), process);
      });
    return new ClientWorker({
      client: this.name,
      platform,
      store,
      driver: simMounts(this, process),
      supervisor: { ...this.supervisor(process), status: () => {} },
      decider: { decide },
      answer: { answer },
      hooks: { run: () => Promise.resolve() },
      fencing: this.cluster.hasFencing ? simFencing(this, process) : null,
      log: this.log(),
      config: { version: 'sim' },
    });
  }

  /** A mount for writing, from now on. */
  began(volume: string, epoch: number): void {
    this.note(`mounts ${volume}@${epoch} for writing`);
    this.running.set(volume, epoch);
    (this.cluster.checker as Checker).began(volume, this.name, epoch);
    this.cluster.checkRights();
  }

  /** It is read-only from now on; programs that wrote there are gone. */
  override stopped(volume: string): void {
    const wasWriting = this.running.has(volume);
    super.stopped(volume);
    if (wasWriting) this.mounts.readOnly.set(volume, this.cluster.device.versionOf(volume));
  }

  /**
   * kill -9 of worker and supervisor at once. What is mounted stays; the unit then runs `cfs agentd stop-all`, which makes everything
   * read-only, before it starts the agent again. That takes less than the twentieth of the timeout that a supervisor leaves.
   */
  override killAgent(downMs: number): void {
    if (!this.isUp || this.isFrozen) return;
    super.killAgent(downMs);
    if (!this.cluster.hasStopAll) return;
    for (const volume of [...this.running.keys()]) {
      this.again(this.chance.between(5, 40), () => this.life === null && this.stopped(volume));
    }
  }

  protected override isOff(): void {
    this.mounts.clear();
  }
}
