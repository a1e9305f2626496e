import { CfsCommand } from '../cli/command.js';
import { CfsError } from '../core/errors.js';
import { type Alarm, alarmsOf } from '../core/status/alarms.js';
import { type ClusterStatus, clusterStatus, HEALTH, type HealthReport, healthOf } from '../core/status/status.js';

export default class Check extends CfsCommand {
  static override summary = 'Give a verdict for monitoring, in one line.';
  static override description =
    'For monitoring systems: one line, and the exit code of a monitoring plugin. 0 OK; 1 WARNING: something waits for a ' +
    'decision (a failed node, volumes not yet placed, a freeze), a node is online whose agent left or never was, or the shared ' +
    'volume is nearly full; 2 CRITICAL: a volume has no working node, or its node looks dead and nobody takes over, or agents run ' +
    'and the shared volume is full; 3 UNKNOWN: the cluster could ' +
    'not be read. These codes take the place of the usual ones in this command alone.';
  static override examples = [
    { description: 'The verdict', command: 'cfs check' },
    { description: 'With every fact', command: 'cfs check --json' },
  ];

  /** Whatever goes wrong, the verdict is UNKNOWN: 1 and 2 would say something about the cluster. */
  protected override async catch(error: unknown): Promise<void> {
    await super.catch(error);
    process.exitCode = HEALTH.indexOf('UNKNOWN');
  }

  async run() {
    const { flags } = await this.parse(Check);
    let report: HealthReport;
    let status: (ClusterStatus & { alarms: Alarm[] }) | null = null;
    try {
      const snapshot = await this.snapshot();
      const tables = clusterStatus(snapshot, Date.now());
      // They are of the directory as it is now, whatever generation is shown.
      const alarms = flags.at === undefined ? alarmsOf((await this.cluster()).store.place, snapshot) : [];
      status = { ...tables, alarms };
      report = healthOf(tables, alarms);
    } catch (error) {
      if (!(error instanceof CfsError)) throw error;
      report = { health: 'UNKNOWN', summary: error.message };
    }
    this.print(`CFS ${report.health} - ${report.summary.replaceAll('\n', ' ')}`);
    process.exitCode = HEALTH.indexOf(report.health);
    return { ...report, status };
  }
}
