/**
 * Assembles the SHA-256 of src/core/store/sha256-wasm.ts: `node --import tsx scripts/sha256-wasm.ts` prints the module in
 * base64. test/cli/sha256-wasm.test.ts compares the two and checks the sums against node:crypto.
 *
 * Memory:  0 state (8 words) | 64 constants K (64 words) | 320 schedule W (64 words) | 1024 input, whole blocks of 64 bytes
 * Export:  blocks(from, count): mixes `count` blocks at `from` into the state.   memory: one page
 */
import { fileURLToPath } from 'node:url';

const K_AT = 64;
const W_AT = 320;

function unsigned(value: number): number[] {
  const bytes: number[] = [];
  let rest = value >>> 0;
  do {
    const low = rest & 0x7f;
    rest >>>= 7;
    bytes.push(rest === 0 ? low : low | 0x80);
  } while (rest !== 0);
  return bytes;
}

function signed(value: number): number[] {
  const bytes: number[] = [];
  for (let rest = value | 0; ; ) {
    const low = rest & 0x7f;
    rest >>= 7;
    if ((rest === 0 && !(low & 0x40)) || (rest === -1 && low & 0x40)) return [...bytes, low];
    bytes.push(low | 0x80);
  }
}

type Code = number[];
const i32 = (value: number): Code => [0x41, ...signed(value)];
const load = (address: Code, offset = 0): Code => [...address, 0x28, 2, ...unsigned(offset)];
const store = (address: Code, value: Code, offset = 0): Code => [...address, ...value, 0x36, 2, ...unsigned(offset)];
const operator =
  (opcode: number) =>
  (...values: Code[]): Code =>
    values.flatMap((value, i) => (i === 0 ? value : [...value, opcode]));
const add = operator(0x6a);
const sub = operator(0x6b);
const and = operator(0x71);
const or = operator(0x72);
const xor = operator(0x73);
const shr = (value: Code, by: number): Code => [...value, ...i32(by), 0x76];
const rotr = (value: Code, by: number): Code => [...value, ...i32(by), 0x78];
const less = operator(0x49);
/** Runs the body, then again while the condition holds. */
const loop = (body: Code, condition: Code): Code => [0x03, 0x40, ...body, ...condition, 0x0d, 0, 0x0b];

// Locals: parameters first.
const [FROM, COUNT, I, T1, T2, A] = [0, 1, 2, 3, 4, 5];
const get = (local: number): Code => [0x20, local];
const set = (local: number, value: Code): Code => [...value, 0x21, local];
const letter = (n: number): Code => get(A + n);

function hashBlocks(): Code {
  const word = add(get(FROM), get(I));
  // Big-endian words: the bytes of each are turned round by two rotations.
  const turned = or(and(rotr(load(word), 24), i32(0x00ff00ff)), and(rotr(load(word), 8), i32(0xff00ff00)));
  const copy = loop([...store(get(I), turned, W_AT), ...set(I, add(get(I), i32(4)))], less(get(I), i32(64)));

  const before = (n: number): Code => load(sub(get(I), i32(4 * n)), W_AT);
  const s0 = xor(rotr(before(15), 7), rotr(before(15), 18), shr(before(15), 3));
  const s1 = xor(rotr(before(2), 17), rotr(before(2), 19), shr(before(2), 10));
  const extend = loop(
    [...store(get(I), add(before(16), s0, before(7), s1), W_AT), ...set(I, add(get(I), i32(4)))],
    less(get(I), i32(256)),
  );

  const [a, b, c, d, e, f, g, h] = [0, 1, 2, 3, 4, 5, 6, 7].map(letter) as [
    Code,
    Code,
    Code,
    Code,
    Code,
    Code,
    Code,
    Code,
  ];
  const sum1 = xor(rotr(e, 6), rotr(e, 11), rotr(e, 25));
  const choice = xor(g, and(e, xor(f, g)));
  const sum0 = xor(rotr(a, 2), rotr(a, 13), rotr(a, 22));
  const majority = or(and(a, b), and(c, or(a, b)));
  const round = [
    ...set(T1, add(h, sum1, choice, load(get(I), K_AT), load(get(I), W_AT))),
    ...set(T2, add(sum0, majority)),
    ...set(A + 7, g),
    ...set(A + 6, f),
    ...set(A + 5, e),
    ...set(A + 4, add(d, get(T1))),
    ...set(A + 3, c),
    ...set(A + 2, b),
    ...set(A + 1, a),
    ...set(A, add(get(T1), get(T2))),
    ...set(I, add(get(I), i32(4))),
  ];
  const states = [0, 1, 2, 3, 4, 5, 6, 7];
  return loop(
    [
      ...set(I, i32(0)),
      ...copy,
      ...extend,
      ...states.flatMap((n) => set(A + n, load(i32(0), 4 * n))),
      ...set(I, i32(0)),
      ...loop(round, less(get(I), i32(256))),
      ...states.flatMap((n) => store(i32(0), add(load(i32(0), 4 * n), letter(n)), 4 * n)),
      ...set(FROM, add(get(FROM), i32(64))),
      ...set(COUNT, sub(get(COUNT), i32(1))),
    ],
    get(COUNT),
  );
}

/** The first 32 bits of the fractions of the cube roots of the first 64 primes, as little-endian bytes. */
function constants(): number[] {
  const bytes: number[] = [];
  for (let candidate = 2; bytes.length < 256; candidate++) {
    let isPrime = true;
    for (let d = 2; d * d <= candidate; d++) if (candidate % d === 0) isPrime = false;
    if (!isPrime) continue;
    const word = Math.floor((Math.cbrt(candidate) % 1) * 2 ** 32) >>> 0;
    bytes.push(word & 255, (word >>> 8) & 255, (word >>> 16) & 255, word >>> 24);
  }
  return bytes;
}

const vector = (items: number[][]): number[] => [...unsigned(items.length), ...items.flat()];
const sized = (bytes: number[]): number[] => [...unsigned(bytes.length), ...bytes];
const section = (id: number, bytes: number[]): number[] => [id, ...sized(bytes)];
const text = (value: string): number[] => sized([...Buffer.from(value)]);

/** The module's bytes. */
export function assemble(): Buffer {
  const body = sized([...vector([[11, 0x7f]]), ...hashBlocks(), 0x0b]);
  return Buffer.from([
    ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, vector([[0x60, 2, 0x7f, 0x7f, 0]])),
    ...section(3, vector([[0]])),
    ...section(5, vector([[1, 1, 1]])),
    ...section(
      7,
      vector([
        [...text('blocks'), 0, 0],
        [...text('memory'), 2, 0],
      ]),
    ),
    ...section(10, vector([body])),
    ...section(11, vector([[0, ...i32(K_AT), 0x0b, ...sized(constants())]])),
  ]);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) console.log(assemble().toString('base64'));
