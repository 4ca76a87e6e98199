/**
 * Converters of 16-bit floats: IEEE 754 binary16 and bfloat16, the upper half of a binary32.
 *
 * @module
 */

/** Half floats as floats: exact. Takes the words, or a `Float16Array`. */
export function decodeF16(
  words: Uint16Array | Float16Array,
): Float32Array<ArrayBuffer> {
  const halves = words instanceof Uint16Array ? new Float16Array(words.buffer, words.byteOffset, words.length) : words;
  return new Float32Array(halves);
}

/** Floats as half floats, rounded to the nearest, ties to even; what is too large becomes an infinity. */
export function encodeF16(
  values: ArrayLike<number>,
): Float16Array<ArrayBuffer> {
  return new Float16Array(values);
}

/** bfloat16 words as floats: exact. */
export function decodeBf16(words: Uint16Array): Float32Array<ArrayBuffer> {
  const bits = new Uint32Array(words.length);
  for (let i = 0; i < words.length; i++) bits[i] = words[i] << 16;
  return new Float32Array(bits.buffer);
}

/** Floats as bfloat16 words, rounded to the nearest, ties to even. A NaN stays a NaN. */
export function encodeBf16(
  values: ArrayLike<number>,
): Uint16Array<ArrayBuffer> {
  const floats = new Float32Array(values);
  const bits = new Uint32Array(floats.buffer);
  const words = new Uint16Array(bits.length);
  for (let i = 0; i < bits.length; i++) words[i] = roundedToBf16(bits[i]);
  return words;
}

/** The word of one float. */
export function toBf16(value: number): number {
  scratch[0] = value;
  return roundedToBf16(scratchBits[0]);
}

/** The float of one word. */
export function fromBf16(word: number): number {
  scratchBits[0] = word << 16;
  return scratch[0];
}

const scratch = new Float32Array(1);
const scratchBits = new Uint32Array(scratch.buffer);

function roundedToBf16(bits: number): number {
  // Rounding could carry a NaN whose payload is in the lower half over into an infinity: it gets a payload bit instead.
  if ((bits & 0x7fffffff) > 0x7f800000) return (bits >>> 16) | 0x40;
  return (bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16;
}
