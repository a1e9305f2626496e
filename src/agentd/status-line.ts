/** What an agent does, in one line: systemd shows it. */
import type { ClientStatus } from '../core/access/agent/ports.js';
import type { AgentStatus } from '../core/agent/ports.js';
import { plural } from '../render/format.js';

export function statusLine(status: AgentStatus | ClientStatus): string {
  const { generation, problems } = status;
  const trouble = problems.length === 0 ? '' : `; ${plural(problems.length, 'problem')}`;
  if ('client' in status) {
    const mounted = status.volumes.filter(({ mode }) => mode !== 'none');
    const writing = mounted.filter(({ mode }) => mode === 'rw').length;
    const logon = status.isLoggedOn ? 'logged on' : 'logged off';
    return `${logon}, ${plural(mounted.length, 'volume')} mounted, ${writing} for writing, generation ${generation}${trouble}`;
  }
  const running = status.volumes.filter((volume) => volume.state === 'running').length;
  return `${status.state}, ${plural(running, 'volume')}, generation ${generation}${trouble}`;
}
