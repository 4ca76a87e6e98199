/**
 * What a QUIC packet says without keys: enough to route it, to answer it statelessly, and to find the packet behind it.
 *
 * Long header of version 1 (RFC 9000 §17.2); up to the connection IDs it is the same in every version (RFC 8999 §5.1):
 *
 * ```text
 * 1      form 1, fixed bit 1, type 2 bits, 4 bits that are protected or of the type's own use
 * 4      version
 * 1 + n  length of the destination connection ID, and it
 * 1 + n  length of the source connection ID, and it
 *        Initial alone:           token length (varint), token
 *        all but Retry:           length (varint) of what follows: packet number and payload
 *        Retry:                   token, 16 bytes of integrity tag
 *        version negotiation:     version, ... to the end of the datagram
 * ```
 *
 * @module
 */

/** QUIC version 1, the only one that the engine speaks. */
export const QUIC_V1 = 1;
/** Longest connection ID of version 1 (RFC 9000 §17.2), bytes. */
export const MAX_CID_LENGTH = 20;
/** Smallest datagram that may carry an Initial packet (RFC 9000 §14.1), bytes. */
export const MIN_INITIAL_DATAGRAM = 1200;

/** Type of a packet with a long header. `unknown` is one of a version that is not ours. */
export type LongPacketType = "initial" | "0rtt" | "handshake" | "retry" | "negotiation" | "unknown";

/** A long header. The byte fields are views of the datagram. */
export interface LongHeader {
  /** What the packet is. */
  readonly type: LongPacketType;
  /** Version, 0 for version negotiation. */
  readonly version: number;
  /** Destination connection ID; at most 20 bytes in version 1, at most 255 in others. */
  readonly dcid: Uint8Array;
  /** Source connection ID. */
  readonly scid: Uint8Array;
  /** Token of an Initial or a Retry; empty in others. */
  readonly token: Uint8Array;
  /** Offset in the datagram of what follows the header: the protected packet number, the tag of a Retry, the versions. */
  readonly payload: number;
  /** Offset in the datagram of the end of the packet. */
  readonly end: number;
}

const V1_TYPES: readonly LongPacketType[] = ["initial", "0rtt", "handshake", "retry"];
const EMPTY = new Uint8Array(0);
const RETRY_TAG_LENGTH = 16;

/**
 * The long header at `offset` of a datagram; nothing if there is none or it does not hold together. Looks at no byte
 * that is protected, needs no key, never throws.
 */
export function parseLongHeader(datagram: Uint8Array, offset = 0): LongHeader | undefined {
  const size = datagram.length;
  if (offset + 7 > size || datagram[offset] < 0x80) return undefined;
  const first = datagram[offset];
  const version = ((datagram[offset + 1] << 24) | (datagram[offset + 2] << 16) | (datagram[offset + 3] << 8) |
    datagram[offset + 4]) >>> 0;
  const dcidStart = offset + 6;
  const dcidEnd = dcidStart + datagram[offset + 5];
  if (dcidEnd >= size) return undefined;
  const scidStart = dcidEnd + 1;
  const scidEnd = scidStart + datagram[dcidEnd];
  if (scidEnd > size) return undefined;

  let type: LongPacketType;
  let token: Uint8Array = EMPTY;
  let payload = scidEnd;
  let end = size;
  if (version !== QUIC_V1) {
    type = version === 0 ? "negotiation" : "unknown";
  } else {
    if (first < 0xc0 || dcidEnd - dcidStart > MAX_CID_LENGTH || scidEnd - scidStart > MAX_CID_LENGTH) return undefined;
    type = V1_TYPES[(first >> 4) & 3];
    if (type === "retry") {
      payload = size - RETRY_TAG_LENGTH;
      if (payload < scidEnd) return undefined;
      token = datagram.subarray(scidEnd, payload);
    } else {
      if (type === "initial") {
        const length = readVarint(datagram, payload, size);
        const start = payload + varintLength(datagram, payload);
        if (length < 0 || length > size - start) return undefined;
        if (length > 0) token = datagram.subarray(start, start + length);
        payload = start + length;
      }
      const length = readVarint(datagram, payload, size);
      payload += varintLength(datagram, payload);
      if (length < 0 || length > size - payload) return undefined;
      end = payload + length;
    }
  }
  return {
    type,
    version,
    dcid: datagram.subarray(dcidStart, dcidEnd),
    scid: datagram.subarray(scidStart, scidEnd),
    token,
    payload,
    end,
  };
}

/**
 * Where the packets with long headers at the beginning of a datagram end. What follows is the packet with a short header,
 * if its first byte says so (RFC 9000 §12.2), or nothing that holds together.
 */
export function longPacketsEnd(datagram: Uint8Array): number {
  let end = 0;
  for (let header = parseLongHeader(datagram); header; header = parseLongHeader(datagram, end)) end = header.end;
  return end;
}

/** The variable-length integer (RFC 9000 §16) at `at`, exact below 2^53; -1 if it does not end before `end`. */
export function readVarint(bytes: Uint8Array, at: number, end: number): number {
  if (at >= end || at + varintLength(bytes, at) > end) return -1;
  const first = bytes[at];
  switch (first >> 6) {
    case 0:
      return first;
    case 1:
      return ((first & 0x3f) << 8) | bytes[at + 1];
    case 2:
      return ((first & 0x3f) << 24) | (bytes[at + 1] << 16) | (bytes[at + 2] << 8) | bytes[at + 3];
    default: {
      const high = ((first & 0x3f) << 24) | (bytes[at + 1] << 16) | (bytes[at + 2] << 8) | bytes[at + 3];
      const low = ((bytes[at + 4] << 24) | (bytes[at + 5] << 16) | (bytes[at + 6] << 8) | bytes[at + 7]) >>> 0;
      return high * 0x1_0000_0000 + low;
    }
  }
}

/** Bytes of the variable-length integer that begins at `at`: 1, 2, 4 or 8, by its first byte. */
export function varintLength(bytes: Uint8Array, at: number): number {
  return 1 << (bytes[at] >> 6);
}
