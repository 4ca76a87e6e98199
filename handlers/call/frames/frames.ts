/**
 * Frames: the length of the body, then the body (call.md §2.1).
 *
 * ```
 * +----------------------------+------------------------------+
 * | length: 4 bytes, unsigned, | body: exactly `length` bytes |
 * | big-endian                 | of UTF-8 JSON                |
 * +----------------------------+------------------------------+
 * ```
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { AlknetError } from "@alknet/core/handler";
import { asEnvelope, type EventEnvelope } from "./envelope.ts";
import { boundsFault, MAX_DEPTH, MAX_MEMBERS } from "@alknet/core/operations";
import { MAX_BODY } from "../limits.ts";

/** What a body may be. */
export interface BodyLimits {
  /** Longest body, in bytes. */
  readonly bytes: number;
  /** Most members and items of its JSON. */
  readonly members: number;
}

/** An envelope and what its body took. */
export interface Frame {
  /** The message. */
  readonly envelope: EventEnvelope;
  /** Length of the body, in bytes. */
  readonly bytes: number;
}

const DEFAULT_LIMITS: BodyLimits = { bytes: MAX_BODY, members: MAX_MEMBERS };
const HEADER = 4;
const STRICT = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Bytes below which a piece of a body costs more memory as it is than copied. */
const SMALL = 512;
/** Bytes in which small pieces are gathered. */
const GATHER = 16 * 1024;

/**
 * Bytes to envelopes. No byte of a body is copied, but for bodies that came in pieces, and theirs once; those of small
 * pieces twice.
 */
export class FrameDecoder {
  readonly #limits: () => BodyLimits;
  readonly #header = Buffer.alloc(HEADER);
  /** What was pushed last, and how far it was read. */
  #chunk: Buffer = this.#header;
  #at = HEADER;
  #headerBytes = 0;
  /** Length of the body under way; -1 while its header is. */
  #length = -1;
  /** The parts of a body that did not come whole. */
  #pieces: Uint8Array[] = [];
  #pieceBytes = 0;
  /** Where small pieces are gathered: the last piece, as far as it is filled. */
  #gather: Buffer | undefined;
  #gatherTo = 0;

  /** @param limits What a body may be, asked anew for each. */
  constructor(limits: () => BodyLimits = () => DEFAULT_LIMITS) {
    this.#limits = limits;
  }

  /** Whether a frame has begun and not ended. */
  get partial(): boolean {
    return this.#headerBytes > 0 || this.#length >= 0;
  }

  /** Bytes held of a body that has not come whole. */
  get held(): number {
    return this.#pieceBytes;
  }

  /** Takes the next bytes, once {@linkcode next} had no more, and keeps the array. */
  push(chunk: Uint8Array): void {
    this.#chunk = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    this.#at = 0;
  }

  /**
   * The next envelope, or nothing until more bytes are pushed.
   *
   * @throws {AlknetError} `INVALID_FRAME` for a length of 0 or above the limit, `NOT_AN_ENVELOPE` for a body that is none.
   */
  next(): Frame | undefined {
    if (this.#length < 0 && !this.#readHeader()) return undefined;
    const length = this.#length;
    const there = this.#chunk.byteLength - this.#at;
    const missing = length - this.#pieceBytes;
    if (there < missing) {
      if (there > 0) {
        this.#keep(this.#chunk.subarray(this.#at));
        this.#pieceBytes += there;
        this.#at = this.#chunk.byteLength;
      }
      return undefined;
    }
    const end = this.#at + missing;
    let body = this.#chunk;
    let start = this.#at;
    if (this.#pieces.length > 0) {
      body = Buffer.concat([...this.#pieces, this.#chunk.subarray(this.#at, end)], length);
      start = 0;
      this.#pieces = [];
      this.#pieceBytes = 0;
      this.#gather = undefined;
    }
    this.#at = end;
    this.#length = -1;
    return { envelope: parseEnvelope(body, start, start + length, this.#limits().members), bytes: length };
  }

  /** Keeps a piece. Whoever sends a body byte by byte would otherwise have an object kept for each. */
  #keep(piece: Buffer): void {
    const size = piece.byteLength;
    if (size >= SMALL) {
      this.#gather = undefined;
      this.#pieces.push(piece);
    } else if (this.#gather && this.#gatherTo + size <= GATHER) {
      piece.copy(this.#gather, this.#gatherTo);
      this.#gatherTo += size;
      this.#pieces[this.#pieces.length - 1] = this.#gather.subarray(0, this.#gatherTo);
    } else {
      this.#gather = Buffer.allocUnsafeSlow(GATHER);
      piece.copy(this.#gather, 0);
      this.#gatherTo = size;
      this.#pieces.push(this.#gather.subarray(0, size));
    }
  }

  #readHeader(): boolean {
    const chunk = this.#chunk;
    if (this.#headerBytes === 0 && chunk.byteLength - this.#at >= HEADER) {
      this.#length = chunk.readUInt32BE(this.#at);
      this.#at += HEADER;
    } else {
      while (this.#headerBytes < HEADER && this.#at < chunk.byteLength) {
        this.#header[this.#headerBytes++] = chunk[this.#at++];
      }
      if (this.#headerBytes < HEADER) return false;
      this.#headerBytes = 0;
      this.#length = this.#header.readUInt32BE(0);
    }
    const { bytes } = this.#limits();
    if (this.#length === 0 || this.#length > bytes) {
      throw new AlknetError(
        "INVALID_FRAME",
        `frame of ${this.#length} bytes: 1 to ${bytes} are allowed (call.md §2.1)`,
      );
    }
    return true;
  }
}

/**
 * Parses a body.
 *
 * @throws {AlknetError} `NOT_AN_ENVELOPE`.
 */
export function parseEnvelope(
  body: Buffer,
  start = 0,
  end = body.byteLength,
  members: number = MAX_MEMBERS,
): EventEnvelope {
  let text = body.toString("utf8", start, end);
  let value: unknown;
  try {
    // What is not UTF-8 was replaced; only then is it worth asking the strict decoder, which takes nine times as long.
    if (text.includes("\ufffd")) text = STRICT.decode(body.subarray(start, end));
    const fault = boundsFault(text, { depth: MAX_DEPTH, members });
    if (fault !== undefined) throw new TypeError(fault);
    value = JSON.parse(text);
  } catch (cause) {
    throw notAnEnvelope(cause instanceof TypeError ? cause.message : "not JSON in UTF-8", { cause });
  }
  const envelope = asEnvelope(value);
  if (!envelope) throw notAnEnvelope("a type, an id or a payload is missing");
  return envelope;
}

/**
 * Writes a body and its length.
 *
 * @throws {AlknetError} `MESSAGE_TOO_LARGE`: nothing was written.
 */
export function encodeFrame(json: string): Uint8Array {
  const length = checkedLength(json);
  const frame = Buffer.allocUnsafe(HEADER + length);
  frame.writeUInt32BE(length, 0);
  frame.write(json, HEADER, "utf8");
  return frame;
}

/**
 * Length of a body, in bytes of UTF-8.
 *
 * @throws {AlknetError} `MESSAGE_TOO_LARGE`.
 */
export function checkedLength(json: string): number {
  const length = Buffer.byteLength(json, "utf8");
  if (length <= MAX_BODY) return length;
  throw new AlknetError("MESSAGE_TOO_LARGE", `message of ${length} bytes: at most ${MAX_BODY} fit a frame`);
}

function notAnEnvelope(why: string, options?: ErrorOptions): AlknetError {
  return new AlknetError("NOT_AN_ENVELOPE", `body is no envelope: ${why} (call.md §3)`, options);
}
