/** Real mounts for tests: a place of their own, devices on images, hosts as drivers; all of it is undone in the end, also after failures. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseAgentConfig } from '../../../src/agentd/config.js';
import { type MountParts, mountDriverOf } from '../../../src/agentd/mounts/index.js';
import { isWithin, readMountInfo } from '../../../src/agentd/mounts/mountinfo.js';
import type { MountDriver } from '../../../src/core/access/agent/ports.js';
import { tempDir } from '../../kit/cli.js';
import { keptLog, somePrograms } from '../kit.js';

export const CLUSTER = '11111111-2222-3333-4444-555555555555';
export const CALM = { epoch: 1, force: false, softwareLock: false };
export const FORCED = { ...CALM, force: true };
export const LOCKED = { ...CALM, softwareLock: true };

/** A driver as an agent's configuration makes it. */
export function driverWith(client: object, parts: Partial<MountParts> = {}): MountDriver {
  const config = parseAgentConfig(JSON.stringify({ client: { name: 'c1', ...client } }), 'agent.json').client;
  return mountDriverOf(config, {
    client: 'c1',
    dir: '/shared/cfs',
    programs: somePrograms(),
    stateDir: null,
    log: keptLog(),
    ...parts,
  });
}

/** Why this machine cannot mount; null: it can. */
function whyNoMounts(needs: readonly string[]): string | null {
  if (process.geteuid?.() !== 0) return 'only root can mount';
  for (const program of ['mount', 'umount', ...needs]) {
    try {
      execFileSync('/bin/sh', ['-c', `command -v ${program}`], { stdio: 'ignore' });
    } catch {
      return `there is no program ${program} here`;
    }
  }
  try {
    // A namespace of its own: nothing is left behind.
    const probe = 'mount -t tmpfs none /mnt && mount --bind /mnt /mnt';
    execFileSync('unshare', ['-m', '/bin/sh', '-c', probe], { stdio: 'ignore' });
    if (needs.includes('losetup')) execFileSync('losetup', ['-f'], { stdio: 'ignore' });
  } catch {
    return 'mounts or loop devices are not allowed here';
  }
  return null;
}

export class MountSite {
  readonly base = tempDir('mounts');
  /** Of a cluster: what its software locks name. */
  readonly dir = join(this.base, 'cluster');
  readonly log = keptLog();
  private readonly loops: string[] = [];
  private readonly children: ChildProcess[] = [];

  constructor() {
    // A file system of its own: a sync there waits for nobody else's writes.
    run('mount', '-t', 'tmpfs', '-o', 'mode=700', 'cfs-mounts', this.base);
    // As on hosts with systemd: other namespaces follow, and so do those of tests that run at the same time.
    run('mount', '--make-shared', this.base);
    mkdirSync(this.dir);
    writeFileSync(join(this.dir, 'cluster.json'), JSON.stringify({ cluster: CLUSTER }));
  }

  /** Skips the test, with the reason, where it cannot be done. */
  static for(test: Mocha.Context, needs: readonly string[] = []): MountSite {
    const why = whyNoMounts(needs);
    if (why !== null) {
      console.error(`skipped, because ${why}: ${test.test?.fullTitle() ?? ''}`);
      test.skip();
    }
    return new MountSite();
  }

  at(name: string): string {
    return join(this.base, name);
  }

  driver(volumes: object, parts: Partial<MountParts> = {}): MountDriver {
    const driver = { type: 'mount', timeout: '20s' };
    return driverWith({ driver, volumes }, { dir: this.dir, log: this.log, ...parts });
  }

  image(name: string, mkfs: readonly string[], sizeMiB: number): string {
    const path = this.at(name);
    run('truncate', '-s', `${sizeMiB}M`, path);
    run(mkfs[0]!, ...mkfs.slice(1), path);
    return path;
  }

  /** A block device for the image: each is as the device of one host. */
  loop(image: string): string {
    const device = run('losetup', '--find', '--show', image).trim();
    this.loops.push(device);
    return device;
  }

  /** A shell that does this and says `ready` when it has begun; it ends with the site. */
  async child(lines: string, wrapper: readonly string[] = []): Promise<ChildProcess & { pid: number }> {
    const command = [...wrapper, '/bin/sh', '-c', `${lines}`];
    const child = spawn(command[0]!, command.slice(1), { stdio: ['ignore', 'pipe', 'inherit'], cwd: '/' });
    this.children.push(child);
    await new Promise<void>((resolve, reject) => {
      child.stdout.on('data', (text: Buffer) => text.includes('ready') && resolve());
      child.on('exit', (status) => reject(new Error(`the child ended with ${status}: ${lines}`)));
    });
    return child as ChildProcess & { pid: number };
  }

  /** Runs a child in a mount namespace that does not follow this one, and has nothing of other sites. */
  apart(): string[] {
    const others = `grep -o '/[^ ]*cfs-mounts-[^ ]*' /proc/self/mountinfo | grep -v '^${this.base}' | tac`;
    const script = `for at in $(${others}); do umount -l "$at" 2> /dev/null; done; exec "$@"`;
    return ['unshare', '-m', '--propagation', 'private', '/bin/sh', '-c', script, 'sh'];
  }

  /** Everything as it was. */
  async remove(): Promise<void> {
    const running = this.children.filter((child) => child.exitCode === null && child.signalCode === null);
    const ended = running.map((child) => new Promise((resolve) => child.once('exit', resolve)));
    for (const child of running) child.kill('SIGKILL');
    await Promise.all(ended);
    const here = (readMountInfo() ?? []).map(({ at }) => at).filter((at) => isWithin(at, this.base));
    for (const at of here.reverse()) run('umount', '-l', at);
    for (const device of this.loops) run('losetup', '-d', device);
  }
}

/** How a child that is to end, or has ended, did. */
export async function endOf(child: ChildProcess): Promise<string | number | null> {
  if (child.exitCode === null && child.signalCode === null) await new Promise((resolve) => child.once('exit', resolve));
  return child.signalCode ?? child.exitCode;
}

/** What it printed. @throws when it failed */
export function run(program: string, ...args: string[]): string {
  return execFileSync(program, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}

/** How the mount point is mounted, by the kernel's word: options of the mount and of the file system. */
export function optionsAt(at: string): string[] {
  const line = readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .filter((one) => one.split(' ')[4] === at)
    .at(-1);
  const fields = line?.split(' ') ?? [];
  return line === undefined ? [] : [...new Set([...fields[5]!.split(','), ...fields.at(-1)!.split(',')])];
}
