import { CfsCommand, nameArg } from '../../cli/command.js';
import { requireNode } from '../../core/model/find.js';
import { formatDuration } from '../../core/model/units.js';
import { clusterLoads } from '../../core/status/loads.js';
import { formatNumber } from '../../render/format.js';

export default class NodeShow extends CfsCommand {
  static override summary = 'Show one node.';
  static override description =
    'Every field of the node (FIG. 5A of WO 99/53415), its state, its share and its volumes.';
  static override examples = [
    { description: 'One node', command: 'cfs node show n1' },
    { description: 'As it was at generation 2, as JSON', command: 'cfs node show n1 --at 2 --json' },
  ];
  static override args = { name: nameArg('node') };

  async run() {
    const { args } = await this.parse(NodeShow);
    const snapshot = await this.snapshot();
    const name = requireNode(snapshot, args.name);
    const record = snapshot.table('nodes').get(name)!;
    const membership = snapshot.table('membership').get(name) ?? { state: 'offline', reason: null };
    const load = clusterLoads(snapshot).nodes.find((node) => node.name === name)!;
    const { idealCapacity, remainingCapacity, volumes } = load;
    const amount = (value: number | null) => (value === null ? null : formatNumber(value));
    await this.fields([
      ['Node', name],
      ['State', membership.reason === null ? membership.state : `${membership.state} (${membership.reason})`],
      ['Weight', record.weight],
      ['Groups', record.groups],
      ['Domains', record.domains],
      ['Ideal capacity', amount(idealCapacity)],
      ['Load', amount(load.load)],
      ['Remaining capacity', amount(remainingCapacity)],
      ['Threshold', record.threshold],
      ['Update interval', formatDuration(record.updateIntervalMs)],
      [
        'Volumes',
        volumes.length > 20 ? `${volumes.length}: ${volumes.slice(0, 20).join(', ')}, …` : volumes.join(', '),
      ],
    ]);
    return {
      generation: snapshot.generation,
      node: { name, ...record, ...membership, idealCapacity, remainingCapacity, load: load.load, volumes },
    };
  }
}
