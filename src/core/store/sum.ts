/** The checksum of the format: SHA-256, in lower-case hex, of the bytes as they are on disk. */
import { createHash } from 'node:crypto';

export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
