import { findLocalAgent } from '../../agentd/local-agent.js';
import { CfsCommand, durationFlag, Flags } from '../../cli/command.js';
import { chooseDir } from '../../cli/where.js';
import { NodeProcesses } from '../../node/processes.js';
import { plural } from '../../render/format.js';

export default class AgentdStopAll extends CfsCommand {
  static override kind = 'local' as const;
  static override summary = 'Stop what an agent that is gone has left running.';
  static override description =
    'Stops everything that the ownership journal says was started and not stopped, and what the driver finds running. For the ' +
    'end of the service (ExecStopPost of cfs-agentd.service): nothing else stops it when both processes of the agent were killed. The ' +
    'shared directory is not touched. Refused while an agent runs (exit 4); exit 6 when something could not be stopped in time.';
  static override examples = [
    { description: 'After the agent was killed', command: 'cfs agentd stop-all' },
    { description: 'As the service does it', command: 'cfs agentd stop-all --self-fence --timeout 60s' },
  ];
  static override flags = {
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
    const { config, node } = flags;
    const agent = findLocalAgent({ stateDir: flags['state-dir'], config, node, dir }, new NodeProcesses());
    const { requireAllStopped, stopAll } = await import('../../agentd/stop-all.js');
    const request = { timeoutMs: flags.timeout, selfFence: flags['self-fence'] ?? false };
    const report = agent === null ? { stopped: 0, notStopped: [] } : await stopAll(agent, request);
    requireAllStopped(report);
    this.print(report.stopped === 0 ? 'Nothing ran.' : `Stopped ${plural(report.stopped, 'volume')}.`);
    return { stopped: report.stopped };
  }
}
