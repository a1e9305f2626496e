import { CfsCommand, Flags } from '../cli/command.js';
import { version } from '../cli/version.js';
import { CfsError } from '../core/errors.js';
import { clusterMetrics, downMetrics } from '../core/metrics/cluster-metrics.js';
import { exposition, type Family } from '../core/metrics/exposition.js';
import { writeTextfile } from '../core/metrics/textfile.js';
import { nodePlatform } from '../node/platform.js';
import { writeOut } from '../render/output.js';

export default class Metrics extends CfsCommand {
  static override kind = 'local' as const;
  static override summary = 'Print metrics for Prometheus.';
  static override description =
    'Nodes and their leases, volumes, the balance, history, the lock, the ballast, mail and free space, in the text format of ' +
    'Prometheus. Nodes that failed and states that nobody is in stay visible. Where the cluster cannot be read, cfs_up is 0 and ' +
    'the exit code says why; with --textfile it is 0 all the same, so that cron keeps the file fresh. Run it on one node, or on ' +
    'several: all tell the same of the same cluster.';
  static override examples = [
    { description: 'Is the cluster up?', command: `cfs metrics | grep '^cfs_up'` },
    {
      description: 'From cron, every minute, for the textfile collector of the node exporter',
      command: 'cfs metrics --textfile /var/lib/node-exporter/cfs.prom',
    },
  ];
  static override flags = {
    textfile: Flags.string({ summary: 'Write a file instead, as a whole.', helpValue: 'PATH' }),
  };

  async run() {
    const { flags } = await this.parse(Metrics);
    // A command that names no cluster is wrong, not a cluster that is down.
    this.dir();
    let families: Family[];
    let failure: CfsError | null = null;
    try {
      families = clusterMetrics((await this.cluster()).store, version(), Date.now());
    } catch (error) {
      if (!(error instanceof CfsError)) throw error;
      failure = error;
      families = downMetrics(version());
    }
    const text = exposition(families);
    if (flags.textfile !== undefined) {
      const { resolve } = await import('node:path');
      writeTextfile(nodePlatform(), resolve(flags.textfile), text);
      if (failure !== null) this.note(`The cluster could not be read: ${failure.message}`);
    } else {
      if (!this.jsonEnabled()) writeOut(text);
      if (failure !== null) throw failure;
    }
    return { up: failure === null, metrics: families };
  }
}
