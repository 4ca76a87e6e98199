/**
 * Frames between a node and its QUIC engine, over a byte stream.
 *
 * One shape for all, little-endian, so that neither side parses more than it needs:
 *
 * ```text
 * 0   4  length of the payload
 * 4   1  kind
 * 5   1  flag: whether the stream ends
 * 6   1  whether the payload is in shared memory instead of here
 * 8   4  connection
 * 12  4  position of the payload in shared memory
 * 16  8  stream (float64)
 * 24  8  value: a code, a count of bytes, a limit (float64)
 * 32     payload
 * ```
 *
 * @module
 */
import { MIN_SHARED, type RingReader, type RingWriter } from "./shared_ring.ts";

/** What a frame says. Commands go from the node to the engine, events the other way. */
export const Kind = {
  /** Command: how to run. JSON. */
  CONFIG: 1,
  /** Command: take no newcomers. */
  STOP_ACCEPTING: 2,
  /** Command: close everything and end; the reason as text. */
  SHUT_DOWN: 3,
  /** Command: refuse an address for `value` milliseconds; the address as text. */
  BAN: 4,
  /** Command: hold to these limits of admission. JSON. */
  LIMITS: 13,
  /** Command: show newcomers this certificate of the public profile. JSON. */
  CERTIFICATE: 15,
  /** Command: begin a stream. */
  OPEN: 5,
  /** Command: send the payload. */
  SEND: 6,
  /** Command: a reader took `value` bytes. */
  CONSUMED: 7,
  /** Command: reset with code `value`. */
  RESET: 8,
  /** Command: stop with code `value`. */
  STOP: 9,
  /** Command: send a datagram message. */
  SEND_DATAGRAM: 10,
  /** Command: close with code `value`; the reason as text. */
  CLOSE: 11,
  /** Command: close once everything is acknowledged. */
  FINISH: 12,
  /** Command: the peer has an identity. */
  TRUST: 14,
  /** Event: listening; JSON of the address. */
  LISTENING: 32,
  /** Event: cannot run; JSON of the error. */
  FAILED: 33,
  /** Event: still alive; JSON of the refusals since the last one, by reason, if there were any. */
  HEARTBEAT: 34,
  /** Event: a newcomer was refused; JSON. */
  REFUSED: 35,
  /** Event: a connection; JSON of `value` bytes, then the certificate. */
  OPENED: 36,
  /** Event: bytes of the peer. */
  DATA: 37,
  /** Event: the peer reset with code `value`. */
  PEER_RESET: 38,
  /** Event: the peer stopped with code `value`. */
  PEER_STOPPED: 39,
  /** Event: `value` bytes more may be sent. */
  GRANT: 40,
  /** Event: `stream` bidirectional and `value` unidirectional streams may be opened in all. */
  STREAM_LIMIT: 41,
  /** Event: a datagram message. */
  DATAGRAM: 42,
  /** Event: counters; JSON. */
  PATH: 43,
  /** Event: the connection is over; JSON. */
  ENDED: 44,
  /** Event: newcomers are refused from now on. */
  STOPPED_ACCEPTING: 45,
  /** Event: the memory offered is shared from now on. */
  SHARING: 46,
} as const;

/** One frame. The payload is a view, valid during the call only. */
export interface Frame {
  kind: number;
  flag: boolean;
  connection: number;
  stream: number;
  value: number;
  payload: Uint8Array;
}

/** Bytes of a header. */
export const HEADER_SIZE = 32;
/** Longest payload; what both sides send is shorter, so a longer one means that the stream is broken. */
export const MAX_PAYLOAD = 1024 * 1024;
const INITIAL_SIZE = 64 * 1024;
/** Largest memory kept for the next frames. */
const MAX_SPARE = 4 * INITIAL_SIZE;
const EMPTY = new Uint8Array(0);

/** Collects frames to send. */
export class FrameWriter {
  /** Where long payloads go, once both sides share memory. */
  ring: RingWriter | undefined;
  #bytes: Uint8Array<ArrayBuffer> = new Uint8Array(INITIAL_SIZE);
  #view: DataView = new DataView(this.#bytes.buffer);
  /** Memory of frames that have left. */
  #spare: Uint8Array<ArrayBuffer> | undefined;
  #start = 0;
  #end = 0;

  /** Bytes that wait. */
  get length(): number {
    return this.#end - this.#start;
  }

