/**
 * Receiving a file: the header is checked against the announced length before a byte of data is taken; what arrived stays
 * when a stream ends early, and the rest can be asked for (tensor.md §12).
 *
 * @module
 */
import { documentOf, type TensorDocument } from "../format/document.ts";
import { TensorError } from "../format/errors.ts";
import { type Header, headerLength, parseHeader } from "../format/header.ts";
import { LENGTH_FIELD } from "../format/entry.ts";
import { DEFAULT_LIMITS, MAX_NETWORK_HEADER, type Mode, type TensorLimits } from "../format/limits.ts";
import { algorithmOf, hasher } from "../read/digest.ts";
import { ByteReader } from "./byte_reader.ts";
import { decodeFrame, type Frame, FRAME_HEAD } from "./frame.ts";
import type { RangeRequest } from "./send.ts";

/** Streams that may be open at a time. */
const MOST_STREAMS = 64;
/** Bytes of a piece that is written. */
const PIECE = 1 << 20;

/** Where received bytes go. */
export interface Sink {
  /** Puts bytes at an offset of the file. */
  write(offset: number, bytes: Uint8Array): void | Promise<void>;
  /** Bytes that were put, to check digests; without it they are not checked. */
  read?(offset: number, length: number): Uint8Array;
}

/** Options of {@linkcode TensorReceiver}. */
export interface ReceiveOptions {
  /** How the header is judged, see `OpenOptions.mode`. Default `compat`. */
  readonly mode?: Mode;
  /** Limits that differ; a header may have 16 MiB. */
  readonly limits?: Partial<TensorLimits>;
  /** Streams open at a time. Default 64. */
  readonly streams?: number;
}

/** One side of a transfer. */
export class TensorReceiver {
  readonly #total: number;
  readonly #sink: Sink;
  readonly #mode: Mode;
  readonly #limits: TensorLimits;
  readonly #most: number;
  readonly #live = new Map<ByteReader, Frame | undefined>();
  #header: Header | undefined;
  #document: TensorDocument | undefined;
  /** Ranges received of each entry, by index: sorted, apart. */
  #received: [from: number, to: number][][] = [];
  #failure: TensorError | undefined;

  /**
   * Makes one.
   *
   * @param total Bytes of the file, as announced.
   * @param sink Where they go.
   */
  constructor(total: number, sink: Sink, options: ReceiveOptions = {}) {
    this.#total = total;
    this.#sink = sink;
    this.#mode = options.mode ?? "compat";
    this.#limits = { ...DEFAULT_LIMITS, headerBytes: MAX_NETWORK_HEADER, ...options.limits };
    this.#most = options.streams ?? MOST_STREAMS;
  }

  /** The header, once it is there. */
  get header(): Header | undefined {
    return this.#header;
  }

