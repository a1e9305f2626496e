import { CfsCommand, Flags } from '../../cli/command.js';
import { type AgentVersion, agentVersionText, clusterUpgrade, type UpgradeResult } from '../../core/config/upgrade.js';
import { leasesOf, readAgents } from '../../core/membership/agents.js';
import { nodesGone } from '../../core/membership/quiet.js';
import { leaseTimeout } from '../../core/membership/timeout.js';
import { someNames } from '../../core/model/find.js';
import { settingOf } from '../../core/model/settings.js';
import type { DirectoryCluster } from '../../open.js';

export default class ClusterUpgrade extends CfsCommand {
  static override kind = 'change' as const;
  static override summary = 'Raise the format of the cluster.';
  static override description =
    'The last step of a rolling upgrade. A newer cfs works on in the format that it finds, so that nodes can be upgraded one by ' +
    'one; when all have the new cfs, this raises the format to the newest one that it knows and says what that brings. An older ' +
    'cfs refuses the cluster from then on. It is refused (4) while the lease of an agent says that its node could not read the ' +
    'format. Agents that left or whose lease is not renewed any more are left behind with --force (which watches them for ' +
    'the lease timeout first): they stay out until they are upgraded. Of nodes without an agent nothing is known: they are named. ' +
    'Cannot be undone. Asks first. Running it again changes nothing.';
  static override examples = [
    { description: 'Can it be done?', command: 'cfs cluster upgrade --dry-run' },
    { description: 'Do it, without n7, which is down for repair', command: 'cfs cluster upgrade --force --yes' },
  ];
  static override flags = {
    force: Flags.boolean({ summary: 'Leave agents behind that are too old and do not run any more.' }),
  };

  async run() {
    const { flags } = await this.parse(ClusterUpgrade);
    const cluster = await this.cluster();
    const format = cluster.store.place.format;
    const request = { format, agents: await this.agents(cluster, format, flags.force), force: flags.force };
    const plan = await cluster.change(clusterUpgrade, request, { dryRun: true });
    if (plan.value.to > plan.value.from) {
      this.tell(plan.value);
      await this.confirm(`Raise the format from ${plan.value.from} to ${plan.value.to}? It cannot be undone.`);
    }
    const outcome = await this.change(clusterUpgrade, request);
    const { from, to } = outcome.value;
    const { generation, base, committed, txid } = outcome;
    if (outcome.committed) this.print(`Format ${from} -> ${to}.\nGeneration ${generation}.`);
    else if (from === to)
      this.print(`Nothing to change: format ${to} is the newest that this cfs knows (generation ${base}).`);
    else this.print(`Format ${from} -> ${to} would be a generation of its own. Dry run: generation ${base} stays.`);
    return { generation, base, committed, dryRun: this.isDryRun, txid, ...outcome.value, agents: request.agents };
  }

  /** What is known of every agent; with `watch`, those that are too old are watched until it is known whether they run. */
  private async agents(cluster: DirectoryCluster, format: number, watch: boolean): Promise<AgentVersion[]> {
    const { platform, paths } = cluster.store.place;
    const snapshot = cluster.snapshot();
    const seen = readAgents(platform, paths.leases);
    const isOld = (node: string) => (seen.get(node)?.info?.format ?? 0) < format;
    const gone = new Set([...seen].filter(([, { lease }]) => lease.applied === null).map(([node]) => node));
    const doubtful = [...seen.keys()].filter(
      (node) => snapshot.table('nodes').has(node) && isOld(node) && !gone.has(node),
    );
    if (watch && snapshot.format < format && doubtful.length > 0) {
      const progress = await this.progress('Watching leases');
      const found = await nodesGone(doubtful, {
        leases: () => leasesOf(platform, paths.leases),
        clock: platform.clock,
        timeoutMs: (node) => leaseTimeout(snapshot, seen.get(node)?.lease),
        intervalMs: settingOf(snapshot, 'lease.interval'),
        onLook: (nodes, ms) => progress.text(`Watching the lease of ${someNames(nodes)}, ${Math.round(ms / 1000)} s`),
      }).finally(() => progress.stop());
      for (const node of found) gone.add(node);
    }
    return [...seen].map(([node, { info }]) => ({
      node,
      state: gone.has(node) ? 'gone' : 'live',
      version: info?.version ?? null,
      format: info?.format ?? null,
    }));
  }

  private tell({ to, news, leftBehind, withoutAgent }: UpgradeResult): void {
    this.note(`Format ${to} brings:`);
    for (const line of news) this.note(`  ${line}`);
    if (leftBehind.length > 0) this.note(`Left behind until upgraded: ${leftBehind.map(agentVersionText).join(', ')}.`);
    if (withoutAgent.length > 0) {
      this.note(
        `Without an agent that says what it can read: ${someNames(withoutAgent)}. Make sure that they have this cfs.`,
      );
    }
  }
}
