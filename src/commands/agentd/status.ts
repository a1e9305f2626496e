import { findLocalAgent } from '../../agentd/local-agent.js';
import { askStatus } from '../../agentd/socket.js';
import type { SupervisorStatus } from '../../agentd/supervisor-status.js';
import { CfsCommand, type Column, Flags } from '../../cli/command.js';
import { chooseDir } from '../../cli/where.js';
import { CfsError } from '../../core/errors.js';
import { formatDuration } from '../../core/model/units.js';
import { NodeProcesses } from '../../node/processes.js';
import { escapeText } from '../../render/format.js';

type Agent = NonNullable<SupervisorStatus['agent']>;

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

export default class AgentdStatus extends CfsCommand {
  static override kind = 'local' as const;
  static override summary = 'Ask the agent of this host what it does.';
  static override description =
    'Asks the agent by its socket: the lease, what the node runs, what the agent knows of the other nodes, and its problems. The ' +
    'shared directory is not touched, and the supervisor answers also while the worker hangs. Exit 7 where no agent runs. Only the ' +
    'user that the agent runs as may ask.';
  static override examples = [
    { description: 'The agent of this host', command: 'cfs agentd status' },
    { description: 'One of several, for a script', command: 'cfs agentd status --node n1 --json' },
  ];
  static override flags = {
    'state-dir': Flags.string({ summary: 'The private directory of that agent.', helpValue: 'DIR' }),
    config: Flags.string({ summary: 'Its configuration, instead of /etc/cfs/agent.json.', helpValue: 'FILE' }),
  };

  async run() {
    const { flags } = await this.parse(AgentdStatus);
    const dir = flags.dir === undefined && !process.env.CFS_DIR ? undefined : chooseDir(flags.dir).dir;
    const { stateDir, config, node } = { stateDir: flags['state-dir'], config: flags.config, node: flags.node };
    const agent = findLocalAgent({ stateDir, config, node, dir }, new NodeProcesses());
    const status = agent === null ? undefined : ((await askStatus(agent.stateDir)) as SupervisorStatus | undefined);
    if (status === undefined) {
      throw new CfsError('AGENT_NOT_RUNNING', 'No agent runs here', {
        hint:
          agent === null
            ? 'Start one with "cfs agentd"; where it has a state directory of its own, name that with --state-dir.'
            : `Start it with "cfs agentd". Its state directory is ${escapeText(agent.stateDir)}.`,
        details: { stateDir: agent?.stateDir ?? null },
      });
    }
    return this.show(status);
  }

  private async show(status: SupervisorStatus) {
    const { agent, lease, worker, lastFence } = status;
    const renewed =
      lease === null
        ? 'not yet'
        : `${durationText(lease.renewedMsAgo)} ago, timeout ${formatDuration(lease.timeoutMs)}`;
    await this.fields([
      ['Node', status.node],
      ['State', agent === null ? null : agent.state],
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
    if (agent !== null && agent.volumes.length > 0) {
      this.print();
      await this.table(VOLUMES, agent.volumes);
    }
    if (agent !== null && agent.nodes.length > 0) {
      this.print();
      await this.table(NODES, agent.nodes);
    }
    return { ...status };
  }
}

function durationText(ms: number): string {
  return ms < 10_000 ? `${(ms / 1000).toFixed(1)}s` : formatDuration(Math.round(ms / 1000) * 1000);
}
