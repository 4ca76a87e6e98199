/**
 * Requests, each the whole of what the requester sends on a stream, but for the encodings of a Push.
 *
 * ```text
 * 00  Get       hash, seq
 * 01  Observe   hash, spec
 * 08  Push      LEB128 length of hash and seq; hash, seq; the encodings
 * 09  GetMany   list of hashes, seq (entry i = hash i)
 * ```
 *
 * @module
 */
import { ALL, type ChunkRanges } from "../bao/ranges.ts";
import { HASH } from "../bao/tree.ts";
import { type RangeSeq, readSeq, readSpec, writeSeq, writeSpec } from "./range_spec.ts";
import { WireReader, WireWriter } from "./varint.ts";
import { WireError } from "./wire_error.ts";

/** The first byte of a request. */
export const RequestType = { GET: 0x00, OBSERVE: 0x01, PUSH: 0x08, GET_MANY: 0x09 } as const;

/** A request. Hashes are 32 bytes. */
export type Request =
  | { readonly type: "get"; readonly hash: Uint8Array; readonly seq: RangeSeq }
  | { readonly type: "observe"; readonly hash: Uint8Array; readonly ranges: ChunkRanges }
  /** What follows `encodings` in the message are the encodings. */
  | { readonly type: "push"; readonly hash: Uint8Array; readonly seq: RangeSeq; readonly encodings: number }
  | { readonly type: "getMany"; readonly hashes: readonly Uint8Array[]; readonly seq: RangeSeq };

/** All of a blob, and none of what it may list. */
export const RAW: RangeSeq = Object.freeze([{ index: 0n, ranges: ALL }, { index: 1n, ranges: [] }]);
/** A sequence and all of its children. */
export const WITH_CHILDREN: RangeSeq = Object.freeze([{ index: 0n, ranges: ALL }]);

/**
 * Reads a request.
 *
 * @throws {WireError} It is none, or not in its one form.
 */
export function readRequest(bytes: Uint8Array): Request {
  const from = new WireReader(bytes);
  switch (from.byte()) {
    case RequestType.GET:
      return ended(from, { type: "get", hash: from.take(HASH), seq: readSeq(from) });
    case RequestType.OBSERVE:
      return ended(from, { type: "observe", hash: from.take(HASH), ranges: readSpec(from) });
    case RequestType.GET_MANY: {
      const hashes: Uint8Array[] = [];
      for (let i = from.count(Math.floor(from.left / HASH)); i > 0; i--) hashes.push(from.take(HASH));
      return ended(from, { type: "getMany", hashes, seq: readSeq(from) });
    }
    case RequestType.PUSH: {
      const head = new WireReader(from.take(from.count(from.left)));
      const encodings = bytes.byteLength - from.left;
      return ended(head, { type: "push", hash: head.take(HASH), seq: readSeq(head), encodings });
    }
    default:
      throw new WireError("it is no request that is known");
  }
}

/** Writes a request; of a Push, what stands before the encodings. */
export function writeRequest(request: Request): Uint8Array<ArrayBuffer> {
  const to = new WireWriter();
  switch (request.type) {
    case "get":
      to.put(RequestType.GET).bytes(request.hash);
      writeSeq(to, request.seq);
      break;
    case "observe":
      to.put(RequestType.OBSERVE).bytes(request.hash);
      writeSpec(to, request.ranges);
      break;
    case "getMany":
      to.put(RequestType.GET_MANY).u64(request.hashes.length);
      for (const hash of request.hashes) to.bytes(hash);
      writeSeq(to, request.seq);
      break;
    case "push": {
      const head = new WireWriter().bytes(request.hash);
      writeSeq(head, request.seq);
      const bytes = head.done();
      to.put(RequestType.PUSH).u64(bytes.byteLength).bytes(bytes);
    }
  }
  return to.done();
}

function ended<T>(from: WireReader, request: T): T {
  from.end();
  return request;
}
