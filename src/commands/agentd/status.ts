import { findLocalAgents } from '../../agentd/local-agent.js';
import { servedText } from '../../agentd/served.js';
import { askStatus } from '../../agentd/socket.js';
import { lockHolder } from '../../agentd/state-lock.js';
import type { AnyStatus, ClientSupervisorStatus, SupervisorStatus } from '../../agentd/supervisor-status.js';
import { CfsCommand, type Column, Flags } from '../../cli/command.js';
import { chooseDir } from '../../cli/where.js';
import { CfsError } from '../../core/errors.js';
import { formatDuration } from '../../core/model/units.js';
import { NodeProcesses } from '../../node/processes.js';
import { escapeText } from '../../render/format.js';

type Agent = NonNullable<SupervisorStatus['agent']>;
type ClientAgent = NonNullable<ClientSupervisorStatus['agent']>;
type Fields = [string, string | null][];

const VOLUMES: Column<Agent['volumes'][number]>[] = [
  { key: 'volume', value: (r) => r.volume },
  { key: 'state', value: (r) => r.state },
  { key: 'epoch', value: (r) => r.epoch, align: 'right' },
  { key: 'why', value: (r) => r.why },
];

const NODES: Column<Agent['nodes'][number]>[] = [
  { key: 'node', value: (r) => r.node },
  { key: 'lease', value: (r) => r.seq, align: 'right' },
  { key: 'released', value: (r) => r.released, align: 'right' },
  { key: 'applied', value: (r) => r.applied ?? 'left', align: 'right' },
  { key: 'quiet', value: (r) => (r.applied === null ? null : durationText(r.quietMs)) },
];

const MOUNTS: Column<ClientAgent['volumes'][number]>[] = [
  { key: 'volume', value: (r) => r.volume },
  { key: 'mounted', value: (r) => r.mode },
  { key: 'desired', value: (r) => r.desired },
  { key: 'epoch', value: (r) => r.epoch, align: 'right' },
  { key: 'why', value: (r) => r.why },
];

export default class AgentdStatus extends CfsCommand {
  static override kind = 'local' as const;
  static override summary = 'Ask the agent of this host what it does.';
  static override description =
    'Asks the agent by its socket: the lease, what the node runs or the client has mounted, what the agent knows of the other nodes, and its ' +
    'problems. The shared directory is not touched, and the supervisor answers also while the worker hangs. Where agents of a node and of a ' +
    "client run and neither --node nor --client is given, it is the node's. Exit 7 where no agent runs. Only the " +
    'user that the agent runs as may ask.';
  static override examples = [
    { description: 'The agent of this host', command: 'cfs agentd status' },
    { description: 'One of several, for a script', command: 'cfs agentd status --node n1 --json' },
    { description: 'What is mounted on client c1, and what should be', command: 'cfs agentd status --client c1' },
  ];
  static override flags = {
    client: Flags.string({ summary: 'That of this client.', helpValue: 'CLIENT' }),
    'state-dir': Flags.string({ summary: 'The private directory of that agent.', helpValue: 'DIR' }),
    config: Flags.string({ summary: 'Its configuration, instead of /etc/cfs/agent.json.', helpValue: 'FILE' }),
  };

  async run() {
    const { flags } = await this.parse(AgentdStatus);
    const dir = flags.dir === undefined && !process.env.CFS_DIR ? undefined : chooseDir(flags.dir).dir;
    const { config, node, client } = flags;
    const processes = new NodeProcesses();
    const agents = findLocalAgents({ stateDir: flags['state-dir'], config, node, client, dir }, processes);
    const alive = agents.filter(({ stateDir }) => lockHolder(stateDir, processes) !== null);
    const agent = alive[0] ?? agents[0];
    const status = agent === undefined ? undefined : ((await askStatus(agent.stateDir)) as AnyStatus | undefined);
    if (status === undefined) {
      throw new CfsError('AGENT_NOT_RUNNING', 'No agent runs here', {
        hint:
          agent === undefined
            ? 'Start one with "cfs agentd"; where it has a state directory of its own, name that with --state-dir.'
            : `Start it with "cfs agentd". Its state directory is ${escapeText(agent.stateDir)}.`,
        details: { stateDir: agent?.stateDir ?? null },
      });
    }
    await this.show(status);
    for (const { identity } of alive.slice(1)) {
      if (identity === null) continue;
      this.print();
      this.print(`Another agent runs here, of ${servedText(identity)}: add --${identity.role} ${identity.name}`);
    }
    return { ...status };
  }

  private async show(status: AnyStatus): Promise<void> {
    const { agent, lease, worker, lastFence } = status;
    const renewed =
      lease === null
        ? 'not yet'
        : `${durationText(lease.renewedMsAgo)} ago, timeout ${formatDuration(lease.timeoutMs)}`;
    const who: Fields =
      status.client === undefined
        ? [
            ['Node', status.node],
            ['State', status.agent === null ? null : status.agent.state],
          ]
        : [
            ['Client', status.client],
            ['State', status.agent === null ? null : status.agent.isLoggedOn ? 'logged on' : 'not logged on'],
          ];
    await this.fields([
      ...who,
      ['Agent', `${status.phase}, process ${status.pid} since ${status.since}`],
      [
        'Worker',
        worker === null
          ? null
          : `${worker.state}, process ${worker.pid} since ${worker.since}${worker.restarts > 0 ? `, restarted ${worker.restarts} times` : ''}`,
      ],
      ['Lease renewed', renewed],
      [
        'Generation',
        agent === null ? null : `${agent.generation}, released ${agent.released}, applied ${agent.applied}`,
      ],
      ['Directory', status.dir],
      ['State directory', status.stateDir],
      ...(lastFence === null ? [] : [['Last fencing', `${lastFence.time}: ${lastFence.why}`] as [string, string]]),
    ]);
    for (const problem of status.problems) this.print(`Problem: ${problem}`);
    if (status.client === undefined) {
      await this.part(VOLUMES, status.agent?.volumes ?? []);
      await this.part(NODES, status.agent?.nodes ?? []);
    } else await this.part(MOUNTS, status.agent?.volumes ?? []);
  }

  /** Nothing where there are no rows. */
  private async part<R>(columns: Column<R>[], rows: R[]): Promise<void> {
    if (rows.length === 0) return;
    this.print();
    await this.table(columns, rows);
  }
}

function durationText(ms: number): string {
  return ms < 10_000 ? `${(ms / 1000).toFixed(1)}s` : formatDuration(Math.round(ms / 1000) * 1000);
}
