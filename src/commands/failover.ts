import { Flags, nameOf, optionalNameArg, usage } from '../cli/command.js';
import { PlacementCommand, placementFlags } from '../cli/placement-command.js';
import { failover } from '../core/placement/operations.js';
import { plural } from '../render/format.js';

export default class Failover extends PlacementCommand {
  static override kind = 'change' as const;
  static override summary = 'Take over what a failed node had.';
  static override description =
    'Declares a node failed and gives its volumes to other nodes, as one generation: heaviest first, each to the eligible ' +
    'node with the largest remaining capacity. Every volume that may stay stays. Make sure that the node really is dead or ' +
    'cut off from the storage: where no agents run, nothing else does. Running it again changes nothing.\n' +
    'With --sweep it finds out itself which nodes have failed: those whose agent has not renewed its lease for the lease ' +
    'timeout, by what the run before saw (kept in the state directory) or by watching for so long. A node that never had an ' +
    'agent is never swept. Clients are seen to by the same rule: they are logged off, and whoever waits for what they wrote ' +
    'may write it then. Where this node has a fencing command (/etc/cfs/agent.json), it is run first. Made for cron: ends ' +
    'with 0 when nothing is left to do, with 6 when a takeover or a client waits to be fenced, with 4 in a frozen cluster.';
  static override examples = [
    { description: 'A node has died', command: 'cfs failover n3 --message "power supply"' },
    { description: 'What would happen if it did', command: 'cfs failover n3 --dry-run --explain' },
    { description: 'Every minute, by cron: whoever has failed', command: 'cfs failover --sweep' },
  ];
  static override args = { name: optionalNameArg('node') };
  static override flags = {
    ...placementFlags,
    sweep: Flags.boolean({
      summary: 'Every node and client whose lease has lapsed.',
      exclusive: ['explain', 'all', 'expect-generation'],
    }),
    config: Flags.string({
      ...nameOf('file'),
      summary: 'With --sweep: configuration of the agent (else /etc/cfs/agent.json).',
      dependsOn: ['sweep'],
    }),
    'state-dir': Flags.string({
      ...nameOf('directory'),
      summary: 'With --sweep: private directory of this node, on the node itself.',
      dependsOn: ['sweep'],
    }),
  };

  async run() {
    const { args, flags } = await this.parse(Failover);
    if (args.name !== undefined && flags.sweep) usage('cfs failover takes NODE or --sweep, not both', 'Leave one out.');
    if (flags.sweep) return this.sweep(flags);
    if (args.name === undefined) usage('cfs failover needs NODE', 'Name the node that has failed, or give --sweep.');
    const outcome = await this.change(failover, { node: args.name });
    const { unassigned, changed } = outcome.value;
    const homeless = new Set(unassigned.map(({ volume }) => volume));
    const lost = changed.filter((volume) => homeless.has(volume)).length;
    const left = lost === 0 ? 'its volumes are taken over' : `${plural(lost, 'volume')} can be on no other node`;
    return this.placed(outcome, flags, `Node ${args.name} is failed; ${left}.`, { node: args.name });
  }

  private async sweep(flags: { config?: string | undefined; 'state-dir'?: string | undefined; strict: boolean }) {
    const { failQuiet, nothingFailed, sweepLeases, waitingFor } = await import('../cli/sweep.js');
    const { bothOf, describeFencedClients, describeLapsed, logOffQuiet } = await import('../cli/sweep-clients.js');
    const { describeFailed } = await import('../core/membership/failed.js');
    const cluster = await this.cluster();
    const progress = await this.progress('Looking at the leases');
    const swept = await sweepLeases({
      cluster,
      config: flags.config,
      stateDir: flags['state-dir'],
      node: (configured) => this.nodeName(configured),
      isDryRun: this.isDryRun,
      change: (operation, request) => this.change(operation, request),
      onStep: (text) => progress.text(text),
      onNote: (text) => this.note(text),
    }).finally(() => progress.stop());
    const { agents, clientAgents, quiet, fenced, wouldFence, clients } = swept;
    for (const { node, ok, message } of fenced)
      this.print(`${node} ${ok ? 'is fenced' : 'could not be fenced'}: ${message}`);
    for (const node of wouldFence) this.print(`${node} would be fenced first.`);
    for (const line of describeFencedClients(clients)) this.print(line);
    if (quiet.length === 0 && clients.quiet.length + clients.waits.length === 0) {
      const leases = agents + clientAgents;
      this.print(leases === 0 ? 'No agent ever ran here.' : `None of ${plural(leases, 'lease')} has lapsed.`);
    }
    // Where nothing has lapsed no lock is taken: every node's cron may do this every minute.
    const failed =
      quiet.length === 0 ? nothingFailed(cluster) : await this.change(failQuiet(cluster, swept), { nodes: quiet });
    const waits = waitingFor(cluster.snapshot(), failed.value, swept);
    const gone =
      clients.quiet.length === 0 ? null : await this.change(logOffQuiet(cluster), { clients: clients.quiet });
    const outcome = gone === null ? failed : bothOf(failed, gone);
    const { lapsed, leftAlone } = gone?.value ?? { lapsed: [], leftAlone: [] };
    if (waits.length + clients.waits.length > 0) process.exitCode = 6;
    else if (flags.strict && failed.value.unplaced > 0) process.exitCode = 4;
    const told = [describeFailed(failed.value), ...describeLapsed(clients, { lapsed, leftAlone })]
      .filter((line) => line !== '')
      .join('\n');
    // What was not done is told as well where nothing was committed.
    if (!outcome.committed && told !== '') this.print(told);
    return this.changed(outcome, told, {
      ...{ agents, quiet, fenced, wouldFence, ...failed.value, waits },
      clients: { agents: clientAgents, ...clients, lapsed, leftAlone },
    });
  }
}
