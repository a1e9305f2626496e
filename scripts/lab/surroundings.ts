/** Where a lab's cluster lives: the hosts, the shared directory and the file system under it; built and removed as one. */
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { Disk, type Host, type LabHost, LocalHost, Netlab, ROOT, runHere } from './hosts.js';
import type { Lab } from './scenarios/scenario.js';

export const FILE_SYSTEMS = ['ext4', 'moosefs', 'glusterfs'] as const;
export type FileSystem = (typeof FILE_SYSTEMS)[number];

export interface Surroundings {
  hosts: readonly Host[];
  /** Directory of this machine for states, logs and configurations. */
  base: string;
  /** Directory that all hosts share; clusters are made in it. */
  shared: string;
  disk: Disk | null;
  hang: Lab['hang'];
  /** After a host was booted again: its mounts. */
  repair(): Promise<void>;
  remove(): void;
}

/** Hosts of netlab.sh over one file system. @throws Error when the lab cannot be built */
export async function netlabSurroundings(name: string, count: number, fs: FileSystem): Promise<Surroundings> {
  const lab = new Netlab(name);
  const disk = new Disk(lab.dir);
  const remove = (): void => {
    lab.down();
    disk.unmount();
    rmSync(lab.dir, { recursive: true, force: true });
  };
  // What an earlier run has left behind.
  remove();
  if (fs !== 'ext4') return sharedFileSystem(lab, count, fs);
  try {
    await disk.mount(192);
    const hosts: LabHost[] = await lab.up(count);
    return { hosts, base: join(lab.dir, 'nodes'), shared: disk.mountPoint, disk, hang: null, repair, remove };
  } catch (error) {
    remove();
    throw error;
  }
}

const repair = async (): Promise<void> => {};

/** MooseFS or GlusterFS, by their scripts beside this one; servers run in machines that are no nodes. */
async function sharedFileSystem(lab: Netlab, count: number, fs: 'moosefs' | 'glusterfs'): Promise<Surroundings> {
  const script = async (...words: string[]): Promise<void> => {
    const { status, stdout, stderr } = await runHere([join(ROOT, 'scripts/lab', `${fs}.sh`), ...words], lab.withEnv());
    if (status !== 0) throw new Error(`${fs}.sh ${words.join(' ')} ended with ${status}: ${stdout}${stderr}`);
  };
  const mount = `/mnt/cfs-lab-${lab.name}`;
  const remove = (): void => {
    lab.removeWith(join(ROOT, 'scripts/lab', `${fs}.sh`));
    rmSync(lab.dir, { recursive: true, force: true });
  };
  try {
    const hosts = await lab.up(count, fs === 'moosefs' ? 1 : 3);
    await script('up', mount);
    return {
      hosts,
      base: join(lab.dir, 'nodes'),
      shared: mount,
      disk: null,
      hang: { one: (host) => script('hang', host), end: (host) => script('unhang', host) },
      repair: () => script('up', mount),
      remove,
    };
  } catch (error) {
    remove();
    throw error;
  }
}

/** This machine alone under several node names: no root, no power-off, no mounts. */
export function localSurroundings(base: string, count: number): Surroundings {
  const shared = join(base, 'shared');
  mkdirSync(shared, { recursive: true, mode: 0o750 });
  return {
    hosts: Array.from({ length: count }, (_, i) => new LocalHost(`n${i + 1}`)),
    base: join(base, 'nodes'),
    shared,
    disk: null,
    hang: null,
    repair,
    remove: () => {},
  };
}
