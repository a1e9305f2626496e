/** Volumes that are ext4 images, each client with loop devices of its own over them: hosts that share a disk, as far as one kernel goes. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { VolumeSource } from './client-agent.js';
import { LoopDevice } from './real-mounts.js';

const SIZE = '48M';

function must(program: string, args: readonly string[]): Buffer {
  const { status, stdout, stderr, error } = spawnSync(program, args, { maxBuffer: 1 << 28 });
  if (status !== 0) throw new Error(`${program} ${args.join(' ')}: ${error?.message ?? stderr.toString().trim()}`);
  return stdout;
}

/** Makes an image with these files in its root. @throws Error without mkfs.ext4 */
export function makeImage(image: string, files: Readonly<Record<string, string>>): void {
  const root = `${image}.root`;
  mkdirSync(root, { recursive: true });
  for (const [name, content] of Object.entries(files)) writeFileSync(join(root, name), content);
  must('truncate', ['-s', SIZE, image]);
  must('mkfs.ext4', ['-q', '-F', '-d', root, image]);
}

/** A file of an image that nobody has mounted for writing. */
export function readFromImage(image: string, name: string): Buffer {
  return must('debugfs', ['-R', `cat /${name}`, image]);
}

/** The loop devices of a run. */
export class Images {
  private readonly devices: LoopDevice[] = [];

  constructor(readonly base: string) {}

  image(volume: string): string {
    return join(this.base, `${volume}.img`);
  }

  make(volumes: readonly string[], files: Readonly<Record<string, string>>): void {
    for (const volume of volumes) {
      mkdirSync(dirname(this.image(volume)), { recursive: true });
      makeImage(this.image(volume), files);
    }
  }

  /** The volumes as one more host sees them. */
  attach(volumes: readonly string[]): Record<string, VolumeSource> {
    return Object.fromEntries(
      volumes.map((volume) => {
        const device = new LoopDevice(this.image(volume));
        this.devices.push(device);
        return [volume, { device: device.device, fsType: 'ext4' }];
      }),
    );
  }

  close(): void {
    for (const device of this.devices.splice(0)) device.detach();
  }
}
