import { CfsCommand, Flags } from '../../cli/command.js';

const LOG_FORMATS = ['lines', 'json'] as const;
const LOG_LEVELS = ['debug', 'info', 'warn', 'error'] as const;

export default class Agentd extends CfsCommand {
  static override kind = 'local' as const;
  static override summary = 'Run the agent of a node or a client: does what the tables say.';
  static override description =
    'Of a node: renews its lease, watches the leases of the others, starts and stops what the tables give to this node, and takes ' +
    'part in joining, failover and failback. Of a client (--client): renews its lease, logs it on, mounts its volumes read-only or for writing as the ' +
    'tables say, answers write requests where autoRespond is on, gives up and takes over rights to write. With both, one process serves both, each with ' +
    'a worker and a state directory of its own; where one cannot go on, the other does, and the failure is the exit status in the end. Flags ' +
    'win over CFS_NODE, CFS_CLIENT and the configuration (node, client.name); where nobody is named it is the node by the name of this host. ' +
    'Runs in the foreground until SIGTERM or Ctrl-C, then stops everything that the node ' +
    'runs, makes read-only what the client has mounted, logs it off, and ends; asked again, it hurries, and programs that keep a mount busy ' +
    'are ended. SIGHUP reads the configuration again, and tries again the one of two that could not go on. Two processes: a supervisor, which never ' +
    'touches the shared directory, and a worker. When the lease was not renewed for 0.7 x lease.timeout, the supervisor ' +
    'kills the worker and stops everything by itself (makes it read-only), before others may take over. Configuration: /etc/cfs/agent.json (keys node, dir, ' +
    'stateDir, driver, fencing, selfFence, hooksDir, drainOnStop, log, logLevel, client), which nobody but root or the caller may be able to write. Messages go to ' +
    'standard error. For systemd: cfs-agentd.service. driver: {"type": "record"} (touches nothing) or {"type": "exec", "command": PROGRAM}, ' +
    'called as PROGRAM start|stop|running [VOLUME] with CFS_VOLUME and CFS_EPOCH. fencing: command, options, nodes (options of each ' +
    'node), clients (of each client), timeout; the command gets key=value lines on standard input, as fence agents do.\n' +
    'The key client (an example of all of it: examples/agent-client.json of this package) says which client this host is, and how its volumes ' +
    'are mounted here; commands that mount without an agent read it, too. name: the client. autoRespond: a program that answers write requests ' +
    'where the client has autoRespond on; status 0 gives the right to write up (no program: always); it gets CFS_CLIENT, CFS_VOLUME, CFS_FROM and ' +
    'CFS_MESSAGE, and autoRespondTimeout (30s) to answer. driver: {"type": "record"} (the default: mounts nothing), {"type": "command", "command": ' +
    'PROGRAM, "timeout": "60s"}, called as PROGRAM ro|rw|unmount|mounted|written [VOLUME] (examples/mount-command.sh describes it), or {"type": ' +
    '"mount", "timeout": "60s"}, which mounts by itself what volumes names. volumes: for each volume either device (a block ' +
    'device or an image file) or directory (bound to the mount point), and at, the mount point; of a device also fsType (else asked of the ' +
    'device). options, as mount -o takes them, hold in both modes, roOptions and rwOptions in one; ro, rw, remount, bind, loop and the like cfs ' +
    'says itself. Read-only, the journal of ext3, ext4 and xfs is not replayed.\n' +
    'A volume under the software lock (cfs volume control --software-lock) has a file .cfs-software-lock in its root, which the driver mount makes ' +
    'when it mounts it for writing: hosts without cfs can look for it, and what another cluster has locked is not mounted for writing. While ' +
    'nothing is mounted, a mount point should not be writable: chattr +i, or mode 000 (which does not stop root), before the first mount; programs that write into a bare ' +
    'mount point fill the root file system instead.';
  static override examples = [
    {
      description: 'The agent of n1, to try it: with a state directory here',
      command: 'cfs agentd --node n1 --state-dir ./n1.state',
    },
    {
      description: 'Another that gives its volumes away before it ends, and logs JSON',
      command: 'cfs agentd --node n2 --state-dir ./n2.state --drain --log json',
    },
    {
      description: 'The agent of client c1',
      command: 'cfs agentd --client c1 --state-dir ./c1.state',
    },
  ];
  static override flags = {
    client: Flags.string({ summary: 'The client to serve; without --node it alone.', helpValue: 'CLIENT' }),
    'state-dir': Flags.string({
      summary: 'Private directory of this agent, on this host itself; a client beside a node keeps its own in it.',
      helpValue: 'DIR',
    }),
    config: Flags.string({ summary: 'The configuration, instead of /etc/cfs/agent.json.', helpValue: 'FILE' }),
    log: Flags.string({ summary: 'How messages are written: lines for people, or JSON.', options: [...LOG_FORMATS] }),
    'log-level': Flags.string({ summary: 'The least important messages written.', options: [...LOG_LEVELS] }),
    drain: Flags.boolean({ summary: 'Give the volumes of the node to other nodes before ending.' }),
  };

  async run(): Promise<never> {
    const { flags } = await this.parse(Agentd);
    const { runAgentd } = await import('../../agentd/supervisor-main.js');
    const status = await runAgentd({
      dir: flags.dir,
      node: flags.node,
      client: flags.client,
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
