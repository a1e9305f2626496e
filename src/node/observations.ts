/** What `cfs failover --sweep` saw of the leases, kept for its next run: STATE/observations.json, never in the shared directory. */
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { SweepObservations } from '../core/membership/sweep.js';

const FILE = 'observations.json';

/** Null: none, or none that this boot can use. Damage counts as none: the sweep then watches for itself. */
export function readObservations(stateDir: string, bootId: string): SweepObservations | null {
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(join(stateDir, FILE), 'utf8'));
  } catch {
    return null;
  }
  return isObservations(value) && value.bootId === bootId && bootId !== '' ? value : null;
}

/** Replaces them at once. @throws SystemCallError */
export function writeObservations(stateDir: string, observations: SweepObservations): void {
  const fresh = join(stateDir, `${FILE}.${process.pid}`);
  writeFileSync(fresh, `${JSON.stringify(observations)}\n`, { mode: 0o600 });
  renameSync(fresh, join(stateDir, FILE));
}

function isObservations(value: unknown): value is SweepObservations {
  const { version, bootId, lookedMs, nodes } = (value ?? {}) as Partial<SweepObservations>;
  if (version !== 1 || typeof bootId !== 'string' || !isTime(lookedMs)) return false;
  if (typeof nodes !== 'object' || nodes === null || Array.isArray(nodes)) return false;
  return Object.values(nodes).every((seen) => Number.isSafeInteger(seen?.seq) && isTime(seen.quietMs));
}

function isTime(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0;
}
