/**
 * zlib streams (RFC 1950) of known sizes.
 *
 * @module
 */
import { constants, deflateSync, inflateSync } from "node:zlib";
import { corrupt } from "../errors.ts";

/** Bytes that are made room for at once: a claimed size allocates no more. */
const MOST_AT_ONCE = 1024 * 1024;

/**
 * Inflates a stream that has exactly `size` bytes. What stands after it is passed over.
 *
 * @throws {AlknetError} `GIT_CORRUPT`: it has not, or is no zlib stream.
 */
export function inflateExactly(bytes: Uint8Array, size: number): Uint8Array {
  let inflated: Uint8Array;
  try {
    inflated = inflateSync(bytes, {
      maxOutputLength: Math.max(1, size),
      chunkSize: Math.min(Math.max(64, size + 1), MOST_AT_ONCE),
    });
  } catch (cause) {
    throw corrupt("an object cannot be inflated", { cause });
  }
  if (inflated.byteLength !== size) throw corrupt(`an object has ${inflated.byteLength} bytes; ${size} were said`);
  return inflated;
}

/**
 * The first bytes of a stream of which only the start is given.
 *
 * @throws {AlknetError} `GIT_CORRUPT`: it is no zlib stream.
 */
export function inflateStart(bytes: Uint8Array): Uint8Array {
  try {
    return inflateSync(bytes, { finishFlush: constants.Z_SYNC_FLUSH });
  } catch (cause) {
    throw corrupt("an object cannot be inflated", { cause });
  }
}

/** Deflates, quickly. */
export function deflate(bytes: Uint8Array): Uint8Array {
  return deflateSync(bytes, { level: 1 });
}
