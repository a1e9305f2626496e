import { findLocalAgents } from '../../agentd/local-agent.js';
import { servedText } from '../../agentd/served.js';
import { CfsCommand, durationFlag, Flags } from '../../cli/command.js';
import { chooseDir } from '../../cli/where.js';
import { NodeProcesses } from '../../node/processes.js';
import { plural } from '../../render/format.js';

export default class AgentdStopAll extends CfsCommand {
  static override kind = 'local' as const;
  static override summary = 'Stop what an agent that is gone has left running.';
  static override description =
    'Stops everything that the ownership journal says was started and not stopped, and what the driver finds running. What a client had mounted ' +
    'for writing is made read-only, by force: programs that write there are ended. Of the node and of the client, where one agent served both and ' +
    'neither --node nor --client is given. For the end of the service (ExecStopPost of cfs-agentd.service): nothing else stops it when both processes of the agent were killed. The ' +
    'shared directory is not touched. Refused while an agent runs (exit 4); exit 6 when something could not be stopped in time.';
  static override examples = [
    { description: 'After the agent was killed', command: 'cfs agentd stop-all' },
    { description: 'What the agent of a client left mounted for writing', command: 'cfs agentd stop-all --client c1' },
    { description: 'As the service does it', command: 'cfs agentd stop-all --self-fence --timeout 60s' },
  ];
  static override flags = {
    client: Flags.string({ summary: 'That of this client alone.', helpValue: 'CLIENT' }),
    'state-dir': Flags.string({ summary: 'The private directory of that agent.', helpValue: 'DIR' }),
    config: Flags.string({ summary: 'Its configuration, instead of /etc/cfs/agent.json.', helpValue: 'FILE' }),
    timeout: durationFlag({ summary: 'How long the stops may take.', default: 60_000 }),
    'self-fence': Flags.boolean({
      summary: "Run the node's self-fencing command when something cannot be stopped in time.",
    }),
  };

  async run() {
    const { flags } = await this.parse(AgentdStopAll);
    const dir = flags.dir === undefined && !process.env.CFS_DIR ? undefined : chooseDir(flags.dir).dir;
    const { config, node, client } = flags;
    const agents = findLocalAgents({ stateDir: flags['state-dir'], config, node, client, dir }, new NodeProcesses());
    const { requireAllStopped, stopAll } = await import('../../agentd/stop-all.js');
    const request = { timeoutMs: flags.timeout, selfFence: flags['self-fence'] ?? false };
    // At once: what one cannot stop must not keep the other waiting.
    const ends = await Promise.allSettled(
      agents.map(async (agent) => ({ agent, report: await stopAll(agent, request) })),
    );
    let stopped = 0;
    for (const end of ends) {
      if (end.status === 'rejected' || end.value.report.stopped === 0) continue;
      const { identity } = end.value.agent;
      const volumes = plural(end.value.report.stopped, 'volume');
      stopped += end.value.report.stopped;
      if (identity?.role === 'client') this.print(`Made ${volumes} of ${servedText(identity)} read-only.`);
      else this.print(`Stopped ${volumes}.`);
    }
    for (const end of ends) if (end.status === 'rejected') throw end.reason;
    requireAllStopped({
      stopped,
      notStopped: ends.flatMap((end) => (end.status === 'fulfilled' ? end.value.report.notStopped : [])),
    });
    if (stopped === 0) this.print('Nothing ran.');
    return { stopped };
  }
}
