import { clientAgentJson, clientAgents, clientAgentText } from '../../cli/client-agents.js';
import { CfsCommand, type Column, nameArg } from '../../cli/command.js';
import { type ClientVolume, clientView } from '../../core/access/client-rows.js';
import type { AgentSeen } from '../../core/membership/agents.js';
import { requireClient } from '../../core/model/find.js';
import { formatDuration } from '../../core/model/units.js';

const VOLUMES: Column<ClientVolume>[] = [
  { key: 'volume', value: (r) => r.volume },
  { key: 'mount', title: 'MAY MOUNT', value: (r) => r.mount },
  { key: 'mounted', value: (r) => (r.mounted ? r.mode : 'no') },
  { key: 'write', value: (r) => writeText(r) },
  { key: 'lockout', title: 'LOCKED OUT', value: (r) => r.lockout },
  {
    key: 'autoUpdate',
    title: 'REFRESHED',
    value: (r) => (r.autoUpdate ? `every ${formatDuration(r.autoUpdateIntervalMs)}` : 'by hand'),
  },
  { key: 'lastRefresh', title: 'MOUNT MADE', value: (r) => timeText(r.lastRefresh) },
];

function writeText({ isWriter, givesUp, place }: ClientVolume): string | null {
  if (givesUp) return 'gives it up';
  if (isWriter) return 'writer';
  return place === null ? null : `waits, place ${place}`;
}

function timeText(time: string | null): string | null {
  return time?.replace('T', ' ').slice(0, 19) ?? null;
}

export default class ClientShow extends CfsCommand {
  static override summary = 'Show one client.';
  static override description =
    'Its settings, whether it is logged on, what the lease of its agent says, and, for each volume that it has anything to do ' +
    'with, its rights, its mount, whether it writes or waits to write, and how its mount is refreshed. Times are UTC. What its ' +
    'agent could not do comes last. With --at the agent is left out.';
  static override examples = [
    { description: 'One client', command: 'cfs client show c1' },
    { description: 'As it was at generation 5, as JSON', command: 'cfs client show c1 --at 5 --json' },
  ];
  static override args = { name: nameArg('client') };

  async run() {
    const { args, flags } = await this.parse(ClientShow);
    const snapshot = await this.snapshot();
    const client = clientView(snapshot, requireClient(snapshot, args.name));
    const agent = flags.at === undefined ? (await clientAgents(await this.cluster())).get(client.name) : undefined;
    const { loggedOn, reason, volumes } = client;
    const named = (test: (volume: ClientVolume) => boolean) => volumes.filter(test).map(({ volume }) => volume);
    await this.fields([
      ['Client', client.name],
      ['Logged on', loggedOn || reason === null ? loggedOn : `no (${reason})`],
      ['Last seen', timeText(client.lastSeen)],
      ['Answers by itself', client.autoRespond],
      ["Told of others' rights", client.refreshNotify],
      ['Locked out of its settings', client.lockedOut],
      ['Writes', named((v) => v.isWriter)],
      ['Waits for', named((v) => v.place !== null)],
      ...agentFields(agent),
    ]);
    if (volumes.length > 0) {
      this.print();
      await this.table(VOLUMES, volumes);
    }
    return { generation: snapshot.generation, client: { ...client, agent: clientAgentJson(agent) } };
  }
}

function agentFields(agent: AgentSeen | undefined): [string, unknown][] {
  if (agent === undefined) return [['Agent', 'none']];
  const { lease, info } = agent;
  const where = info === null ? '' : `, on ${info.host}, process ${info.pid}, cfs ${info.version}`;
  return [
    ['Agent', `${clientAgentText(agent)}${where}`],
    ['Lease', `number ${lease.seq}, released ${lease.released}, applied ${lease.applied ?? '-'}`],
    ...(info?.problems ?? []).map((problem): [string, unknown] => ['Problem', problem]),
  ];
}
