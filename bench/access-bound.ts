/** The lower bound of a handover: a commit by a process that has the cluster open, and when another process notices it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { monotonicMs } from '../scripts/lab/proc.js';
import { waitFor } from '../scripts/lab/wait.js';
import { clientSet } from '../src/core/access/clients.js';
import type { DirectoryCluster } from '../src/open.js';

/** A client that does nothing; its record is what is changed. */
export const BYSTANDER = 'bystander';

export class Bound {
  readonly commitsMs: number[] = [];
  /** From the end of the commit, as its process sees it; negative: it was noticed before that. */
  readonly wakeUpsMs: number[] = [];
  private readonly seen = new Map<number, number>();
  private isOn = false;

  private constructor(
    private readonly cluster: DirectoryCluster,
    private readonly child: ChildProcess,
  ) {}

  static async begin(cluster: DirectoryCluster): Promise<Bound> {
    const program = fileURLToPath(new URL('./access-watch.ts', import.meta.url));
    const child = spawn(process.execPath, ['--import', 'tsx', program, cluster.dir], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const bound = new Bound(cluster, child);
    let isReady = false;
    createInterface({ input: child.stdout! }).on('line', (line) => {
      if (line === 'ready') isReady = true;
      const [generation, atMs] = line.split(' ').map(Number);
      if (atMs !== undefined) bound.seen.set(generation!, atMs);
    });
    await waitFor('the process that watches', 20_000, () => isReady);
    return bound;
  }

  /** Makes one commit and waits until the other process has noticed it. */
  async measure(): Promise<void> {
    this.isOn = !this.isOn;
    const began = monotonicMs();
    const { generation } = await this.cluster.change(clientSet, { name: BYSTANDER, refreshNotify: this.isOn });
    const ended = monotonicMs();
    const noticed = await waitFor('the other process to notice a commit', 5000, () => this.seen.get(generation), {
      everyMs: 2,
    });
    this.commitsMs.push(ended - began);
    this.wakeUpsMs.push(noticed - ended);
  }

  close(): void {
    this.child.kill();
  }
}
