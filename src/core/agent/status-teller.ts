/** Tells the supervisor this agent's status: when something changed, at most once per second; and now and then anyway. */
import type { Clock } from '../platform/clock.js';
import type { AgentStatus, Supervisor } from './ports.js';

const LEAST_PAUSE_MS = 1000;
const LONGEST_PAUSE_MS = 10_000;

export type StatusInput = Omit<AgentStatus, 'node' | 'nodes'> & { nodes: () => AgentStatus['nodes'] };

export class StatusTeller {
  private told = '';
  private toldMs = Number.NEGATIVE_INFINITY;
  private lookedMs = Number.NEGATIVE_INFINITY;
  private isPending = false;

  constructor(
    private readonly node: string,
    private readonly clock: Clock,
    private readonly supervisor: Pick<Supervisor, 'status'>,
  ) {}

  /**
   * Called after every turn; looks at what there is to tell at most once per second. The sequence number and the ages of leases
   * change always: they are no reason to tell.
   */
  tell(input: () => StatusInput): void {
    const nowMs = this.clock.monotonicMs();
    this.isPending = nowMs - this.lookedMs < LEAST_PAUSE_MS;
    if (this.isPending) return;
    this.lookedMs = nowMs;
    const { nodes, ...own } = input();
    const { leaseSeq, ...rest } = own;
    const key = JSON.stringify(rest);
    if (key === this.told && nowMs - this.toldMs < LONGEST_PAUSE_MS) return;
    this.told = key;
    this.toldMs = nowMs;
    this.supervisor.status({ node: this.node, ...own, nodes: nodes() });
  }

  nextDueMs(): number {
    return this.isPending ? this.lookedMs + LEAST_PAUSE_MS : Number.POSITIVE_INFINITY;
  }
}
