/** `Random` on Node. Reads the kernel's generator directly: loading node:crypto would cost a reader its start-up time. */
import fs from 'node:fs';
import type { Random } from '../core/platform/random.js';

/** Bytes fetched at once; a commit uses 8 to 16. */
const POOL_BYTES = 256;

export class NodeRandom implements Random {
  private readonly pool = Buffer.alloc(POOL_BYTES);
  private used = POOL_BYTES;

  hex(bytes: number): string {
    if (bytes > POOL_BYTES) throw new RangeError(`at most ${POOL_BYTES} random bytes at once`);
    if (this.used + bytes > POOL_BYTES) this.refill();
    const text = this.pool.toString('hex', this.used, this.used + bytes);
    this.used += bytes;
    return text;
  }

  fraction(): number {
    return Math.random();
  }

  private refill(): void {
    try {
      const fd = fs.openSync('/dev/urandom', 'r');
      try {
        if (fs.readSync(fd, this.pool, 0, POOL_BYTES, null) !== POOL_BYTES) throw new Error('short read');
      } finally {
        fs.closeSync(fd);
      }
    } catch {
      // No such device (another system, a bare chroot): the slower way to the same generator.
      process.getBuiltinModule('node:crypto').randomFillSync(this.pool);
    }
    this.used = 0;
  }
}
