/**
 * The pure part of fs: BLAKE3 with its chaining values, outboards, encodings that are verified as they come, and the wire
 * formats around them. Does no I/O.
 *
 * @example A part of a blob, encoded and verified
 * ```ts
 * import { decode, encode, MemoryOutboard } from "@alknet/handlers/fs/bao";
 *
 * const blob = new Uint8Array(100_000).fill(7);
 * const outboard = MemoryOutboard.of(blob);
 * const parts: Uint8Array[] = [];
 * const source = { outboard, read: (at: number, length: number) => blob.subarray(at, at + length) };
 * for await (const part of encode(source, [5n, 9n])) parts.push(part);
 * const sent = new Uint8Array(await new Blob(parts as BlobPart[]).arrayBuffer());
 * let [at, verified] = [0, 0];
 * const read = (length: number) => sent.subarray(at, at += length);
 * await decode(outboard.root, [5n, 9n], { read }, { leaf: (_, bytes) => void (verified += bytes.byteLength) });
 * console.assert(verified === 4096);
 * ```
 *
 * @module
 */
export { type ByteReader, decode, type DecodeSink } from "./bao/decode.ts";
export { encode, type EncodeSource } from "./bao/encode.ts";
export { EncodingError, type TreeNode } from "./bao/encoding_error.ts";
export { Hasher, hashGroup, hashOf, hashPair, hashSubtree } from "./bao/hasher.ts";
export { hashBlob, type Maybe, MemoryOutboard, type Outboard } from "./bao/outboard.ts";
export { ALL, type ChunkRanges, complementOf, SIZE_PROOF } from "./bao/ranges.ts";
export { readLinks, readNames, writeNames } from "./wire/collection.ts";
export { type Hash, hashOfText, parseHash } from "./wire/hash_text.ts";
export { type ObserveItem, readItem, writeItem } from "./wire/observe.ts";
export { asksFrom, rangesAt, type RangeSeq, type SeqEntry } from "./wire/range_spec.ts";
export { RAW, readRequest, type Request, WITH_CHILDREN, writeRequest } from "./wire/requests.ts";
export { type Format, formatTicket, isTicketText, parseTicket, type Ticket } from "./wire/ticket.ts";
export { WireError } from "./wire/wire_error.ts";
