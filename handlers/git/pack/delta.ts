/**
 * Deltas (gitformat-pack, "Deltified representation"): sizes of base and result, then copies and insertions.
 *
 * ```text
 * 1xxxxxxx [offset, size bytes as the bits say]   copy from the base; size 0 means 65536
 * 0nnnnnnn <n bytes>                              insert; n = 0 is none
 * ```
 *
 * @module
 */
import { corrupt } from "../errors.ts";

/**
 * The object that a delta makes of its base.
 *
 * @param limit Bytes that it may have.
 * @throws {AlknetError} `GIT_CORRUPT`: the delta does not fit its base, or makes something else than it says.
 */
export function applyDelta(base: Uint8Array, delta: Uint8Array, limit: number): Uint8Array {
  const [baseSize, afterBase] = sizeAt(delta, 0);
  const [size, start] = sizeAt(delta, afterBase);
  if (baseSize !== base.byteLength) throw corrupt("a delta is of another base");
  if (size > limit) throw corrupt(`a delta makes ${size} bytes; up to ${limit} are read whole`);
  const result = new Uint8Array(size);
  let at = start;
  let to = 0;
  while (at < delta.byteLength) {
    const op = delta[at++];
    if (op === 0) throw corrupt("a delta has instruction 0");
    if (op < 0x80) {
      if (at + op > delta.byteLength || to + op > size) throw corrupt("a delta inserts too much");
      result.set(delta.subarray(at, at + op), to);
      at += op;
      to += op;
      continue;
    }
    let from = 0;
    let length = 0;
    for (let i = 0; i < 4; i++) if (op & (1 << i)) from += delta[at++] * 2 ** (8 * i);
    for (let i = 0; i < 3; i++) if (op & (16 << i)) length += delta[at++] * 2 ** (8 * i);
    if (length === 0) length = 0x10000;
    // Bytes that the delta lacks make `from` or `length` NaN, which fits nowhere.
    if (!(from + length <= base.byteLength && to + length <= size)) throw corrupt("a delta copies what is not there");
    result.set(base.subarray(from, from + length), to);
    to += length;
  }
  if (to !== size) throw corrupt("a delta makes less than it says");
  return result;
}

/** The size of the object that a delta makes; the start of the delta is enough. */
export function deltaResultSize(delta: Uint8Array): number {
  return sizeAt(delta, sizeAt(delta, 0)[1])[0];
}

/** A size, seven bits a byte, lowest first, and where it ends. */
function sizeAt(bytes: Uint8Array, start: number): [size: number, end: number] {
  let size = 0;
  let at = start;
  for (let scale = 1;; scale *= 128) {
    if (at >= bytes.byteLength) throw corrupt("a delta ends early");
    const byte = bytes[at++];
    size += (byte & 0x7f) * scale;
    if (!Number.isSafeInteger(size)) throw corrupt("a delta's size is beyond 2^53");
    if (byte < 0x80) return [size, at];
  }
}
