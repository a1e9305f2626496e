import { CfsCommand, Flags } from '../../cli/command.js';

const LOG_FORMATS = ['lines', 'json'] as const;
const LOG_LEVELS = ['debug', 'info', 'warn', 'error'] as const;

export default class Agentd extends CfsCommand {
  static override kind = 'local' as const;
  static override summary = 'Run the agent of a node: does what the tables say.';
  static override description =
    'Renews the lease of the node, watches the leases of the others, starts and stops what the tables give to this node, and takes ' +
    'part in joining, failover and failback. Runs in the foreground until SIGTERM or Ctrl-C, then stops everything that the node ' +
    'runs and ends; asked again, it hurries. SIGHUP reads the configuration again. Two processes: a supervisor, which never ' +
    'touches the shared directory, and a worker. When the lease was not renewed for 0.7 x lease.timeout, the supervisor ' +
    'kills the worker and stops everything by itself, before another node may take over. Configuration: /etc/cfs/agent.json (keys node, dir, ' +
    'stateDir, driver, fencing, selfFence, hooksDir, drainOnStop, log, logLevel), which nobody but root or the caller may be able to write. Messages go to ' +
    'standard error. For systemd: cfs-agentd.service. driver: {"type": "record"} (touches nothing) or {"type": "exec", "command": PROGRAM}, ' +
    'called as PROGRAM start|stop|running [VOLUME] with CFS_VOLUME and CFS_EPOCH. fencing: command, options, nodes (options of each ' +
    'node), timeout; the command gets key=value lines on standard input, as fence agents do.';
  static override examples = [
    {
      description: 'The agent of n1, to try it: with a state directory here',
      command: 'cfs agentd --node n1 --state-dir ./n1.state',
    },
    {
      description: 'Another that gives its volumes away before it ends, and logs JSON',
      command: 'cfs agentd --node n2 --state-dir ./n2.state --drain --log json',
    },
  ];
  static override flags = {
    'state-dir': Flags.string({
      summary: 'Private directory of this agent, on the node itself.',
      helpValue: 'DIR',
    }),
    config: Flags.string({ summary: 'The configuration, instead of /etc/cfs/agent.json.', helpValue: 'FILE' }),
    log: Flags.string({ summary: 'How messages are written: lines for people, or JSON.', options: [...LOG_FORMATS] }),
    'log-level': Flags.string({ summary: 'The least important messages written.', options: [...LOG_LEVELS] }),
    drain: Flags.boolean({ summary: 'Give the volumes to other nodes before ending.' }),
  };

  async run(): Promise<never> {
    const { flags } = await this.parse(Agentd);
    const { runAgentd } = await import('../../agentd/supervisor-main.js');
    const status = await runAgentd({
      dir: flags.dir,
      node: flags.node,
      stateDir: flags['state-dir'],
      config: flags.config,
      log: flags.log as (typeof LOG_FORMATS)[number] | undefined,
      logLevel: flags['log-level'] as (typeof LOG_LEVELS)[number] | undefined,
      drain: flags.drain ?? false,
    });
    // A worker that is stuck in the kernel must not keep this process.
    process.exit(status);
  }

  /** The log is all it says. */
  protected override logJson(): void {}
}
