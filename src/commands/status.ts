import { CfsCommand, Flags, paint } from '../cli/command.js';
import { NODE_STATES } from '../core/model/tables.js';
import { type Alarm, alarmsOf } from '../core/status/alarms.js';
import { type ClusterStatus, clusterStatus } from '../core/status/status.js';
import { escapeText, formatNumber, plural } from '../render/format.js';

/** Longest list of a kind of problem; --all shows the rest. */
const SHOWN = 20;

export default class Status extends CfsCommand {
  static override summary = 'Show the state of the cluster.';
  static override description =
    'Nodes by state, volumes, clients, the balance, and everything that needs attention: a full shared volume, a freeze, failed ' +
    'nodes, rights to write that clients do not give up, volumes that no node can have (with the reason), volumes whose node is not active, volumes not yet placed. ' +
    'Exits 0 whatever it finds; cfs check gives a verdict.';
  static override examples = [
    { description: 'The state now', command: 'cfs status' },
    { description: 'The state at generation 2', command: 'cfs status --at 2 --json' },
  ];
  static override flags = { all: Flags.boolean({ summary: 'Show every volume that needs attention.' }) };

  async run() {
    const { flags } = await this.parse(Status);
    const cluster = await this.cluster();
    const snapshot = await this.snapshot();
    const status = clusterStatus(snapshot, Date.now());
    // They are of the directory as it is now, whatever generation is shown.
    const alarms = flags.at === undefined ? alarmsOf(cluster.store.place, snapshot) : [];
    this.alarms(alarms);
    this.freeze(status);
    const { nodes, volumes } = status;
    const states = NODE_STATES.filter((state) => nodes[state] > 0).map((state) => `${nodes[state]} ${state}`);
    const { volumeWeight, nodeWeight } = status;
    await this.fields([
      ['Cluster', `${status.name} in ${cluster.dir}`],
      ['Generation', status.generation],
      ['Format', status.format],
      ['Nodes', `${nodes.total}${states.length > 0 ? `: ${states.join(', ')}` : ''}`],
      ['Volumes', `${volumes.total}: ${volumes.placed} placed${this.troubles(status)}`],
      ['Weight', `${formatNumber(volumeWeight)} of volumes on ${formatNumber(nodeWeight)} of nodes`],
      ...this.access(status),
      ['Imbalance', `${formatNumber(status.imbalance)} (${formatNumber(status.relativeImbalance * 100, 1)} %)`],
    ]);
    const limit = flags.all ? Number.POSITIVE_INFINITY : SHOWN;
    this.section(
      'Failed and suspect nodes',
      status.failedNodes,
      limit,
      (n) => `${n.node}: ${n.state}${n.reason ? ` (${n.reason})` : ''}`,
    );
    this.section(
      'On nodes that are not active (cfs failover NODE, or cfs node standby NODE)',
      status.homeless,
      limit,
      (v) => `${v.volume}: ${v.node} is ${v.state}`,
    );
    this.section(
      'On nodes that may not have them (cfs rebalance)',
      status.misplaced,
      limit,
      (v) => `${v.volume}: ${v.node}, ${v.reason}`,
    );
    this.section(
      'Unplaced (cfs why VOLUME)',
      status.unplaced,
      limit,
      (v) => `${v.volume}: ${v.reason}, since generation ${v.since}`,
    );
    this.section('Not yet placed (cfs rebalance)', status.notYetPlaced, limit, (name) => name);
    return { ...status, alarms };
  }

  /** Only where there are clients. */
  private access({ clients, writers, pendingRequests }: ClusterStatus): [string, string][] {
    if (clients.total === 0) return [];
    const waiting = pendingRequests === 0 ? '' : `, ${plural(pendingRequests, 'request')} waiting`;
    return [
      ['Clients', `${clients.total}: ${clients.loggedOn} logged on`],
      ['Writers', `${plural(writers, 'volume')} with a writer${waiting}`],
    ];
  }

  private alarms(alarms: readonly Alarm[]): void {
    for (const { health, message } of alarms) {
      this.print(paint(health === 'CRITICAL' ? 'red' : 'yellow', `${health}: ${message}`));
    }
  }

  private freeze({ freeze }: ClusterStatus): void {
    if (freeze === null) return;
    const until = freeze.until === null ? 'until somebody ends it' : `until ${freeze.until}`;
    this.print(paint('yellow', `FROZEN ${until}${freeze.reason === null ? '' : `: ${escapeText(freeze.reason)}`}`));
  }

  private troubles({ volumes }: ClusterStatus): string {
    const parts: [number, string][] = [
      [volumes.homeless, 'on nodes that are not active'],
      [volumes.misplaced, 'on nodes that may not have them'],
      [volumes.unplaced, 'unplaced'],
      [volumes.notYetPlaced, 'not yet placed'],
    ];
    return parts.map(([n, what]) => (n > 0 ? `, ${n} ${what}` : '')).join('');
  }

  private section<T>(title: string, items: readonly T[], limit: number, line: (item: T) => string): void {
    if (items.length === 0) return;
    this.print();
    this.print(paint('yellow', title));
    for (const item of items.slice(0, limit)) this.print(`  ${escapeText(line(item))}`);
    if (items.length > limit) this.print(`  … and ${items.length - limit} more (--all)`);
  }
}
