/**
 * Files too large for messages: sealed in chunks by a key of their own, which travels in the message (msg.md §3.2).
 *
 * ```text
 * sealed: of each chunk GCM(key, nonce) of 64 KiB, the file's end filled up with zeros
 * nonce:  00 00 00 | index u64 | 01 for the last, else 00
 * ```
 *
 * @module
 */
import { AlknetError, GCM_TAG_LENGTH, openGcm, sealGcm } from "@alknet/core/crypto";

/** Bytes of a file in a chunk, and of a chunk once it is sealed. */
export const CHUNK = 64 * 1024;
const SEALED_CHUNK = CHUNK + GCM_TAG_LENGTH;

/** Bytes of a file once it is sealed. */
export function sealedLength(size: number): number {
  return chunksOf(size) * SEALED_CHUNK;
}

/**
 * Seals a file as it is read.
 *
 * @param key 32 bytes, for this file alone: the nonces of all files are the same.
 * @param size Bytes of the file.
 * @throws {AlknetError} `CHANGED_MEANWHILE`: it had more or fewer.
 */
export async function* sealAttachment(
  key: Uint8Array,
  size: number,
  file: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  const count = chunksOf(size);
  let [index, length] = [0, 0];
  for await (const chunk of chunked(file, CHUNK)) {
    length += chunk.byteLength;
    if (length > size) break;
    const isLast = index === count - 1;
    if (chunk.byteLength < CHUNK && !isLast) break;
    yield seal(key, index++, isLast, chunk);
  }
  if (length !== size) {
    throw new AlknetError("CHANGED_MEANWHILE", `the file had ${size} bytes, and others as it was read; send it again`);
  }
  if (size === 0) yield seal(key, 0, true, new Uint8Array());
}

/**
 * Opens a file as it comes. Nothing of a chunk is given out before all of it was proven, nor anything behind one that was not.
 *
 * @throws {AlknetError} `BAD_ATTACHMENT`: a chunk was altered, cut, moved, left out or added, or it has another size.
 */
export async function* openAttachment(
  key: Uint8Array,
  size: number,
  sealed: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  const count = chunksOf(size);
  let index = 0;
  for await (const chunk of chunked(sealed, SEALED_CHUNK)) {
    if (index >= count) throw bad();
    const isLast = index === count - 1;
    const plain = open(key, index, isLast, chunk);
    const length = isLast ? size - index * CHUNK : CHUNK;
    if (plain.subarray(length).some((byte) => byte !== 0)) throw bad();
    index++;
    if (length > 0) yield plain.slice(0, length);
  }
  if (index < count) throw bad();
}

function seal(key: Uint8Array, index: number, isLast: boolean, chunk: Uint8Array): Uint8Array<ArrayBuffer> {
  const plain = new Uint8Array(CHUNK);
  plain.set(chunk);
  return new Uint8Array(sealGcm(key, nonceOf(index, isLast), plain, NOTHING));
}

function open(key: Uint8Array, index: number, isLast: boolean, chunk: Uint8Array): Uint8Array {
  if (chunk.byteLength !== SEALED_CHUNK) throw bad();
  try {
    return openGcm(key, nonceOf(index, isLast), chunk, NOTHING);
  } catch (cause) {
    throw bad(cause);
  }
}

const NOTHING = new Uint8Array();

function nonceOf(index: number, isLast: boolean): Uint8Array {
  const nonce = new Uint8Array(12);
  new DataView(nonce.buffer).setBigUint64(3, BigInt(index));
  nonce[11] = isLast ? 1 : 0;
  return nonce;
}

/** An empty file has one, too. */
function chunksOf(size: number): number {
  return Math.max(1, Math.ceil(size / CHUNK));
}

/** Pieces of any length as pieces of one length, the last maybe shorter. */
async function* chunked(pieces: AsyncIterable<Uint8Array>, length: number): AsyncGenerator<Uint8Array> {
  let [filled, at] = [new Uint8Array(length), 0];
  for await (let piece of pieces) {
    while (piece.byteLength > 0) {
      const taken = Math.min(length - at, piece.byteLength);
      filled.set(piece.subarray(0, taken), at);
      piece = piece.subarray(taken);
      at += taken;
      if (at < length) continue;
      yield filled;
      [filled, at] = [new Uint8Array(length), 0];
    }
  }
  if (at > 0) yield filled.subarray(0, at);
}

function bad(cause?: unknown): AlknetError {
  return new AlknetError("BAD_ATTACHMENT", "the file that came is not the one that was sent, or was cut", { cause });
}
