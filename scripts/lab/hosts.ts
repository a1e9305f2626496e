/**
 * Hosts to run agents on: those of netlab.sh (own network, mounts, process and host names; can be powered off), or this
 * machine itself under several node names (plain processes: no root needed, no power-off).
 *
 * netlab.sh is looked for at CFS_NETLAB, else in ../shared/lab beside the checkout. NETLAB_NAME names the lab.
 */
import { type ChildProcess, execFile, spawn, spawnSync } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('../..', import.meta.url));
/** The bin/run.js that is run; CFS_LAB_BIN names another one, such as that of an earlier build. */
export const CFS = resolve(process.env.CFS_LAB_BIN ?? join(ROOT, 'bin/run.js'));

export interface RunResult {
  status: number;
  stdout: string;
  stderr: string;
}

export interface Host {
  readonly name: string;
  /** Starts a program in the host; its output goes to the end of `log`. The child's tree is seen from this machine. */
  spawn(argv: readonly string[], options: { env?: Record<string, string>; log: string }): ChildProcess;
  /** Runs a program in the host and waits for it. */
  run(argv: readonly string[], env?: Record<string, string>): Promise<RunResult>;
}

/** Nothing of the caller's environment but the path. */
export function cleanEnv(env: Record<string, string> = {}): Record<string, string> {
  return { PATH: process.env.PATH ?? '', HOME: '/nonexistent', LANG: 'C.UTF-8', TMPDIR: tmpdir(), ...env };
}

/** Runs a program on this machine; never rejects. A killed one has status 128 + 9. */
export function runHere(argv: readonly string[], env: Record<string, string> = {}): Promise<RunResult> {
  return new Promise((resolved) => {
    const options = { env: cleanEnv(env), encoding: 'utf8' as const, maxBuffer: 1 << 28, timeout: 60_000 };
    execFile(argv[0]!, argv.slice(1), options, (error, stdout, stderr) => {
      const code = error === null ? 0 : typeof error.code === 'number' ? error.code : 137;
      resolved({ status: code, stdout, stderr: stderr || (error === null ? '' : error.message) });
    });
  });
}

function spawnTo(argv: readonly string[], env: Record<string, string>, log: string): ChildProcess {
  const fd = openSync(log, 'a');
  try {
    return spawn(argv[0]!, argv.slice(1), { env: cleanEnv(env), stdio: ['ignore', fd, fd] });
  } finally {
    closeSync(fd);
  }
}

/** This machine under another node name. */
export class LocalHost implements Host {
  constructor(readonly name: string) {}

  spawn(argv: readonly string[], { env = {}, log }: { env?: Record<string, string>; log: string }): ChildProcess {
    return spawnTo(argv, env, log);
  }

  run(argv: readonly string[], env: Record<string, string> = {}): Promise<RunResult> {
    return runHere(argv, env);
  }
}

export const NETLAB = resolve(process.env.CFS_NETLAB ?? join(ROOT, '../shared/lab/netlab.sh'));

/** Why hosts cannot be made here, one sentence; null: they can. */
export function whyNoNetlab(): string | null {
  if (process.getuid?.() !== 0) return 'hosts in namespaces need root';
  if (!existsSync(NETLAB)) return `there is no ${NETLAB} (set CFS_NETLAB to the path of netlab.sh)`;
  for (const program of ['ip', 'unshare', 'nsenter', 'xfs_io']) {
    const dirs = [...(process.env.PATH ?? '').split(delimiter), '/sbin', '/usr/sbin'];
    if (!dirs.some((dir) => existsSync(join(dir, program)))) return `${program} is not installed`;
  }
  return null;
}

/** A lab of several hosts; one at a time under each name. */
export class Netlab {
  readonly dir: string;
  private readonly env: Record<string, string>;

  constructor(readonly name: string) {
    this.dir = `/var/tmp/cfs-netlab/${name}`;
    this.env = { NETLAB, NETLAB_NAME: name, NETLAB_DIR: this.dir };
  }

  /** Builds the hosts. Mounts that this machine has now are seen in each of them. @throws Error with what netlab.sh said */
  async up(hosts: number, clients = 0): Promise<LabHost[]> {
    const why = whyNoNetlab();
    if (why !== null) throw new Error(`the lab cannot be built: ${why}`);
    await this.must('up', '--hosts', String(hosts), '--clients', String(clients));
    return Array.from({ length: hosts }, (_, i) => new LabHost(this, `h${i + 1}`));
  }