  /** Takes the header stream: exactly the first 8 + N bytes. */
  async acceptHeader(stream: ReadableStream<Uint8Array>): Promise<Header> {
    const reader = new ByteReader(stream);
    return await this.#guarded(reader, undefined, async () => {
      const header = await this.#readHeader(reader);
      if (await reader.piece(1) !== undefined) throw frameError("the header stream goes on behind the header");
      return header;
    });
  }

  /**
   * Takes a tensor stream to its end. One that ends early is no fault: {@linkcode TensorReceiver.missing} says what is left.
   *
   * @throws {TensorError} `E_FRAME`: the whole transfer is over, and so are its other streams. `E_DIGEST` of a completed entry.
   */
  async accept(stream: ReadableStream<Uint8Array>): Promise<void> {
    const reader = new ByteReader(stream);
    await this.#guarded(reader, undefined, async () => {
      if (this.#live.size > this.#most) throw frameError(`more than ${this.#most} streams at a time`);
      if (await this.#readFrame(reader) && await reader.piece(1) !== undefined) {
        throw frameError("the stream goes on behind its frame");
      }
    });
  }

  /** Takes a whole transfer that comes down one pipe, its length field already taken. */
  async acceptPipe(reader: ByteReader): Promise<void> {
    await this.#guarded(reader, undefined, async () => {
      await this.#readHeader(reader);
      while (await this.#readFrame(reader));
    });
  }

  /** What has not arrived, to be asked for. */
  missing(names?: readonly string[]): RangeRequest[] {
    const requests: RangeRequest[] = [];
    for (const [index, { name, start, end }] of (this.#header?.ordered ?? []).entries()) {
      if (names && !names.includes(name)) continue;
      let at = 0;
      for (const [from, to] of this.#received[index]) {
        if (from > at) requests.push({ name, from: at, to: from });
        at = to;
      }
      if (at < end - start) requests.push({ name, from: at, to: end - start });
    }
    return requests;
  }

  async #readHeader(reader: ByteReader): Promise<Header> {
    const prefix = await reader.take(LENGTH_FIELD);
    const length = headerLength(prefix, this.#total, this.#limits);
    const bytes = await reader.take(length);
    if (bytes.length < length) {
      throw new TensorError("E_TRUNCATED", `the header ends after ${bytes.length} bytes of ${length}`);
    }
    const header = parseHeader(bytes, this.#total, this.#mode, this.#limits);
    this.#document = documentOf(header, this.#mode, this.#limits);
    await this.#sink.write(0, prefix);
    await this.#sink.write(LENGTH_FIELD, bytes);
    this.#received = header.ordered.map(() => []);
    return this.#header = header;
  }

  /** One frame; false at the end of the stream. */
  async #readFrame(reader: ByteReader): Promise<boolean> {
    if (!this.#header) throw frameError("data came before the header was complete");
    const head = await reader.take(FRAME_HEAD);
    if (head.length < FRAME_HEAD) return false;
    const frame = decodeFrame(head);
    this.#check(frame);
    this.#live.set(reader, frame);
    const entry = this.#header.ordered[frame.index];
    let at = 0;
    try {
      while (at < frame.length) {
        const piece = await reader.piece(Math.min(PIECE, frame.length - at));
        if (this.#failure) throw this.#failure;
        if (piece === undefined) return false;
        await this.#sink.write(this.#header.dataStart + entry.start + frame.start + at, piece);
        at += piece.length;
      }
    } finally {
      this.#note(frame.index, frame.start, frame.start + at);
      this.#live.set(reader, undefined);
    }
    this.#checkDigest(frame.index);
    return true;
  }

  #check({ index, start, length }: Frame): void {
    const entry = this.#header!.ordered[index];
    if (!entry) throw frameError(`a frame is for entry ${index}; there are ${this.#header!.ordered.length}`);
    const size = entry.end - entry.start;
    const place = { tensor: entry.name, offsets: [start, start + length] as const };
    if (start + length > size) throw frameError(`a frame leaves its entry of ${size} bytes`, place);
    for (const live of this.#live.values()) {
      if (live?.index === index && start < live.start + live.length && live.start < start + length) {
        throw frameError("a frame overlaps one that is under way", place);
      }
    }
  }

  #note(index: number, from: number, to: number): void {
    if (from === to) return;
    const merged: [number, number][] = [];
    for (const range of [...this.#received[index], [from, to] as [number, number]].sort((a, b) => a[0] - b[0])) {
      const last = merged.at(-1);
      if (last && range[0] <= last[1]) last[1] = Math.max(last[1], range[1]);
      else merged.push([...range]);
    }
    this.#received[index] = merged;
  }

  #checkDigest(index: number): void {
    const { name, start, end } = this.#header!.ordered[index];
    const wanted = this.#document?.digests.get(name);
    const [whole] = this.#received[index];
    if (wanted === undefined || !this.#sink.read || !whole || whole[0] !== 0 || whole[1] !== end - start) return;
    const hash = hasher(algorithmOf(wanted));
    for (let at = start; at < end; at += PIECE) {
      hash.update(this.#sink.read(this.#header!.dataStart + at, Math.min(PIECE, end - at)));
    }
    if (hash.text() === wanted) return;
    this.#received[index] = [];
    throw new TensorError("E_DIGEST", "what arrived has another digest than the document says", { tensor: name });
  }

  /** Runs one stream's work; a frame that cannot be ends every stream. */
  async #guarded<T>(reader: ByteReader, frame: Frame | undefined, work: () => Promise<T>): Promise<T> {
    this.#live.set(reader, frame);
    try {
      if (this.#failure) throw this.#failure;
      return await work();
    } catch (error) {
      if (error instanceof TensorError && error.code === "E_FRAME" && !this.#failure) {
        this.#failure = error;
        await Promise.all([...this.#live.keys()].map((one) => one.cancel(error)));
      }
      await reader.cancel(error);
      throw error;
    } finally {
      this.#live.delete(reader);
    }
  }
}

/**
 * Receives what `sendPipe` sends.
 *
 * @param sinkFor Makes the sink, given the announced length, which it may refuse.
 */
export async function receivePipe(
  stream: ReadableStream<Uint8Array>,
  sinkFor: (total: number) => Sink,
  options: ReceiveOptions = {},
): Promise<TensorReceiver> {
  const reader = new ByteReader(stream);
  const size = await reader.take(8);
  const total = size.length < 8 ? 0n : new DataView(size.buffer).getBigUint64(0, true);
  if (total > BigInt(Number.MAX_SAFE_INTEGER)) {
    await reader.cancel();
    throw new TensorError("E_FRAME", `the announced length ${total} is above 2^53 - 1`);
  }
  const receiver = new TensorReceiver(Number(total), sinkFor(Number(total)), options);
  await receiver.acceptPipe(reader);
  return receiver;
}

function frameError(
  message: string,
  place: { tensor?: string; offsets?: readonly [number, number] } = {},
): TensorError {
  return new TensorError("E_FRAME", message, place);
}