  /** Adds a frame; the payload is copied. */
  write(kind: number, connection = 0, stream = 0, value = 0, payload: Uint8Array = EMPTY, flag = false): void {
    const position = payload.byteLength >= MIN_SHARED && this.ring ? this.ring.put(payload) : -1;
    const size = HEADER_SIZE + (position < 0 ? payload.byteLength : 0);
    if (this.#end + size > this.#bytes.byteLength) this.#grow(size);
    const at = this.#end;
    const view = this.#view;
    view.setUint32(at, payload.byteLength, true);
    view.setUint32(at + 4, kind | (flag ? 0x100 : 0) | (position < 0 ? 0 : 0x10000), true);
    view.setUint32(at + 8, connection, true);
    view.setUint32(at + 12, Math.max(0, position), true);
    view.setFloat64(at + 16, stream, true);
    view.setFloat64(at + 24, value, true);
    if (position < 0) this.#bytes.set(payload, at + HEADER_SIZE);
    this.#end += size;
  }

  /** Adds a frame with a JSON payload. */
  writeJson(kind: number, connection: number, value: unknown): void {
    this.write(kind, connection, 0, 0, new TextEncoder().encode(JSON.stringify(value)));
  }

  /** What waits: the buffer and the range of it. Valid until the next write. */
  pending(): { bytes: Uint8Array<ArrayBuffer>; start: number; length: number } {
    return { bytes: this.#bytes, start: this.#start, length: this.length };
  }

  /** Takes all that waits, as an array of its own that may be sent while more is written; {@linkcode giveBack} follows. */
  take(): Uint8Array<ArrayBuffer> {
    const taken = this.#bytes.subarray(this.#start, this.#end);
    const spare = this.#spare ?? new Uint8Array(Math.max(INITIAL_SIZE, Math.min(this.#bytes.byteLength, MAX_SPARE)));
    this.#spare = undefined;
    this.#replace(spare);
    return taken;
  }

  /** What was taken has been sent: its memory is written into again, unless it is large. */
  giveBack(taken: Uint8Array<ArrayBuffer>): void {
    if (taken.buffer.byteLength <= MAX_SPARE) this.#spare = new Uint8Array(taken.buffer);
  }

  /** The first `count` waiting bytes have been sent. */
  sent(count: number): void {
    this.#start += count;
    if (this.#start === this.#end) this.#start = this.#end = 0;
  }

  #replace(bytes: Uint8Array<ArrayBuffer>): void {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer);
    this.#start = this.#end = 0;
  }

  #grow(size: number): void {
    const waiting = this.#bytes.subarray(this.#start, this.#end);
    if (waiting.byteLength + size <= this.#bytes.byteLength / 2) {
      this.#bytes.copyWithin(0, this.#start, this.#end);
      this.#start = 0;
      this.#end = waiting.byteLength;
      return;
    }
    const larger = new Uint8Array(2 * (waiting.byteLength + size));
    larger.set(waiting);
    this.#replace(larger);
    this.#end = waiting.byteLength;
  }
}

/** Cuts a byte stream into frames, however it is split. */
export class FrameReader {
  /** Where long payloads are, once both sides share memory. */
  ring: RingReader | undefined;
  readonly #bytes: Uint8Array<ArrayBuffer> = new Uint8Array(2 * (MAX_PAYLOAD + HEADER_SIZE));
  readonly #view: DataView = new DataView(this.#bytes.buffer);
  readonly #frame: Frame = { kind: 0, flag: false, connection: 0, stream: 0, value: 0, payload: EMPTY };
  #start = 0;
  #end = 0;

  /** Where the next bytes go. */
  room(): { bytes: Uint8Array<ArrayBuffer>; start: number; length: number } {
    if (this.#start > 0 && this.#bytes.byteLength - this.#end < MAX_PAYLOAD + HEADER_SIZE) {
      this.#bytes.copyWithin(0, this.#start, this.#end);
      this.#end -= this.#start;
      this.#start = 0;
    }
    return { bytes: this.#bytes, start: this.#end, length: this.#bytes.byteLength - this.#end };
  }

  /**
   * `count` bytes have been put into the room; calls back for each frame that is whole.
   *
   * @throws {RangeError} A payload is longer than {@linkcode MAX_PAYLOAD}, or not in shared memory where it should be.
   */
  advance(count: number, handle: (frame: Frame) => void): void {
    this.#end += count;
    const view = this.#view;
    while (this.#end - this.#start >= HEADER_SIZE) {
      const at = this.#start;
      const length = view.getUint32(at, true);
      if (length > MAX_PAYLOAD) {
        throw new RangeError(`frame payload of ${length} bytes; at most ${MAX_PAYLOAD} are valid`);
      }
      const shared = this.#bytes[at + 6] !== 0;
      const end = at + HEADER_SIZE + (shared ? 0 : length);
      if (this.#end < end) break;
      const frame = this.#frame;
      frame.kind = this.#bytes[at + 4];
      frame.flag = this.#bytes[at + 5] !== 0;
      frame.connection = view.getUint32(at + 8, true);
      frame.stream = view.getFloat64(at + 16, true);
      frame.value = view.getFloat64(at + 24, true);
      this.#start = end;
      if (shared) this.#handleShared(view.getUint32(at + 12, true), length, handle);
      else {
        frame.payload = this.#bytes.subarray(at + HEADER_SIZE, end);
        handle(frame);
      }
    }
    if (this.#start === this.#end) this.#start = this.#end = 0;
  }

  #handleShared(position: number, length: number, handle: (frame: Frame) => void): void {
    if (!this.ring) throw new RangeError("a payload in shared memory, of which there is none");
    this.#frame.payload = this.ring.view(position, length);
    handle(this.#frame);
    this.ring?.release(position, length);
  }
}

/** The JSON of a payload that our own other half has written. */
export function jsonOf<T>(payload: Uint8Array): T {
  return JSON.parse(new TextDecoder().decode(payload)) as T;
}
