/**
 * Counts the frames that a peer may send without bound and that cost its receiver more than they cost the peer.
 *
 * quiche 0.18.0 keeps each of these for as long as the connection lives:
 *
 * - CRYPTO data after the handshake (CVE-2024-1765);
 * - an answer to each PATH_CHALLENGE, until it is acknowledged (CVE-2023-6193);
 * - the id of each NEW_CONNECTION_ID that is retired at once, in a list that it searches for each (CVE-2024-1410);
 * - each piece of a stream that does not continue it, with some 150 bytes of its own: a piece of one byte, ten on the
 *   wire, costs many times that. Flow control bounds their bytes, not their number.
 *
 * quiche decrypts a packet where it lies, so once it is done the frames can be read. But only of a packet that it has
 * taken: one that it passes over, because it is too short to be protected or stands behind one that it drops, lies there
 * as whoever sent it wrote it (intake.ts tells them apart). What is read here has reached quiche already; what it does is
 * end the connection in its next turn.
 *
 * @module
 */
import { CID_LENGTH } from "../admission/connection_ids.ts";
import { readVarint, varintLength } from "../admission/packet_header.ts";

/** What a connection is closed for. */
export type FrameAbuse = "crypto-data" | "path-and-id-frames" | "stream-pieces";

/** What is known of a stream with data that was not delivered. */
interface Waiting {
  /** End of the furthest piece. */
  end: number;
  pieces: number;
  bytes: number;
}

/** Bytes of CRYPTO after the handshake. Clients send none, servers tickets of a few hundred bytes. */
const MAX_CRYPTO = 64 * 1024;
/** CRYPTO frames after the handshake: as many as tickets in small pieces need. */
const MAX_CRYPTO_FRAMES = 256;
/** PATH_CHALLENGE, NEW_CONNECTION_ID and their like: we serve one path and allow one spare id, so a few would do. */
const MAX_PATH_AND_ID = 256;
/** Undelivered pieces that a connection may have whatever their size: a screenful of keystrokes that nobody reads. */
const MAX_PIECES = 16 * 1024;
/** Beyond that, pieces that hold this many bytes are within what flow control allows: small messages, read late. */
const FAIR_PIECE = 64;

const TAG_LENGTH = 16;
const RESET_TOKEN_LENGTH = 16;

/** Varints of the frames that have nothing else (RFC 9000 §19): PING, RESET_STREAM, STOP_SENDING, MAX_*, *_BLOCKED, … */
const VARINTS: Readonly<Record<number, number>> = {
  0x01: 0,
  0x04: 3,
  0x05: 2,
  0x10: 1,
  0x11: 2,
  0x12: 1,
  0x13: 1,
  0x14: 1,
  0x15: 2,
  0x16: 1,
  0x17: 1,
  0x1e: 0,
};

/** The frames of one connection, counted. */
export class FrameBudget {
  /** Datagram messages received (RFC 9221). */
  datagrams = 0;
  /** Their bytes. */
  datagramBytes = 0;
  readonly #waiting = new Map<number, Waiting>();
  #pieces = 0;
  #bytes = 0;
  #crypto = 0;
  #cryptoFrames = 0;
  #pathAndId = 0;
  // Where the reader stands.
  #at = 0;
  #end = 0;

