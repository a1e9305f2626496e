import { CfsCommand, nameArg } from '../../cli/command.js';
import { refuseLive } from '../../cli/refuse-live.js';
import { fenceConfirm } from '../../core/membership/fencing.js';
import { listLeases } from '../../core/membership/leases.js';
import { requireNode } from '../../core/model/find.js';

export default class FenceConfirm extends CfsCommand {
  static override kind = 'change' as const;
  static override summary = 'Say that a node is off, so that others take over.';
  static override description =
    'For a takeover that waits because fencing failed or is not possible: a person has seen to it that the node is off, or cut ' +
    'off from the storage. Nothing checks this. If the node still runs, two nodes will write to the same volumes, and they ' +
    'will be destroyed. It is refused (4) when the agent of the node renews its lease meanwhile, which takes a moment to see; that ' +
    'it does not is no proof. The confirmation ends when the node comes back. Asks first.';
  static override examples = [
    {
      description: 'Its plug has been pulled',
      command: 'cfs fence confirm n3 --yes --message "unplugged by hand, rack 4"',
    },
    { description: 'What that would change', command: 'cfs fence confirm n3 --dry-run' },
  ];
  static override args = { name: nameArg('node') };

  async run() {
    const { args, flags } = await this.parse(FenceConfirm);
    const { snapshot, store } = await this.cluster();
    const { platform, paths } = store.place;
    const node = requireNode(snapshot(), args.name);
    await this.confirm(
      `Is node ${node} off, or cut off from the storage, for certain? If it still runs, its volumes will be destroyed.`,
    );
    const leases = () => listLeases(platform, paths.leases);
    const waiting = await this.progress(`Looking whether the agent of ${node} still lives`);
    const lease = await refuseLive(node, { snapshot, leases, clock: platform.clock }).finally(() => waiting.stop());
    const message = (flags as { message?: string }).message ?? null;
    const outcome = await this.change(fenceConfirm, { node, message, lease: lease?.seq ?? null });
    return this.changed(outcome, `Node ${node} counts as fenced; what waits for it goes on.`, outcome.value);
  }
}
