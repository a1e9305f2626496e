/** The client that this host is, by the configuration of its agent. */
import { CfsError } from '../core/errors.js';

/** `client.name` of /etc/cfs/agent.json. Null: there is none, or the file cannot be read here, which is no error for a command of an administrator. */
export async function ownClient(): Promise<string | null> {
  const { readAgentConfig } = await import('../agentd/config.js');
  try {
    const { client } = readAgentConfig() as { client?: { name: string } | null };
    return client?.name ?? null;
  } catch (error) {
    if (error instanceof CfsError) return null;
    throw error;
  }
}