  /** The abuse that the counts show, if they show any. */
  get abuse(): FrameAbuse | undefined {
    if (this.#crypto > MAX_CRYPTO || this.#cryptoFrames > MAX_CRYPTO_FRAMES) return "crypto-data";
    if (this.#pathAndId > MAX_PATH_AND_ID) return "path-and-id-frames";
    if (this.#pieces > MAX_PIECES + this.#bytes / FAIR_PIECE) return "stream-pieces";
    return undefined;
  }

  /** Counts the frames of a packet with a short header that quiche has taken; others have none of those. */
  count(packet: Uint8Array): void {
    if (1 + CID_LENGTH >= packet.byteLength) return;
    // The packet number is as long as the low bits of the first byte say, plus one (RFC 9000 §17.3.1).
    this.#at = 1 + CID_LENGTH + (packet[0] & 3) + 1;
    this.#end = packet.byteLength - TAG_LENGTH;
    while (this.#at < this.#end && this.#frame(packet));
  }

  /** Notes that a stream was delivered up to an offset. */
  delivered(stream: number, offset: number): void {
    const waiting = this.#waiting.get(stream);
    if (waiting && offset >= waiting.end) this.forget(stream);
  }

  /** Notes that what a stream had is gone. */
  forget(stream: number): void {
    const waiting = this.#waiting.get(stream);
    if (!waiting) return;
    this.#waiting.delete(stream);
    this.#pieces -= waiting.pieces;
    this.#bytes -= waiting.bytes;
  }

  /** Forgets streams that are over; what came late for one of them was dropped. Called once in a while. */
  sweep(isOver: (stream: number) => boolean): void {
    for (const stream of this.#waiting.keys()) if (isOver(stream)) this.forget(stream);
  }

  /** Counts the frame at hand and goes to the next. Returns whether it was understood; quiche refuses what was not. */
  #frame(bytes: Uint8Array): boolean {
    const type = bytes[this.#at++];
    if (type === 0) {
      while (this.#at < this.#end && bytes[this.#at] === 0) this.#at++;
      return true;
    }
    if ((type & 0xf8) === 0x08) return this.#stream(bytes, type);
    if (type === 0x02 || type === 0x03) return this.#ack(bytes, type);
    const varints = VARINTS[type];
    if (varints !== undefined) return this.#skip(bytes, varints);
    switch (type) {
      case 0x06:
        this.#skip(bytes, 1);
        return this.#cryptoData(this.#varint(bytes));
      case 0x07: // NEW_TOKEN
        return this.#advance(this.#varint(bytes));
      case 0x18: // NEW_CONNECTION_ID
        this.#pathAndId++;
        return this.#skip(bytes, 2) && this.#advance(1 + bytes[this.#at] + RESET_TOKEN_LENGTH);
      case 0x19: // RETIRE_CONNECTION_ID
        this.#pathAndId++;
        return this.#skip(bytes, 1);
      case 0x1a: // PATH_CHALLENGE, PATH_RESPONSE
      case 0x1b:
        this.#pathAndId++;
        return this.#advance(8);
      case 0x30: // DATAGRAM, up to the end of the packet or with a length
        return this.#message(this.#end - this.#at);
      case 0x31:
        return this.#message(this.#varint(bytes));
    }
    // CONNECTION_CLOSE, after which nothing matters, or a frame that does not exist.
    return false;
  }

  /** STREAM: id, offset if bit 4, length if bit 2, data (RFC 9000 §19.8). */
  #stream(bytes: Uint8Array, type: number): boolean {
    const id = this.#varint(bytes);
    const offset = type & 0x04 ? this.#varint(bytes) : 0;
    const length = type & 0x02 ? this.#varint(bytes) : this.#end - this.#at;
    if (!this.#advance(length)) return false;
    const waiting = this.#waiting.get(id);
    if (!waiting) this.#waiting.set(id, { end: offset + length, pieces: 1, bytes: length });
    else {
      waiting.end = Math.max(waiting.end, offset + length);
      waiting.pieces++;
      waiting.bytes += length;
    }
    this.#pieces++;
    this.#bytes += length;
    return true;
  }

  /** ACK: largest, delay, count of ranges, first range, ranges of two numbers; 0x03 has three counts at the end. */
  #ack(bytes: Uint8Array, type: number): boolean {
    if (!this.#skip(bytes, 2)) return false;
    const ranges = this.#varint(bytes);
    if (ranges < 0 || ranges > this.#end - this.#at) return false;
    return this.#skip(bytes, 1 + 2 * ranges + (type === 0x03 ? 3 : 0));
  }

  #cryptoData(length: number): boolean {
    if (!this.#advance(length)) return false;
    this.#crypto += length;
    this.#cryptoFrames++;
    return true;
  }

  #message(length: number): boolean {
    if (!this.#advance(length)) return false;
    this.datagrams++;
    this.datagramBytes += length;
    return true;
  }

  /** The varint at hand, or -1. */
  #varint(bytes: Uint8Array): number {
    const value = readVarint(bytes, this.#at, this.#end);
    if (value >= 0) this.#at += varintLength(bytes, this.#at);
    return value;
  }

  #skip(bytes: Uint8Array, varints: number): boolean {
    for (let i = 0; i < varints; i++) {
      if (this.#at >= this.#end) return false;
      this.#at += varintLength(bytes, this.#at);
    }
    return this.#at <= this.#end;
  }

  #advance(length: number): boolean {
    if (length < 0 || length > this.#end - this.#at) return false;
    this.#at += length;
    return true;
  }
}
