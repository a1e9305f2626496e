/** Leases as an agent would leave them in a cluster directory, for tests of what is said about agents without running any. */
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { encodeName, type Lease, type LeaseInfo, leaseName } from '../../src/core/membership/leases.js';

const INFO: LeaseInfo = {
  version: '0.1.0',
  format: 2,
  host: 'host-1',
  bootId: '0',
  pid: 1,
  incarnation: 'a',
  problems: [],
};

/** Makes a node's lease, in place of its former ones. `info` null: an empty file, as on a full disk. */
export function renewLease(
  dir: string,
  lease: Omit<Lease, 'timeoutMs'> & { timeoutMs?: number },
  info: Partial<LeaseInfo> | null = {},
): void {
  const leases = join(dir, 'leases');
  mkdirSync(leases, { recursive: true });
  const name = leaseName({ timeoutMs: 10_000, ...lease });
  writeFileSync(join(leases, name), info === null ? '' : `${JSON.stringify({ ...INFO, ...info })}\n`);
  for (const other of readdirSync(leases)) {
    if (other.startsWith(`${encodeName(lease.node)}.`) && other !== name) rmSync(join(leases, other));
  }
}
