/** A command on a cluster in an image file: fresh as a whole image, or, where the power is not cut, as a directory only. */
import fs from 'node:fs';
import path from 'node:path';
import { type App, must } from './app.js';
import { copyPrepared, type Stage } from './inject.js';
import type { Victim } from './operations.js';
import { type Expected, stateOf, type Verdict, verify } from './state.js';
import { cutPower, type Kind, makeImage, mount, unmount } from './volumes.js';

export class ImageStage implements Stage {
  readonly root: string;
  readonly dir: string;
  readonly trace: string;
  /** Whether the next `fresh` makes the whole image anew. */
  whole = true;
  private readonly base: string;
  private readonly work: string;
  readonly copy: string;

  /** @param prepared the cluster to begin with, or null */
  constructor(
    readonly app: App,
    readonly kind: Kind,
    readonly victim: Victim,
    work: string,
    private readonly prepared: string | null,
  ) {
    const file = (name: string): string => path.join(work, `${kind}-${victim.name}.${name}`);
    [this.base, this.work, this.copy, this.trace] = [file('base'), file('work'), file('copy'), file('trace')];
    this.root = path.join(work, `mnt-${kind}`);
    this.dir = path.join(this.root, 'c');
    fs.mkdirSync(this.root, { recursive: true });
    makeImage(kind, this.base, prepared, this.root);
  }

  fresh = (): void => {
    if (!this.whole) {
      copyPrepared(this.prepared, this.dir);
      return;
    }
    unmount(this.root);
    must(['cp', '--sparse=always', this.base, this.work]);
    mount(this.kind, this.work, this.root);
  };

  /** What a run without faults makes of the prepared state; `whole` has just run, so `dir` holds the new one. */
  async expected(): Promise<Expected> {
    const after = await stateOf(this.dir);
    this.fresh();
    const old = await stateOf(this.dir);
    if (old === after) throw new Error(`${this.victim.name} changes nothing`);
    return { old, new: after, args: this.victim.args, input: this.victim.input };
  }

  /** Copies what is on the disk at this instant. */
  cut(): void {
    cutPower(this.work, this.copy);
  }

  /** Mounts the copy in the place of the image, journal replay included, and verifies what it holds. */
  async verifyCut(expected: Expected, allowed: 'old' | 'new' | 'either'): Promise<Verdict> {
    unmount(this.root);
    const kept = process.env.CFS_KEEP === '1';
    if (kept) must(['cp', '--sparse=always', this.copy, `${this.copy}.kept`]);
    try {
      mount(this.kind, this.copy, this.root, true);
    } catch (error) {
      return { which: 'neither', problems: [`does not mount: ${(error as Error).message}`], nameless: false };
    }
    const verdict = await verify(this.app, this.dir, expected, allowed);
    unmount(this.root);
    return verdict;
  }

  close(): void {
    unmount(this.root);
    for (const file of [this.base, this.work, this.copy, `${this.copy}.kept`]) fs.rmSync(file, { force: true });
  }
}
