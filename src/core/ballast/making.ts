/**
 * Making the ballast, in steps: an agent must renew its lease meanwhile, and writing 4 MiB may take seconds on a slow shared file
 * system. The file grows under a temporary name and is put in place by an exclusive link when it is whole.
 */
import { isSystemCallError } from '../platform/files.js';
import type { Random } from '../platform/random.js';
import { systemError } from '../store/system-error.js';
import { BALLAST_BYTES, type BallastPlace } from './ballast.js';

/** Written and flushed at once. */
const CHUNK_BYTES = 512 * 1024;

export class BallastMaking {
  private fd: number | null = null;
  private done = 0;
  private readonly temporary: string;

  constructor(private readonly place: BallastPlace) {
    this.temporary = `${place.paths.root}/.ballast.${place.platform.random.hex(8)}.tmp`;
  }

  /**
   * Goes on for `budgetMs`, at least by one chunk. Leaves nothing behind when it fails.
   * @returns `made`; `exists`: somebody else was faster; `growing`: call it again
   * @throws CfsError NO_SPACE and others of the system
   */
  step(budgetMs = Number.POSITIVE_INFINITY): 'made' | 'exists' | 'growing' {
    const { clock } = this.place.platform;
    const endMs = clock.monotonicMs() + budgetMs;
    try {
      do this.grow();
      while (this.done < BALLAST_BYTES && clock.monotonicMs() < endMs);
      if (this.done < BALLAST_BYTES) return 'growing';
      return this.put();
    } catch (error) {
      this.abandon();
      throw systemError(error, 'write', this.place.paths.ballast);
    }
  }

  /** Gives it up: somebody else has made it, or there is no space. */
  abandon(): void {
    const { files } = this.place.platform;
    try {
      if (this.fd !== null) files.close('ballast.close', this.fd);
    } catch (error) {
      if (!isSystemCallError(error)) throw error;
    }
    this.fd = null;
    this.done = 0;
    this.discard();
  }

  private grow(): void {
    const { platform, modes } = this.place;
    const { files, random } = platform;
    if (this.fd === null) {
      this.fd = files.openNew('ballast.create', this.temporary, modes.file);
      files.fchmod('ballast.chmod', this.fd, modes.file);
    }
    const bytes = noise(random, Math.min(CHUNK_BYTES, BALLAST_BYTES - this.done));
    for (let at = 0; at < bytes.length; ) {
      at += files.write('ballast.write', this.fd, bytes, at, bytes.length - at);
    }
    files.fsync('ballast.fsync', this.fd);
    this.done += bytes.length;
  }

  private put(): 'made' | 'exists' {
    const { platform, paths } = this.place;
    const fd = this.fd!;
    this.fd = null;
    platform.files.close('ballast.close', fd);
    try {
      platform.files.link('ballast.link', this.temporary, paths.ballast);
      return 'made';
    } catch (error) {
      if (isSystemCallError(error, 'EEXIST')) return 'exists';
      throw error;
    } finally {
      this.discard();
    }
  }

  /** What cannot be removed now, the next compaction removes; an earlier error is the one to report. */
  private discard(): void {
    try {
      this.place.platform.files.unlink('ballast.unlink-temporary', this.temporary);
    } catch (error) {
      if (!isSystemCallError(error)) throw error;
    }
  }
}

/** Bytes that no file system can store in less: neither holes, nor equal blocks, nor anything to compress. */
function noise(random: Random, length: number): Buffer {
  const bytes = Buffer.allocUnsafe(length);
  let [a, b, c, d] = [0, 1, 2, 3].map(() => Number.parseInt(random.hex(4), 16) | 1) as [number, number, number, number];
  // xorshift128 (Marsaglia 2003): so much from the kernel's generator would stop the process for longer.
  for (let i = 0; i < length; i += 4) {
    const t = a ^ (a << 11);
    [a, b, c] = [b, c, d];
    d = d ^ (d >>> 19) ^ t ^ (t >>> 8);
    bytes.writeInt32LE(d, i);
  }
  return bytes;
}
