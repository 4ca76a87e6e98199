/**
 * SHA-1 of few bytes (FIPS 180-4), for names of small objects: to set up a hash of the system's takes longer than this.
 *
 * @module
 */

/** Bytes that it takes at most, in three blocks with their padding. */
export const SMALL_SHA1: number = 3 * 64 - 9;

const block = new Uint8Array(3 * 64);
const view = new DataView(block.buffer);
const words = new Int32Array(80);

/**
 * The sum of some bytes and of some more.
 *
 * @param head Characters below 128.
 * @throws {RangeError} They are more than {@linkcode SMALL_SHA1} together.
 */
export function sha1Small(head: string, bytes: Uint8Array): Uint8Array {
  const length = head.length + bytes.byteLength;
  if (length > SMALL_SHA1) throw new RangeError(`${length} bytes are summed up; up to ${SMALL_SHA1} are`);
  for (let i = 0; i < head.length; i++) block[i] = head.charCodeAt(i);
  block.set(bytes, head.length);
  const end = (length + 9 + 63) & ~63;
  block[length] = 0x80;
  block.fill(0, length + 1, end - 4);
  view.setUint32(end - 4, length * 8);
  let [h0, h1, h2, h3, h4] = [0x67452301, 0xefcdab89 | 0, 0x98badcfe | 0, 0x10325476, 0xc3d2e1f0 | 0];
  for (let at = 0; at < end; at += 64) {
    for (let i = 0; i < 16; i++) words[i] = view.getInt32(at + i * 4);
    for (let i = 16; i < 80; i++) {
      const word = words[i - 3] ^ words[i - 8] ^ words[i - 14] ^ words[i - 16];
      words[i] = (word << 1) | (word >>> 31);
    }
    let [a, b, c, d, e] = [h0, h1, h2, h3, h4];
    for (let i = 0; i < 80; i++) {
      const mixed = i < 20
        ? ((b & c) | (~b & d)) + 0x5a827999
        : i < 40
        ? (b ^ c ^ d) + 0x6ed9eba1
        : i < 60
        ? ((b & c) | (b & d) | (c & d)) + 0x8f1bbcdc
        : (b ^ c ^ d) + 0xca62c1d6;
      const next = (((a << 5) | (a >>> 27)) + mixed + e + words[i]) | 0;
      e = d;
      d = c;
      c = (b << 30) | (b >>> 2);
      b = a;
      a = next;
    }
    h0 = (h0 + a) | 0;
    h1 = (h1 + b) | 0;
    h2 = (h2 + c) | 0;
    h3 = (h3 + d) | 0;
    h4 = (h4 + e) | 0;
  }
  const sum = new Uint8Array(20);
  const out = new DataView(sum.buffer);
  out.setInt32(0, h0);
  out.setInt32(4, h1);
  out.setInt32(8, h2);
  out.setInt32(12, h3);
  out.setInt32(16, h4);
  return sum;
}
