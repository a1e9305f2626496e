/**
 * SHA-256 of small inputs without node:crypto, whose loading alone takes an eighth of a start (2.5 ms against 0.35 ms,
 * bench/startup.ts). The module is assembled by scripts/sha256-wasm.ts, which says what is in it.
 */

const MODULE =
  'AGFzbQEAAAABBgFgAn9/AAMCAQAFBAEBAQEHEwIGYmxvY2tzAAAGbWVtb3J5AgAKgwQBgAQBC38DQEEAIQIDQCACIAAgAmooAgBBGHhB/4H8B3' +
  'EgACACaigCAEEIeEGA/oN4cXI2AsACIAJBBGohAiACQcAASQ0ACwNAIAIgAkHAAGsoAsACIAJBPGsoAsACQQd4IAJBPGsoAsACQRJ4cyACQTxr' +
  'KALAAkEDdnNqIAJBHGsoAsACaiACQQhrKALAAkEReCACQQhrKALAAkETeHMgAkEIaygCwAJBCnZzajYCwAIgAkEEaiECIAJBgAJJDQALQQAoAg' +
  'AhBUEAKAIEIQZBACgCCCEHQQAoAgwhCEEAKAIQIQlBACgCFCEKQQAoAhghC0EAKAIcIQxBACECA0AgDCAJQQZ4IAlBC3hzIAlBGXhzaiALIAkg' +
  'CiALc3FzaiACKAJAaiACKALAAmohAyAFQQJ4IAVBDXhzIAVBFnhzIAUgBnEgByAFIAZycXJqIQQgCyEMIAohCyAJIQogCCADaiEJIAchCCAGIQ' +
  'cgBSEGIAMgBGohBSACQQRqIQIgAkGAAkkNAAtBAEEAKAIAIAVqNgIAQQBBACgCBCAGajYCBEEAQQAoAgggB2o2AghBAEEAKAIMIAhqNgIMQQBB' +
  'ACgCECAJajYCEEEAQQAoAhQgCmo2AhRBAEEAKAIYIAtqNgIYQQBBACgCHCAMajYCHCAAQcAAaiEAIAFBAWshASABDQALCwuIAgEAQcAAC4ACmC' +
  '+KQpFEN3HP+8C1pdu16VvCVjnxEfFZpII/ktVeHKuYqgfYAVuDEr6FMSTDfQxVdF2+cv6x3oCnBtybdPGbwcFpm+SGR77vxp3BD8yhDCRvLOkt' +
  'qoR0StypsFzaiPl2UlE+mG3GMajIJwOwx39Zv/ML4MZHkafVUWPKBmcpKRSFCrcnOCEbLvxtLE0TDThTVHMKZbsKanYuycKBhSxykqHov6JLZh' +
  'qocItLwqNRbMcZ6JLRJAaZ1oU1DvRwoGoQFsGkGQhsNx5Md0gntbywNLMMHDlKqthOT8qcW/NvLmjugo90b2OleBR4yIQIAseM+v++kOtsUKT3' +
  'o/m+8nhxxg==';

/** Where the input begins in the module's memory, and how much of it fits: whole blocks of 64 bytes. */
const INPUT_AT = 1024;
const INPUT_BYTES = 63 * 1024;
const INITIAL = [0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19];

/** As much of WebAssembly as is used here: its types come with those of browsers, which have no place in this code. */
declare const WebAssembly: {
  Module: new (bytes: Uint8Array) => object;
  Instance: new (module: object) => { exports: unknown };
};

interface Exports {
  /** Mixes `count` (at least 1) blocks at `from` into the state, the eight words at address 0. */
  blocks(from: number, count: number): void;
  memory: { buffer: ArrayBuffer };
}

let exports: Exports | undefined;

function instance(): Exports {
  exports ??= new WebAssembly.Instance(new WebAssembly.Module(Buffer.from(MODULE, 'base64'))).exports as Exports;
  return exports;
}

/** SHA-256 in lower-case hex. Slower than node:crypto from about 300 KiB on. */
export function sha256Small(bytes: Uint8Array): string {
  const { blocks, memory } = instance();
  const input = new Uint8Array(memory.buffer, INPUT_AT, INPUT_BYTES);
  const view = new DataView(memory.buffer);
  INITIAL.forEach((word, i) => {
    view.setUint32(4 * i, word, true);
  });
  const whole = bytes.length & ~63;
  for (let at = 0; at < whole; at += INPUT_BYTES) {
    const part = bytes.subarray(at, Math.min(at + INPUT_BYTES, whole));
    input.set(part);
    blocks(INPUT_AT, part.length / 64);
  }
  // The rest, a one bit, zeros, and the length in bits as the last eight bytes of a block.
  const rest = bytes.length - whole;
  const end = rest < 56 ? 64 : 128;
  input.fill(0, 0, end);
  input.set(bytes.subarray(whole));
  input[rest] = 0x80;
  view.setBigUint64(INPUT_AT + end - 8, BigInt(bytes.length) * 8n);
  blocks(INPUT_AT, end / 64);
  let hex = '';
  for (let i = 0; i < 8; i++)
    hex += view
      .getUint32(4 * i, true)
      .toString(16)
      .padStart(8, '0');
  return hex;
}
