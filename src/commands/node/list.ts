import { CfsCommand, type Column } from '../../cli/command.js';
import type { AgentSeen } from '../../core/membership/agents.js';
import { naturalCompare } from '../../core/model/names.js';
import type { NodeRecord, NodeState } from '../../core/model/tables.js';
import { formatDuration } from '../../core/model/units.js';
import type { NodeLoad } from '../../core/status/loads.js';
import { leaseText } from '../../render/agent.js';

interface Row extends NodeRecord {
  name: string;
  state: NodeState;
  load?: NodeLoad;
  agent?: AgentSeen | undefined;
}

const twoDecimals = (value: number | null | undefined) => (value == null ? '-' : value.toFixed(2));

/** What the leases say. In a table only where there are any. */
const AGENT_COLUMNS: Column<Row>[] = [
  {
    key: 'leaseAgeMs',
    title: 'LEASE',
    value: (r) => r.agent?.ageMs,
    text: (r) => leaseText(r.agent),
    align: 'right',
  },
  { key: 'released', value: (r) => r.agent?.lease.released, align: 'right' },
  { key: 'applied', value: (r) => r.agent?.lease.applied, align: 'right' },
  { key: 'version', value: (r) => r.agent?.info?.version },
];

/** More of it, with -o wide. */
const MORE_AGENT_COLUMNS: Column<Row>[] = [
  { key: 'seq', value: (r) => r.agent?.lease.seq, align: 'right', wide: true },
  { key: 'host', value: (r) => r.agent?.info?.host, wide: true },
  { key: 'agentLeft', title: 'LEFT', value: (r) => r.agent && r.agent.lease.applied === null, wide: true },
  { key: 'problems', value: (r) => r.agent?.info?.problems ?? [], wide: true },
];

/** With -o wide the columns of WO 99/53415, Tables 7 to 12. */
const COLUMNS: Column<Row>[] = [
  {
    key: 'remainingCapacity',
    title: 'RC',
    value: (r) => r.load?.remainingCapacity,
    text: (r) => twoDecimals(r.load?.remainingCapacity),
    align: 'right',
    wide: true,
  },
  {
    key: 'idealCapacity',
    title: 'IC',
    value: (r) => r.load?.idealCapacity,
    text: (r) => twoDecimals(r.load?.idealCapacity),
    align: 'right',
    wide: true,
  },
  { key: 'weight', value: (r) => r.weight, align: 'right' },
  { key: 'domains', value: (r) => r.domains },
  { key: 'groups', value: (r) => r.groups },
  { key: 'threshold', value: (r) => r.threshold, align: 'right', wide: true },
  {
    key: 'updateIntervalMs',
    title: 'INTERVAL',
    value: (r) => r.updateIntervalMs,
    text: (r) => formatDuration(r.updateIntervalMs),
    align: 'right',
    wide: true,
  },
  { key: 'load', title: 'TOTAL', value: (r) => r.load?.load, align: 'right', wide: true },
];

const VOLUMES_COLUMN: Column<Row> = {
  key: 'volumes',
  value: (r) => r.load?.volumes ?? [],
  text: (r) => volumesText(r.load?.volumes ?? []),
  wide: true,
};

/** @param hasAgents whether any node has a lease: otherwise their columns would say nothing */
function columns(hasAgents: boolean): Column<Row>[] {
  const ofAgents = (list: Column<Row>[]) => (hasAgents ? list : list.map((column) => ({ ...column, hidden: true })));
  return [
    { key: 'name', value: (r) => r.name },
    { key: 'state', value: (r) => r.state },
    ...ofAgents(AGENT_COLUMNS),
    ...COLUMNS,
    ...ofAgents(MORE_AGENT_COLUMNS),
    VOLUMES_COLUMN,
  ];
}

function volumesText(volumes: readonly string[]): string {
  if (volumes.length === 0) return '-';
  const shown = volumes.slice(0, 8).join(',');
  return volumes.length > 8 ? `${shown},… (${volumes.length})` : shown;
}

export default class NodeList extends CfsCommand {
  static override kind = 'list' as const;
  static override summary = 'List nodes.';
  static override description =
    'Name, state, weight, groups and domains of every node; this reads no volumes. -o wide adds what follows from the ' +
    'volumes: ideal capacity (IC, the fair share of all weight), remaining capacity (RC, that less what the node has), ' +
    'the total weight of its volumes, and the volumes. Where agents run: how long ago each lease was made (LEASE; an ' +
    'estimate, ~, since it compares this host\'s clock with the times of files; leaseAgeMs in JSON), "left" for an agent that ended ' +
    'in order; the generations that it has released (it runs nothing that these take away) and applied (it runs all that they ' +
    "give); its version of cfs; with -o wide its host, the lease's sequence number, and what it could not do.";
  static override examples = [
    { description: 'All nodes', command: 'cfs node list' },
    { description: 'What each agent has applied, for scripts', command: 'cfs node list -o csv --sort applied' },
    { description: 'Who has most to spare, with volumes', command: 'cfs node list -o wide --sort -remainingCapacity' },
  ];

  async run() {
    const { flags } = await this.parse(NodeList);
    const snapshot = await this.snapshot();
    const membership = snapshot.table('membership');
    const rows: Row[] = [];
    for (const [name, record] of snapshot.table('nodes').entries()) {
      rows.push({ ...record, name, state: membership.get(name)?.state ?? 'offline' });
    }
    rows.sort((a, b) => naturalCompare(a.name, b.name));
    // Only a plain table can do without the volumes, and it must: at 100,000 volumes they take most of a second.
    const plain = flags.output === 'table' || flags.output === 'name';
    const isSelected = flags.filter !== undefined || flags.sort !== undefined;
    if (flags.json || !plain || isSelected) {
      const { clusterLoads } = await import('../../core/status/loads.js');
      const loads = new Map(clusterLoads(snapshot).nodes.map((node) => [node.name, node]));
      for (const row of rows) row.load = loads.get(row.name)!;
    }
    const agents = flags.at === undefined && (flags.output !== 'name' || isSelected) ? await this.agents() : null;
    if (agents !== null) for (const row of rows) row.agent = agents.get(row.name);
    return this.list('nodes', columns(agents !== null && agents.size > 0), rows, { generation: snapshot.generation });
  }

  /** What the leases say; null where there never was an agent, which costs one look-up. */
  private async agents(): Promise<Map<string, AgentSeen> | null> {
    const { platform, paths } = (await this.cluster()).store.place;
    if (platform.files.isAbsent('lease.look', paths.leases)) return null;
    const { readAgents } = await import('../../core/membership/agents.js');
    return readAgents(platform, paths.leases);
  }
}
