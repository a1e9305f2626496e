import { clientAgentState, clientAgents, clientAgentText } from '../../cli/client-agents.js';
import { CfsCommand, type Column } from '../../cli/command.js';
import { type ClientRow, clientRows } from '../../core/access/client-rows.js';
import type { AgentSeen } from '../../core/membership/agents.js';

interface Row extends ClientRow {
  agent: AgentSeen | undefined;
}

const count = (key: 'mounted' | 'writes' | 'waits', title: string): Column<Row> => ({
  key,
  title,
  value: (r) => r[key],
  text: (r) => String(r[key].length),
  align: 'right',
});

const COLUMNS: Column<Row>[] = [
  { key: 'name', value: (r) => r.name },
  { key: 'loggedOn', title: 'LOGGED ON', value: (r) => r.loggedOn },
  { key: 'agent', value: (r) => clientAgentState(r.agent), text: (r) => clientAgentText(r.agent) },
  { key: 'autoRespond', title: 'AUTO RESPOND', value: (r) => r.autoRespond },
  count('mounted', 'MOUNTED'),
  count('writes', 'WRITES'),
  count('waits', 'WAITS'),
  {
    key: 'lastSeen',
    title: 'LAST SEEN',
    value: (r) => r.lastSeen,
    text: (r) => r.lastSeen?.replace('T', ' ').slice(0, 19) ?? '-',
  },
  { key: 'refreshNotify', title: 'REFRESH NOTIFY', value: (r) => r.refreshNotify, wide: true },
  { key: 'lockedOut', title: 'LOCKED OUT', value: (r) => r.lockedOut, wide: true },
  { key: 'seq', title: 'LEASE', value: (r) => r.agent?.lease.seq, align: 'right', wide: true },
  { key: 'released', value: (r) => r.agent?.lease.released, align: 'right', wide: true },
  { key: 'applied', value: (r) => r.agent?.lease.applied, align: 'right', wide: true },
  { key: 'host', value: (r) => r.agent?.info?.host, wide: true },
  { key: 'reason', value: (r) => r.reason, wide: true },
  { key: 'problems', value: (r) => r.agent?.info?.problems ?? [], wide: true },
];

export default class ClientList extends CfsCommand {
  static override kind = 'list' as const;
  static override summary = 'List clients.';
  static override description =
    'Every client: whether it is logged on, whether its agent lives (by its lease: alive; quiet, where the lease seems to be older than its ' +
    'timeout; left; none), whether it answers write requests by itself, how many volumes it has mounted, writes and waits for, and ' +
    'when it logged on or off (UTC). JSON, YAML and CSV give the names of the volumes. -o wide adds its other settings, the ' +
    'numbers of its lease, why it is not logged on, and what its agent could not do. With --at the agents are left out.';
  static override examples = [
    { description: 'The clients that are logged on', command: 'cfs client list --filter loggedOn=yes' },
    { description: 'Who writes v1', command: 'cfs client list --filter writes=v1 -o name' },
  ];

  async run() {
    const { flags } = await this.parse(ClientList);
    const snapshot = await this.snapshot();
    const agents = flags.at === undefined ? await clientAgents(await this.cluster()) : null;
    const rows = clientRows(snapshot).map((row) => ({ ...row, agent: agents?.get(row.name) }));
    return this.list('clients', COLUMNS, rows, { generation: snapshot.generation });
  }
}
