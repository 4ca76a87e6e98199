/**
 * Messages between a host and the process of a guest.
 *
 * ```
 * u32 length of what follows | u32 length of the head | head, JSON | (u32 length | bytes) for each buffer
 * ```
 *
 * @module
 */
import { AlknetError } from "@alknet/core/errors";

/** A message: what its head says, and bytes beside it. */
export interface Frame {
  /** What it is about. */
  readonly head: Readonly<Record<string, unknown>>;
  /** Bytes that the head names by index. */
  readonly buffers: readonly Uint8Array<ArrayBuffer>[];
}

/** A text of 16 MiB characters may be three times that in UTF-8, and bytes as many again go beside it. */
const MOST_FRAME = 65 << 20;

/** The bytes of a message, in one piece. */
export function encodeFrame(head: Frame["head"], buffers: readonly Uint8Array[] = []): Uint8Array<ArrayBuffer> {
  const pieces = framePieces(head, buffers);
  const bytes = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const piece of pieces) bytes.set(piece, at), at += piece.length;
  return bytes;
}

/** The bytes of a message, in pieces, among them the buffers themselves: whoever gives these away leaves them as they are. */
export function framePieces(head: Frame["head"], buffers: readonly Uint8Array[] = []): Uint8Array[] {
  const text = new TextEncoder().encode(JSON.stringify(head));
  const first = new Uint8Array(8 + text.length);
  const view = new DataView(first.buffer);
  view.setUint32(0, buffers.reduce((sum, { length }) => sum + 4 + length, 4 + text.length));
  view.setUint32(4, text.length);
  first.set(text, 8);
  return [
    first,
    ...buffers.flatMap((buffer) => {
      const length = new Uint8Array(4);
      new DataView(length.buffer).setUint32(0, buffer.length);
      return [length, buffer];
    }),
  ];
}

/**
 * The messages of a pipe, until it ends.
 *
 * @throws {AlknetError} `BAD_FRAME`: a length or a head that cannot be, or an end in the middle.
 */
export async function* readFrames(readable: ReadableStream<Uint8Array>): AsyncGenerator<Frame> {
  const chunks = readable[Symbol.asyncIterator]();
  let chunk: Uint8Array = new Uint8Array();
  /** So many bytes, or fewer at the end; each is copied once. */
  const take = async (length: number): Promise<Uint8Array<ArrayBuffer>> => {
    const taken = new Uint8Array(length);
    let filled = 0;
    while (filled < length) {
      if (chunk.length === 0) {
        const { value, done } = await chunks.next();
        if (done) return taken.subarray(0, filled);
        chunk = value;
      }
      const some = chunk.subarray(0, length - filled);
      taken.set(some, filled);
      filled += some.length;
      chunk = chunk.subarray(some.length);
    }
    return taken;
  };
  const whole = async (length: number): Promise<Uint8Array<ArrayBuffer>> => {
    const taken = await take(length);
    if (taken.length < length) throw bad("it ends in the middle");
    return taken;
  };
  try {
    while (true) {
      const start = await take(4);
      if (start.length === 0) return;
      if (start.length < 4) throw bad("it ends in the middle");
      let left = new DataView(start.buffer).getUint32(0);
      if (left > MOST_FRAME) throw bad(`its length is ${left}`);
      const parts: Uint8Array<ArrayBuffer>[] = [];
      while (left > 0) {
        if (left < 4) throw bad("a part is longer than the whole");
        const length = new DataView((await whole(4)).buffer).getUint32(0);
        if (length > left - 4) throw bad("a part is longer than the whole");
        parts.push(await whole(length));
        left -= 4 + length;
      }
      yield parsed(parts);
    }
  } finally {
    await chunks.return?.();
  }
}

function parsed([text, ...buffers]: readonly Uint8Array<ArrayBuffer>[]): Frame {
  let head: unknown;
  try {
    head = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(text));
  } catch (error) {
    throw bad("its head is not JSON", error);
  }
  if (typeof head !== "object" || head === null) throw bad("its head is no object");
  return { head: head as Frame["head"], buffers };
}

function bad(why: string, cause?: unknown): AlknetError {
  return new AlknetError("BAD_FRAME", `a message of a guest's process is malformed: ${why}`, { cause });
}