  /** Removes the hosts, also while the process ends: it waits without the event loop. Files of ours stay. */
  down(): void {
    spawnSync(NETLAB, ['down'], { env: cleanEnv(this.env), stdio: 'ignore' });
  }

  /** The same with a file system whose servers run in it. */
  removeWith(script: string): void {
    spawnSync(script, ['down'], { env: cleanEnv({ ...this.env, NETLAB }), stdio: 'ignore' });
    this.down();
  }

  command(...words: string[]): Promise<RunResult> {
    return runHere([NETLAB, ...words], this.env);
  }

  async must(...words: string[]): Promise<string> {
    const { status, stdout, stderr } = await this.command(...words);
    if (status !== 0) throw new Error(`netlab.sh ${words.join(' ')} ended with ${status}: ${stderr || stdout}`);
    return stdout;
  }

  argv(host: string, argv: readonly string[]): string[] {
    return [NETLAB, 'exec', host, ...argv];
  }

  withEnv(env: Record<string, string> = {}): Record<string, string> {
    return { ...this.env, ...env };
  }
}

/** A host of the lab. */
export class LabHost implements Host {
  constructor(
    private readonly lab: Netlab,
    readonly name: string,
  ) {}

  spawn(argv: readonly string[], { env = {}, log }: { env?: Record<string, string>; log: string }): ChildProcess {
    return spawnTo(this.lab.argv(this.name, argv), this.lab.withEnv(env), log);
  }

  run(argv: readonly string[], env: Record<string, string> = {}): Promise<RunResult> {
    return runHere(this.lab.argv(this.name, argv), this.lab.withEnv(env));
  }

  /** Runs a program that must succeed. */
  async must(...argv: string[]): Promise<string> {
    const { status, stdout, stderr } = await this.run(argv);
    if (status !== 0) throw new Error(`${this.name}: ${argv.join(' ')} ended with ${status}: ${stderr || stdout}`);
    return stdout;
  }

  async isOn(): Promise<boolean> {
    return (await this.run(['true'])).status === 0;
  }

  /** Power off, without warning. */
  async crash(): Promise<void> {
    await this.lab.must('crash', this.name);
  }

  async boot(): Promise<void> {
    await this.lab.must('boot', this.name);
  }
}

/**
 * An ext4 file system of its own in a file, for a shared directory that can be filled and frozen. Mounted on this machine before
 * the hosts are built, so that each of them sees it and none of them "owns" it (netlab.sh crash cuts off what a host mounted).
 */
export class Disk {
  readonly mountPoint: string;
  private readonly image: string;

  constructor(readonly base: string) {
    this.mountPoint = join(base, 'disk');
    this.image = join(base, 'disk.img');
  }

  async mount(sizeMib: number): Promise<void> {
    mkdirSync(this.mountPoint, { recursive: true });
    await this.must('truncate', '-s', `${sizeMib}M`, this.image);
    await this.must('mkfs.ext4', '-q', '-F', '-m', '0', this.image);
    await this.must('mount', '-o', 'loop', this.image, this.mountPoint);
  }

  /** Every write hangs, in every host, until `thaw`: what a storage network does when it goes away for all. */
  freeze(): Promise<void> {
    return this.must('fsfreeze', '-f', this.mountPoint);
  }

  thaw(): Promise<void> {
    return this.must('fsfreeze', '-u', this.mountPoint);
  }

  /** Also when it is frozen, and when the process ends. */
  unmount(): void {
    if (!existsSync(this.image)) return;
    const say = (...argv: string[]): boolean => spawnSync(argv[0]!, argv.slice(1), { stdio: 'ignore' }).status === 0;
    say('fsfreeze', '-u', this.mountPoint);
    while (say('mountpoint', '-q', this.mountPoint)) {
      if (!say('umount', this.mountPoint)) say('umount', '-l', this.mountPoint);
    }
    rmSync(this.image, { force: true });
  }

  private async must(...argv: string[]): Promise<void> {
    const { status, stderr } = await runHere(argv);
    if (status !== 0) throw new Error(`${argv.join(' ')} ended with ${status}: ${stderr}`);
  }
}
