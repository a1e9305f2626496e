/** The version, put in by the build; from package.json when the sources are run. */
import { readFileSync } from 'node:fs';

declare const CFS_VERSION: string | undefined;

export function version(): string {
  if (typeof CFS_VERSION === 'string') return CFS_VERSION;
  const text = readFileSync(new URL('../../package.json', import.meta.url)).toString('utf8');
  return (JSON.parse(text) as { version: string }).version;
}
