import { CfsCommand, usage } from '../../cli/command.js';
import { Args } from '../../cli/oclif.js';
import { clusterSet } from '../../core/config/settings.js';

export default class ClusterSet extends CfsCommand {
  static override kind = 'change' as const;
  static override summary = 'Change policies and time limits of the cluster.';
  static override description =
    'Takes SETTING=VALUE pairs, all as one generation. cfs cluster show lists the settings with their ranges. cfs ' +
    'cluster unset returns a setting to its default.';
  static override examples = [
    { description: 'Keep less history', command: 'cfs cluster set history.keep=5000 history.keepFor=14d' },
    { description: 'Wait longer for the lock', command: 'cfs cluster set lock.timeout=2m' },
  ];
  static override strict = false;
  static override args = {
    setting: Args.string({
      description: 'SETTING=VALUE; several may follow',
      ignoreStdin: true,
      multiple: true,
      required: true,
      ...{ complete: 'setting' },
    }),
  };

  async run() {
    const { args } = await this.parse(ClusterSet);
    const settings: [string, string][] = args.setting.map((pair) => {
      const at = pair.indexOf('=');
      if (at < 1) usage(`"${pair.slice(0, 60)}" is no SETTING=VALUE`, 'For example: cfs cluster set lock.timeout=1m');
      return [pair.slice(0, at), pair.slice(at + 1)];
    });
    const twice = settings.find(([name], i) => settings.findIndex(([other]) => other === name) !== i);
    if (twice !== undefined) usage(`"${twice[0].slice(0, 60)}" is set twice`, 'Give each setting once.');
    const outcome = await this.change(clusterSet, { settings: Object.fromEntries(settings) });
    return this.changed(outcome, `Set ${outcome.value.set.join(', ')}.`, { set: outcome.value.set });
  }
}
