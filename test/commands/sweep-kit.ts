/** Leases as agents make them, without agents: for tests of commands that look at leases. */
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Lease, type LeaseInfo, leaseName, parseLeaseName } from '../../src/core/membership/leases.js';
import { script } from '../agentd/kit.js';
import { type CfsResult, cfs, startCfs, tempDir } from '../kit/cli.js';
import { fileOf, smallCluster } from '../kit/commands.js';

const INFO: LeaseInfo = {
  version: '0.1.0',
  format: 2,
  host: 'h',
  bootId: 'b',
  pid: 1,
  incarnation: 'i',
  problems: [],
};

/** The small cluster (generation 2: placed) with the shortest times that leases can have. */
export function quickCluster(...settings: string[]): string {
  const dir = smallCluster();
  cfs(['cluster', 'set', 'lease.interval=100ms', 'lease.timeout=300ms', ...settings], { dir });
  return dir;
}

/** Makes a node's lease in place of its former one. */
export function putLease(dir: string, lease: Partial<Lease> & { node: string }, info: Partial<LeaseInfo> = {}): void {
  const leases = join(dir, 'leases');
  mkdirSync(leases, { recursive: true });
  const whole: Lease = { seq: 1, released: 3, applied: 3, timeoutMs: 300, ...lease };
  const name = leaseName(whole);
  writeFileSync(join(leases, name), `${JSON.stringify({ ...INFO, ...info })}\n`);
  for (const old of readdirSync(leases)) {
    if (old !== name && parseLeaseName(old)?.node === lease.node) rmSync(join(leases, old));
  }
}

/** Renews the leases of some nodes, as live agents do, while the step goes on. */
export async function whileRenewing<T>(dir: string, nodes: string[], step: () => Promise<T>): Promise<T> {
  let seq = 1000;
  const renew = () => {
    seq++;
    for (const node of nodes) putLease(dir, { node, seq });
  };
  renew();
  const timer = setInterval(renew, 50);
  try {
    return await step();
  } finally {
    clearInterval(timer);
  }
}

export interface Swept {
  status: number;
  stdout: string;
  stderr: string;
  /** Of its standard output as JSON. */
  json: Record<string, unknown>;
}

/** Runs a sweep as node n1, with a state directory and maybe a configuration, while other agents go on. */
export async function sweep(dir: string, args: string[] = [], stateDir = tempDir('state')): Promise<Swept> {
  const child = startCfs(['failover', '--sweep', '--node', 'n1', '--state-dir', stateDir, '--json', ...args], { dir });
  const result: CfsResult = { status: -1, stdout: '', stderr: '' };
  child.stdin?.end();
  child.stdout?.on('data', (chunk) => {
    result.stdout += chunk;
  });
  child.stderr?.on('data', (chunk) => {
    result.stderr += chunk;
  });
  const status = await new Promise<number>((done) => child.on('close', (code) => done(code ?? -1)));
  const json = result.stdout === '' ? {} : (JSON.parse(result.stdout) as Record<string, unknown>);
  return { ...result, status, json };
}

/** A configuration with a fencing command of these lines, with more about it, and more beside it. */
export const fencing = (lines: string, timeout = '2s', more: object = {}, beside: object = {}) => [
  '--config',
  fileOf(JSON.stringify({ fencing: { command: script(lines), timeout, ...more }, ...beside }), 'agent.json'),
];
