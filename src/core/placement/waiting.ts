/**
 * Unassigned volumes, queued by group and domain in volume order (spec/rebalance.md section 8).
 *
 * A volume stands in the queue of each of its domains, and one of domain `ALL` in the queue `wide`. A node looks at the
 * heads of its own domains' queues and takes the lowest; a node with `ALL` looks at the one queue of everything.
 * Queues drop assigned heads only when somebody looks, so taking a volume costs nothing in the other queues.
 */
import type { Problem } from './problem.js';
import { type Run, UNASSIGNED } from './trace.js';

export interface Queue {
  readonly volumes: number[];
  head: number;
}

export class Waiting {
  private readonly queues = new Map<number, Queue>();
  private readonly keysPerGroup: number;
  private readonly everything: number;
  private readonly wide: number;

  /**
   * @param volumes those to queue, in volume order
   * @param byGroup whether to keep the groups apart; otherwise all are group 0
   */
  constructor(
    private readonly run: Run,
    volumes: Iterable<number>,
    private readonly byGroup: boolean,
  ) {
    const problem = run.problem;
    this.everything = problem.domainCount;
    this.wide = problem.domainCount + 1;
    this.keysPerGroup = problem.domainCount + 2;
    const someWide = problem.nodeIsWide.includes(true);
    for (const v of volumes) {
      const base = this.base(byGroup ? (problem.group[v] as number) : 0);
      if (someWide) this.push(base + this.everything, v);
      if (problem.isWide[v]) this.push(base + this.wide, v);
      else for (const domain of problem.domains[v] as readonly number[]) this.push(base + domain, v);
    }
  }

  private base(group: number): number {
    return (group + 1) * this.keysPerGroup;
  }

  private push(key: number, v: number): void {
    const queue = this.queues.get(key);
    if (queue === undefined) this.queues.set(key, { volumes: [v], head: 0 });
    else queue.volumes.push(v);
  }

  /** The queues that node `n` looks at for a group. Empty ones are left out. */
  queuesFor(n: number, group: number): Queue[] {
    const problem: Problem = this.run.problem;
    const base = this.base(this.byGroup ? group : 0);
    const found: Queue[] = [];
    const look = (key: number): void => {
      const queue = this.queues.get(base + key);
      if (queue === undefined) return;
      if (this.headOf(queue) >= 0) found.push(queue);
      else this.queues.delete(base + key);
    };
    if (problem.nodeIsWide[n]) look(this.everything);
    else {
      look(this.wide);
      for (const domain of problem.nodeDomains[n] as ReadonlySet<number>) look(domain);
    }
    return found;
  }

  /** The first unassigned volume of these queues; -1 when there is none. */
  first(queues: readonly Queue[]): number {
    let first = -1;
    for (const queue of queues) {
      const head = this.headOf(queue);
      if (head >= 0 && (first < 0 || head < first)) first = head;
    }
    return first;
  }

  private headOf(queue: Queue): number {
    const { volumes } = queue;
    const { way } = this.run;
    while (queue.head < volumes.length) {
      const v = volumes[queue.head] as number;
      if (way[v] === UNASSIGNED) return v;
      queue.head++;
    }
    return -1;
  }
}
