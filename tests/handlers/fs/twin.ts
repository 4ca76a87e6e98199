/**
 * BLAKE3 and encodings once more, as the specifications say them and without a thought for speed: the twin that the quick
 * ones are held against. Chunks that are selected are a set of numbers here.
 *
 * @module
 */

const IV = [0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19];
const PERMUTATION = [2, 6, 3, 10, 7, 0, 4, 13, 1, 11, 12, 5, 9, 14, 15, 8];
const MIXES = [
  [0, 4, 8, 12],
  [1, 5, 9, 13],
  [2, 6, 10, 14],
  [3, 7, 11, 15],
  [0, 5, 10, 15],
  [1, 6, 11, 12],
  [2, 7, 8, 13],
  [3, 4, 9, 14],
];

/** The hash of bytes. */
export function slowHash(bytes: Uint8Array): Uint8Array {
  return slowNode(bytes, 0, true);
}

/** All pairs above groups, in pre-order. */
export function slowOutboard(bytes: Uint8Array): Uint8Array {
  const parts: Uint8Array[] = [];
  const visit = (part: Uint8Array, start: number): void => {
    const count = chunks(part.byteLength);
    if (count <= 16) return;
    const left = leftOf(count);
    parts.push(pairOf(part, start));
    visit(part.subarray(0, left * 1024), start);
    visit(part.subarray(left * 1024), start + left);
  };
  visit(bytes, 0);
  return joined(parts);
}

/** The encoding of chunks of bytes; `ranges` are boundaries. */
export function slowEncoding(bytes: Uint8Array, ranges: readonly bigint[]): Uint8Array {
  const count = chunks(bytes.byteLength);
  const isIn = (chunk: bigint): boolean => ranges.filter((at) => at <= chunk).length % 2 === 1;
  const selected = new Set<number>();
  for (let i = 0; i < count; i++) if (isIn(BigInt(i))) selected.add(i);
  if (ranges.length % 2 === 1 || (ranges.at(-1) ?? 0n) > BigInt(count - 1)) selected.add(count - 1);
  const size = new Uint8Array(8);
  new DataView(size.buffer).setBigUint64(0, BigInt(bytes.byteLength), true);
  const parts: Uint8Array[] = [size];
  const walk = (part: Uint8Array, start: number): void => {
    const k = chunks(part.byteLength);
    const hits = Array.from({ length: k }, (_, i) => selected.has(start + i));
    if (!hits.includes(true)) return;
    if (k === 1 || (k <= 16 && !hits.includes(false))) {
      parts.push(part);
      return;
    }
    const left = leftOf(k);
    parts.push(pairOf(part, start));
    walk(part.subarray(0, left * 1024), start);
    walk(part.subarray(left * 1024), start + left);
  };
  walk(bytes, 0);
  return joined(parts);
}

/** Byte i is i mod 251, as in the published vectors. */
export function pattern(length: number): Uint8Array<ArrayBuffer> {
  return Uint8Array.from({ length }, (_, i) => i % 251);
}

/** Several byte arrays as one. */
export function joined(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.byteLength, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.byteLength;
  }
  return whole;
}

/** The chaining value of a node that begins at a chunk of its blob. */
export function slowNode(bytes: Uint8Array, start: number, isRoot: boolean): Uint8Array {
  const count = chunks(bytes.byteLength);
  if (count === 1) return chunk(bytes, start, isRoot);
  return compress(IV, pairOf(bytes, start), 0, 64, 4 | (isRoot ? 8 : 0));
}

function pairOf(bytes: Uint8Array, start: number): Uint8Array {
  const left = leftOf(chunks(bytes.byteLength));
  return joined([
    slowNode(bytes.subarray(0, left * 1024), start, false),
    slowNode(bytes.subarray(left * 1024), start + left, false),
  ]);
}

function chunk(bytes: Uint8Array, index: number, isRoot: boolean): Uint8Array {
  const blocks = Math.max(1, Math.ceil(bytes.byteLength / 64));
  let value: readonly number[] = IV;
  let out = new Uint8Array();
  for (let i = 0; i < blocks; i++) {
    const part = bytes.subarray(i * 64, i * 64 + 64);
    const last = i === blocks - 1;
    const flags = (i === 0 ? 1 : 0) | (last ? 2 : 0) | (last && isRoot ? 8 : 0);
    out = compress(value, part, index, part.byteLength, flags);
    value = words(out);
  }
  return out;
}

function compress(
  value: readonly number[],
  bytes: Uint8Array,
  counter: number,
  length: number,
  flags: number,
): Uint8Array<ArrayBuffer> {
  const padded = new Uint8Array(64);
  padded.set(bytes);
  let message = words(padded);
  const state = [
    ...value,
    ...IV.slice(0, 4),
    Number(BigInt(counter) & 0xffff_ffffn),
    Number(BigInt(counter) >> 32n),
    length,
    flags,
  ];
  const rotate = (word: number, by: number): number => (word >>> by | word << 32 - by) >>> 0;
  for (let round = 0; round < 7; round++) {
    MIXES.forEach(([a, b, c, d], i) => {
      for (const [word, one, other] of [[message[2 * i], 16, 12], [message[2 * i + 1], 8, 7]]) {
        state[a] = (state[a] + state[b] + word) % 2 ** 32;
        state[d] = rotate(state[d] ^ state[a], one);
        state[c] = (state[c] + state[d]) % 2 ** 32;
        state[b] = rotate(state[b] ^ state[c], other);
      }
    });
    message = PERMUTATION.map((from) => message[from]);
  }
  const out = new DataView(new ArrayBuffer(32));
  for (let i = 0; i < 8; i++) out.setUint32(i * 4, state[i] ^ state[i + 8], true);
  return new Uint8Array(out.buffer);
}

function words(bytes: Uint8Array): number[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Array.from({ length: bytes.byteLength / 4 }, (_, i) => view.getUint32(i * 4, true));
}

function chunks(size: number): number {
  return Math.max(1, Math.ceil(size / 1024));
}

function leftOf(count: number): number {
  let left = 1;
  while (left * 2 < count) left *= 2;
  return left;
}
