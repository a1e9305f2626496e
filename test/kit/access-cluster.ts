/** A cluster with clients for tests of commands, and a client's host whose mounts are files that a script keeps. */
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { clientHolder, leaseName } from '../../src/core/membership/leases.js';
import { clientAdd, clientLogon, createCluster, openCluster, parseDocument, volumeAllow } from '../../src/index.js';
import type { DirectoryCluster } from '../../src/open.js';
import { tempDir } from './cli.js';
import { copyOf } from './commands.js';

let template: Promise<string> | undefined;

/** Volumes v1 to v3; clients c1 to c4: c1 to c3 may mount all and are logged on, c4 may mount v1 and is not. A copy, to be changed. */
export async function accessCluster(): Promise<string> {
  template ??= make();
  return copyOf(await template);
}

async function make(): Promise<string> {
  const dir = join(tempDir('access'), 'cfs');
  const text = 'cluster: {name: access}\nvolumes: [{name: v1}, {name: v2}, {name: v3}]\n';
  const cluster = await createCluster({ dir, document: await parseDocument(text, 'test.yaml') });
  await cluster.change(clientAdd, { clients: ['c1', 'c2', 'c3', 'c4'].map((name) => ({ name })) });
  await cluster.change(volumeAllow, { volume: ['v1', 'v2', 'v3'], client: ['c1', 'c2', 'c3'] });
  await cluster.change(volumeAllow, { volume: 'v1', client: 'c4' });
  for (const client of ['c1', 'c2', 'c3']) await cluster.change(clientLogon, { client });
  await unlocked(dir);
  return dir;
}

/**
 * A process keeps the lock between its own changes until its event loop turns: one that then waits for a command without turning it
 * would keep that one waiting, too.
 */
export async function unlocked(dir: string): Promise<void> {
  const end = Date.now() + 5000;
  while (existsSync(join(dir, 'lock')) && Date.now() < end) await new Promise((done) => setTimeout(done, 2));
}

/** Lays a client's lease there, as its agent would; nobody renews it. */
export function layLease(
  dir: string,
  client: string,
  lease: { seq: number; applied: number | null; timeoutMs: number },
): void {
  mkdirSync(join(dir, 'leases'), { recursive: true, mode: 0o750 });
  const name = leaseName({ node: clientHolder(client), released: lease.applied ?? 0, ...lease });
  writeFileSync(join(dir, 'leases', name), '');
}

/** Opens the cluster for looking, and for changes without a process; after each the lock is free. */
export async function opened(dir: string): Promise<DirectoryCluster> {
  const cluster = await openCluster({ dir });
  return {
    ...cluster,
    async change(operation, request, options) {
      const outcome = await cluster.change(operation, request, options);
      await unlocked(dir);
      return outcome;
    },
  };
}

/** A client's host with driver `command`: the script keeps modes in files, and waits where a test wants to kill somebody. */
export class ScriptedHost {
  readonly base = tempDir('host');
  readonly config = join(this.base, 'agent.json');

  constructor(readonly client: string) {
    for (const name of ['modes', 'state']) mkdirSync(join(this.base, name), { mode: 0o700 });
    const script = join(this.base, 'mounts');
    writeFileSync(script, scriptOf(this.base), { mode: 0o755 });
    const driver = { type: 'command', command: script, timeout: '30s' };
    const text = JSON.stringify({ stateDir: join(this.base, 'state'), client: { name: client, driver } });
    writeFileSync(this.config, text, { mode: 0o600 });
  }

  /** What is mounted: `v1 rw`. */
  get mounted(): Record<string, string> {
    const lines = existsSync(join(this.base, 'table')) ? readFileSync(join(this.base, 'table'), 'utf8') : '';
    return Object.fromEntries(
      lines
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => line.split(' ') as [string, string]),
    );
  }

  set mounted(modes: Record<string, string>) {
    writeFileSync(
      join(this.base, 'table'),
      Object.entries(modes)
        .map(([volume, mode]) => `${volume} ${mode}\n`)
        .join(''),
    );
  }

  /** The actions of the driver so far, `rw v1 17 0`: action, volume, epoch, force. `mounted` is left out. */
  get calls(): string[] {
    const path = join(this.base, 'calls');
    return existsSync(path) ? readFileSync(path, 'utf8').trim().split('\n') : [];
  }

  /** From now on the action waits, `before` or `after` it is done. */
  hold(action: string, where: 'before' | 'after'): void {
    writeFileSync(join(this.base, `${where}-${action}`), '');
  }

  /** Whether it waits there now. */
  isHeld(action: string, where: 'before' | 'after'): boolean {
    return existsSync(join(this.base, `${where}-${action}.reached`));
  }

  letGo(action: string, where: 'before' | 'after'): void {
    for (const name of [`${where}-${action}`, `${where}-${action}.reached`])
      rmSync(join(this.base, name), { force: true });
  }

  /** The mount of the volume cannot be made less without force; null: it can. */
  busy(volume: string, by: string | null): void {
    const path = join(this.base, `busy-${volume}`);
    if (by === null) rmSync(path, { force: true });
    else writeFileSync(path, `${by}\n`);
  }

  /** @param action such as `rw`, or `rw-v1` for that volume alone */
  fails(action: string, says: string | null): void {
    const path = join(this.base, `fails-${action}`);
    if (says === null) rmSync(path, { force: true });
    else writeFileSync(path, `${says}\n`);
  }
}

function scriptOf(base: string): string {
  return `#!/bin/sh
cd '${base}' || exit 1
touch table
[ "$1" = mounted ] && { cat table; exit 0; }
[ "$1" = written ] && exit 0
echo "$1 $2 \${CFS_EPOCH:--} $CFS_FORCE" >>calls
hold() { if [ -e "$1" ]; then touch "$1.reached"; while [ -e "$1" ]; do sleep 0.02; done; fi; }
hold "before-$1"
for fails in "fails-$1" "fails-$1-$2"; do [ ! -e "$fails" ] || { cat "$fails"; exit 1; }; done
was=$(sed -n "s/^$2 //p" table)
if [ -e "busy-$2" ] && [ "$CFS_FORCE" != 1 ] && [ "$1" != rw ] && [ -n "$was" ]; then cat "busy-$2"; exit 75; fi
{ grep -v "^$2 " table; [ "$1" = unmount ] || echo "$2 $1"; } >table.$$
mv table.$$ table
hold "after-$1"
exit 0
`;
}
