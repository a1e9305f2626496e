import { CfsCommand, nameArg } from '../../cli/command.js';
import { type AgentSeen, readAgents } from '../../core/membership/agents.js';
import { requireNode } from '../../core/model/find.js';
import { formatDuration } from '../../core/model/units.js';
import { clusterLoads } from '../../core/status/loads.js';
import { leaseText } from '../../render/agent.js';
import { formatNumber } from '../../render/format.js';

export default class NodeShow extends CfsCommand {
  static override summary = 'Show one node.';
  static override description =
    "Every field of the node (FIG. 5A of WO 99/53415), its state, its share and its volumes; and what its agent's lease says: how " +
    "long ago it was made (an estimate, ~, since it compares this host's clock with the time of a file), the generations that the agent has " +
    'released and applied, its version of cfs, its host, and what it could not do. With --at the agent is left out.';
  static override examples = [
    { description: 'One node', command: 'cfs node show n1' },
    { description: 'As it was at generation 2, as JSON', command: 'cfs node show n1 --at 2 --json' },
  ];
  static override args = { name: nameArg('node') };

  async run() {
    const { args, flags } = await this.parse(NodeShow);
    const snapshot = await this.snapshot();
    const name = requireNode(snapshot, args.name);
    const record = snapshot.table('nodes').get(name)!;
    const membership = snapshot.table('membership').get(name) ?? { state: 'offline', reason: null };
    const load = clusterLoads(snapshot).nodes.find((node) => node.name === name)!;
    const { idealCapacity, remainingCapacity, volumes } = load;
    const agent = flags.at === undefined ? await this.agent(name) : undefined;
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
      ...agentFields(agent),
    ]);
    return {
      generation: snapshot.generation,
      node: {
        name,
        ...record,
        ...membership,
        idealCapacity,
        remainingCapacity,
        load: load.load,
        volumes,
        agent: agentJson(agent),
      },
    };
  }
  private async agent(name: string): Promise<AgentSeen | undefined> {
    const { platform, paths } = (await this.cluster()).store.place;
    return readAgents(platform, paths.leases).get(name);
  }
}

function agentFields(agent: AgentSeen | undefined): [string, unknown][] {
  if (agent === undefined) return [['Agent', null]];
  const { lease, info } = agent;
  const says = info === null ? 'its lease does not say' : `cfs ${info.version}, format ${info.format}`;
  return [
    ['Agent', lease.applied === null ? `left; ${says}` : says],
    ...(info === null ? [] : ([['Host', `${info.host}, process ${info.pid}`]] as [string, unknown][])),
    ['Lease', `${leaseText(agent)}, number ${lease.seq}`],
    ['Released', `generation ${lease.released}`],
    ['Applied', lease.applied === null ? null : `generation ${lease.applied}`],
    ...(info?.problems ?? []).map((problem): [string, unknown] => ['Problem', problem]),
  ];
}

/** Null: it has no lease. Members that only its content tells are null where that is missing. */
function agentJson(agent: AgentSeen | undefined) {
  if (agent === undefined) return null;
  const { lease, info, ageMs } = agent;
  return {
    seq: lease.seq,
    released: lease.released,
    applied: lease.applied,
    left: lease.applied === null,
    leaseAgeMs: ageMs,
    version: info?.version ?? null,
    format: info?.format ?? null,
    host: info?.host ?? null,
    pid: info?.pid ?? null,
    problems: info?.problems ?? [],
  };
}
