import { CfsCommand, nameArg, textArg } from '../../cli/command.js';
import { nodeRename } from '../../core/config/nodes.js';
import { requireNode } from '../../core/model/find.js';

export default class NodeRename extends CfsCommand {
  static override kind = 'change' as const;
  static override summary = 'Give a node another name.';
  static override description =
    'Placements, preferences and the state of the node follow. Nothing moves, and epochs stay. Refused (4) while an agent of ' +
    'the node runs, which would go on under the old name and stop its volumes: stop it, rename, start it under the new name.';
  static override examples = [
    { description: 'Rename n3', command: 'cfs node rename n3 storage-3' },
    { description: 'See which records name it', command: 'cfs node rename n3 storage-3 --dry-run' },
  ];
  static override args = { name: nameArg('node'), 'new-name': textArg('the new name') };

  async run() {
    const { args } = await this.parse(NodeRename);
    await this.refuseWithAgent(args.name);
    const outcome = await this.change(nodeRename, { name: args.name, newName: args['new-name'] });
    return this.changed(outcome, `Node ${outcome.value.name} is now ${outcome.value.newName}.`, { ...outcome.value });
  }

  private async refuseWithAgent(input: string): Promise<void> {
    const cluster = await this.cluster();
    const { platform, paths } = cluster.store.place;
    if (platform.files.isAbsent('lease.look', paths.leases)) return;
    const { refuseLive } = await import('../../cli/refuse-live.js');
    const { leasesOf } = await import('../../core/membership/agents.js');
    await refuseLive(requireNode(cluster.snapshot(), input), {
      snapshot: () => cluster.snapshot(),
      leases: () => leasesOf(platform, paths.leases),
      clock: platform.clock,
      refusal: {
        says: 'cannot be renamed',
        hint: 'Stop its agent first, then rename it, and start the agent with the new name.',
      },
    });
  }
}
