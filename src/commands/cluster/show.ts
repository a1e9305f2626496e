import { CfsCommand, type Column } from '../../cli/command.js';
import { formatSetting, SETTINGS, type Setting } from '../../core/model/settings.js';

interface Row {
  setting: Setting;
  value: string | number;
  isSet: boolean;
}

const COLUMNS: Column<Row>[] = [
  { key: 'name', value: (r) => r.setting.name },
  { key: 'value', value: (r) => r.value, text: (r) => formatSetting(r.setting.name, r.value) },
  {
    key: 'default',
    value: (r) => r.setting.default,
    text: (r) => (r.isSet ? formatSetting(r.setting.name, r.setting.default) : '='),
  },
  { key: 'description', value: (r) => r.setting.description },
];

export default class ClusterShow extends CfsCommand {
  static override kind = 'list' as const;
  static override summary = 'Show the policies and time limits of the cluster.';
  static override description =
    'Every setting with its value, its default (= where the value is the default) and what it is for. Durations are ' +
    'milliseconds in JSON.';
  static override examples = [
    { description: 'All settings', command: 'cfs cluster show' },
    { description: 'Those about history', command: 'cfs cluster show --filter name~history' },
  ];

  async run() {
    await this.parse(ClusterShow);
    const snapshot = await this.snapshot();
    const table = snapshot.table('cluster');
    const rows = SETTINGS.map((setting): Row => {
      const record = table.get(setting.name);
      return { setting, value: (record?.value as string | number) ?? setting.default, isSet: record !== undefined };
    });
    return this.list('settings', COLUMNS, rows, {
      generation: snapshot.generation,
      format: snapshot.format,
      freeze: table.get('freeze')?.value ?? null,
    });
  }
}
