/**
 * Inflates what is small and was deflated with fixed codes (RFC 1950, RFC 1951 §3.2.6): most small objects are, and to set up
 * zlib takes far longer than this. Whatever is in any way unusual is left to zlib.
 *
 * @module
 */

/** Larger ones have codes of their own. */
const MOST = 1024;

/** By the next nine bits: a literal or length, times 16, and how many bits it takes. */
const SYMBOLS = new Uint16Array(512);
/** By the next five bits: a distance's symbol. */
const DISTANCES = new Uint8Array(32);
const LENGTH_BASE = new Uint16Array(29);
const LENGTH_EXTRA = new Uint8Array(29);
const DISTANCE_BASE = new Uint16Array(30);
const DISTANCE_EXTRA = new Uint8Array(30);
const END = 256;

fillTables();

/** What a zlib stream makes and how long it is; nothing where zlib has to say. */
export function inflateSmall(bytes: Uint8Array, size: number): { bytes: Uint8Array; length: number } | undefined {
  const { byteLength } = bytes;
  // The method is deflate, there is no dictionary, and the check bits are right.
  if (size > MOST || byteLength < 8 || (bytes[0] & 0x8f) !== 8 || (bytes[1] & 0x20) !== 0) return undefined;
  if ((bytes[0] * 256 + bytes[1]) % 31 !== 0) return undefined;
  const out = new Uint8Array(size);
  let [at, to, hold, bits, isLast] = [2, 0, 0, 0, false];
  while (!isLast) {
    for (; bits < 3; bits += 8) hold |= (at < byteLength ? bytes[at++] : (at++, 0)) << bits;
    isLast = (hold & 1) === 1;
    if ((hold & 6) !== 2) return undefined;
    hold >>>= 3;
    bits -= 3;
    for (;;) {
      for (; bits < 14; bits += 8) hold |= (at < byteLength ? bytes[at++] : (at++, 0)) << bits;
      const { [hold & 511]: code } = SYMBOLS;
      const symbol = code >> 4;
      hold >>>= code & 15;
      bits -= code & 15;
      if (symbol < END) {
        if (to === size) return undefined;
        out[to++] = symbol;
        continue;
      }
      if (symbol === END) break;
      const rank = symbol - END - 1;
      if (rank >= 29) return undefined;
      let length = LENGTH_BASE[rank] + (hold & ((1 << LENGTH_EXTRA[rank]) - 1));
      hold >>>= LENGTH_EXTRA[rank];
      bits -= LENGTH_EXTRA[rank];
      // A distance takes 18 bits at most.
      for (; bits < 18; bits += 8) hold |= (at < byteLength ? bytes[at++] : (at++, 0)) << bits;
      const { [hold & 31]: place } = DISTANCES;
      if (place >= 30) return undefined;
      hold >>>= 5;
      const distance = DISTANCE_BASE[place] + (hold & ((1 << DISTANCE_EXTRA[place]) - 1));
      hold >>>= DISTANCE_EXTRA[place];
      bits -= 5 + DISTANCE_EXTRA[place];
      if (distance > to || length > size - to) return undefined;
      for (; length > 0; length--, to++) out[to] = out[to - distance];
    }
  }
  // Whole bytes that were looked at and not taken.
  at -= bits >> 3;
  if (to !== size || at + 4 > byteLength) return undefined;
  const sum = ((bytes[at] << 24) | (bytes[at + 1] << 16) | (bytes[at + 2] << 8) | bytes[at + 3]) >>> 0;
  return sum === adler32(out) ? { bytes: out, length: at + 4 } : undefined;
}

/** The sum of RFC 1950; up to 5552 bytes need one division. */
function adler32(bytes: Uint8Array): number {
  let [a, b] = [1, 0];
  for (let i = 0; i < bytes.byteLength; i++) {
    a += bytes[i];
    b += a;
  }
  return (b % 65521) * 65536 + a % 65521;
}

function fillTables(): void {
  const place = (symbol: number, code: number, length: number): void => {
    const first = reversed(code, length);
    for (let rest = 0; rest < 512 >> length; rest++) SYMBOLS[first | (rest << length)] = symbol * 16 + length;
  };
  for (let i = 0; i < 144; i++) place(i, 0x30 + i, 8);
  for (let i = 144; i < 256; i++) place(i, 0x190 + i - 144, 9);
  for (let i = 256; i < 280; i++) place(i, i - 256, 7);
  for (let i = 280; i < 288; i++) place(i, 0xc0 + i - 280, 8);
  for (let i = 0; i < 32; i++) DISTANCES[reversed(i, 5)] = i;
  for (let i = 0, base = 3; i < 28; i++) {
    LENGTH_BASE[i] = base;
    LENGTH_EXTRA[i] = i < 8 ? 0 : (i >> 2) - 1;
    base += 1 << LENGTH_EXTRA[i];
  }
  LENGTH_BASE[28] = 258;
  for (let i = 0, base = 1; i < 30; i++) {
    DISTANCE_BASE[i] = base;
    DISTANCE_EXTRA[i] = i < 4 ? 0 : (i >> 1) - 1;
    base += 1 << DISTANCE_EXTRA[i];
  }
}

function reversed(code: number, length: number): number {
  let back = 0;
  for (let i = 0; i < length; i++) back |= ((code >> i) & 1) << (length - 1 - i);
  return back;
}
