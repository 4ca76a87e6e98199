/**
 * Sending a file: its header on one stream, then a stream for each part of a tensor that is asked for; or all of it down one
 * pipe (tensor.md §12).
 *
 * @module
 */
import { TensorError } from "../format/errors.ts";
import type { TensorFile } from "../read/file.ts";
import { encodeFrame, type Frame } from "./frame.ts";

/** Bytes of a piece. */
const PIECE = 1 << 18;
/** Streams at a time where nothing else is said. */
const STREAMS = 8;

/** A part of an entry that is wanted. */
export interface RangeRequest {
  /** The entry. */
  readonly name: string;
  /** First byte. Default 0. */
  readonly from?: number;
  /** The byte after the last. Default: the end of the entry. */
  readonly to?: number;
  /** 0 to 7, lower first. Default 4. */
  readonly priority?: number;
}

/** Whatever gives streams to the other side. */
export interface StreamOpener {
  /** A stream of its own. It may make the sender wait: that is its credit. */
  open(): Promise<WritableStream<Uint8Array>>;
}

/** Options of {@linkcode sendRanges}. */
export interface SendOptions {
  /** Streams at a time. Default 8. */
  readonly streams?: number;
  /** Ends it. */
  readonly signal?: AbortSignal;
}

/** Sends the first 8 + N bytes of the file. The other side is told `file.size` beforehand, in the message that opens it all. */
export async function sendHeader(file: TensorFile, to: WritableStream<Uint8Array>): Promise<void> {
  const writer = to.getWriter();
  await writer.write(file.raw(0, file.header.dataStart));
  await writer.close();
}

/**
 * Sends parts of entries, each on a stream of its own, those of lower priority numbers first.
 *
 * @throws {TensorError} `E_NAME` an unknown entry, `E_CHANGED` the file was written to since it was opened.
 */
export async function sendRanges(
  file: TensorFile,
  requests: readonly RangeRequest[],
  opener: StreamOpener,
  options: SendOptions = {},
): Promise<void> {
  const { streams = STREAMS, signal } = options;
  const queue = inOrder(file, requests);
  const sendNext = async (): Promise<void> => {
    for (let frame; (frame = queue.shift()) !== undefined;) {
      signal?.throwIfAborted();
      const writer = (await opener.open()).getWriter();
      try {
        for await (const piece of piecesOf(file, frame)) await writer.write(piece);
        await writer.close();
      } catch (error) {
        await writer.abort(error).catch(() => {});
        throw error;
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(streams, queue.length) }, sendNext));
}

/** The whole transfer as one sequence of bytes, for a pipe: 8 bytes of the file's length, header, frames. */
export async function sendPipe(
  file: TensorFile,
  to: WritableStream<Uint8Array>,
  requests: readonly RangeRequest[] = everyEntry(file),
): Promise<void> {
  const writer = to.getWriter();
  try {
    const size = new Uint8Array(8);
    new DataView(size.buffer).setBigUint64(0, BigInt(file.size), true);
    await writer.write(size);
    await writer.write(file.raw(0, file.header.dataStart));
    for (const frame of inOrder(file, requests)) {
      for (const piece of piecesOf(file, frame)) await writer.write(piece);
    }
    await writer.close();
  } catch (error) {
    await writer.abort(error).catch(() => {});
    throw error;
  }
}

/** Requests for every entry, whole, padding included: together they are the file. */
export function everyEntry(file: Pick<TensorFile, "header">): RangeRequest[] {
  return file.header.ordered.filter(({ start, end }) => end > start).map(({ name }) => ({ name }));
}

function inOrder(file: TensorFile, requests: readonly RangeRequest[]): Frame[] {
  const indices = new Map(file.header.ordered.map((entry, index) => [entry.name, { entry, index }]));
  const sorted = requests.toSorted((a, b) => (a.priority ?? 4) - (b.priority ?? 4));
  return sorted.map(({ name, from = 0, to }) => {
    const found = indices.get(name);
    if (!found) throw new TensorError("E_NAME", "the file has no such entry", { tensor: name });
    const size = found.entry.end - found.entry.start;
    // Clipped to the entry, never to offsets of the file.
    const start = Math.min(Math.max(0, from), size);
    return { index: found.index, start, length: Math.max(0, Math.min(to ?? size, size) - start) };
  });
}

function* piecesOf(file: TensorFile, frame: Frame): Generator<Uint8Array<ArrayBuffer>> {
  yield encodeFrame(frame);
  const begin = file.header.dataStart + file.header.ordered[frame.index].start + frame.start;
  for (let at = 0; at < frame.length; at += PIECE) {
    const changed = file.changed();
    if (changed !== undefined) throw new TensorError("E_CHANGED", changed);
    yield file.raw(begin + at, Math.min(PIECE, frame.length - at));
  }
}
