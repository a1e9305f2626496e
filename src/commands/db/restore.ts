import { CfsCommand, durationFlag, Flags, nameOf, wholeFlag } from '../../cli/command.js';
import { Args } from '../../cli/oclif.js';
import { type RestoreRequest, restore } from '../../core/config/restore.js';
import type { AnyRecord, TableName } from '../../core/model/tables.js';
import { type Backup, readBackup } from '../../core/store/backup.js';
import { memorySnapshot, type TableMaps } from '../../core/store/draft.js';
import { nodePlatform } from '../../node/platform.js';
import { changeLines, countsText } from '../../render/changes.js';
import { plural } from '../../render/format.js';

export default class DbRestore extends CfsCommand {
  static override kind = 'local' as const;
  static override summary = 'Bring back a backup.';
  static override description =
    'Into a directory that is empty or new (--new DIR): makes a cluster of the backup, states and placements included; its first ' +
    'generation is the next multiple of 1,000,000, so that epochs given out after the backup are outranked. Into the ' +
    'cluster that is there: makes its configuration (settings, groups, domains, nodes, volumes) equal to the backup, as one ' +
    'generation; node states, placements and epochs stay as they are. Asks first; cfs undo takes it back.';
  static override examples = [
    { description: 'What would change here?', command: 'cfs db restore monday.cfs --dry-run' },
    { description: 'The directory was lost', command: 'cfs db restore monday.cfs --new /srv/shared/cfs --yes' },
  ];
  static override args = {
    file: Args.string({ description: 'the backup', ignoreStdin: true, required: true, ...{ complete: 'file' } }),
  };
  static override flags = {
    new: Flags.string({ summary: 'Make a new cluster in this directory.', helpValue: 'DIR' }),
    'unix-group': Flags.string({
      summary: 'With --new: a group that may use the cluster too.',
      helpValue: 'GROUP',
      dependsOn: ['new'],
    }),
    'dry-run': Flags.boolean({ summary: 'Show what would change and commit nothing.' }),
    'expect-generation': wholeFlag({
      summary: 'Fail (exit 4) unless the newest generation is N.',
      ...nameOf('generation'),
      helpValue: 'N',
    }),
    message: Flags.string({ char: 'm', summary: 'Why; kept in history.', helpValue: 'TEXT' }),
    yes: Flags.boolean({ char: 'y', summary: 'Do not ask.' }),
    'lock-timeout': durationFlag({ summary: 'How long to wait for the lock.' }),
  };

  async run() {
    const { args, flags } = await this.parse(DbRestore);
    const backup = readBackup(nodePlatform(), args.file);
    return flags.new === undefined
      ? this.into(backup, args.file)
      : this.anew(backup, args.file, flags.new, flags['unix-group']);
  }

  private async into(backup: Backup, file: string) {
    const request: RestoreRequest = {
      source: `${file} (generation ${backup.header.generation})`,
      target: snapshotOf(backup),
    };
    if (!this.isDryRun) {
      const plan = await (await this.cluster()).change(restore, request, { dryRun: true });
      for (const line of changeLines(plan.changes, 40)) this.note(line);
      if (plan.changes.length > 0) await this.confirm('Make the configuration equal to the backup?');
    }
    const outcome = await this.change(restore, request);
    const { added, changed, removed, unplaced, offline } = outcome.value;
    const text = `Restored: added ${countsText(added)}; changed ${countsText(changed)}; removed ${countsText(removed)}.`;
    if (unplaced.length > 0)
      this.note(`Not yet placed: ${plural(unplaced.length, 'volume')} that came back (cfs rebalance).`);
    if (offline.length > 0) this.note(`Offline: ${plural(offline.length, 'node')} that came back (cfs node online).`);
    return this.changed(outcome, text, { added, changed, removed, unplaced, offline });
  }

  private async anew(backup: Backup, file: string, dir: string, group: string | undefined) {
    const { header } = backup;
    const tables = countsText(header.tables as Partial<Record<TableName, number>>);
    if (this.isDryRun) {
      this.print(`Would make a cluster in ${dir} of generation ${header.generation}: ${tables}.`);
      return { dir, dryRun: true, backup: header };
    }
    await this.confirm(`Make a cluster in ${dir} of generation ${header.generation} (${header.time}): ${tables}?`);
    const { restoreToEmpty } = await import('../../core/store/restore.js');
    const { message } = this.changeOptions();
    const { generation } = restoreToEmpty(dir, file, {
      platform: nodePlatform(),
      info: { operation: 'db.restore', request: { source: file, generation: header.generation }, message },
      ...(group === undefined ? {} : { group }),
    });
    this.hasCommitted(generation, null);
    this.print(`Cluster made in ${dir}: ${tables}.\nGeneration ${generation}.`);
    return { dir, dryRun: false, generation, backup: header };
  }
}

function snapshotOf(backup: Backup) {
  const maps: Partial<Record<TableName, Map<string, AnyRecord>>> = {};
  for (const { table, name, record } of backup.records()) {
    let map = maps[table];
    if (map === undefined) {
      map = new Map();
      maps[table] = map;
    }
    map.set(name, record);
  }
  return memorySnapshot(maps as TableMaps, backup.header.generation);
}
