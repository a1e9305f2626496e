/** The client that this host is, by the configuration of its agent. */
import { CfsError } from '../core/errors.js';

/**
 * `client.name` of this host's configuration. Null: there is none, or /etc/cfs/agent.json cannot be read here, which is no error for an
 * administrator's command.
 * @param given --config; a file that was named must be readable
 * @throws CfsError what readAgentConfig throws, where a file was named
 */
export async function ownClient(given?: string): Promise<string | null> {
  const { readAgentConfig } = await import('../agentd/config.js');
  try {
    return readAgentConfig(given).client?.name ?? null;
  } catch (error) {
    if (given === undefined && error instanceof CfsError) return null;
    throw error;
  }
}
