/**
 * Messages between a host and the process of a guest.
 *
 * ```
 * u32 length of what follows | u32 length of the head | head, JSON | (u32 length | bytes) for each buffer
 * ```
 *
 * @module
 */
import { AlknetError } from "@alknet/core/handler";

/** A message: what its head says, and bytes beside it. */
export interface Frame {
  /** What it is about. */
  readonly head: Readonly<Record<string, unknown>>;
  /** Bytes that the head names by index. */
  readonly buffers: readonly Uint8Array<ArrayBuffer>[];
}

/** A text of 16 MiB characters may be three times that in UTF-8, and bytes as many again go beside it. */
const MOST_FRAME = 65 << 20;

/** The bytes of a message. */
export function encodeFrame(head: Frame["head"], buffers: readonly Uint8Array[] = []): Uint8Array<ArrayBuffer> {
  const text = new TextEncoder().encode(JSON.stringify(head));
  const parts = [text, ...buffers];
  const bytes = new Uint8Array(4 + parts.reduce((sum, { length }) => sum + 4 + length, 0));
  const view = new DataView(bytes.buffer);
  view.setUint32(0, bytes.length - 4);
  let at = 4;
  for (const part of parts) {
    view.setUint32(at, part.length);
    bytes.set(part, at + 4);
    at += 4 + part.length;
  }
  return bytes;
}

/**
 * The messages of a pipe, until it ends.
 *
 * @throws {AlknetError} `BAD_FRAME`: a length or a head that cannot be, or an end in the middle.
 */
export async function* readFrames(readable: ReadableStream<Uint8Array>): AsyncGenerator<Frame> {
  let held: Uint8Array[] = [];
  let size = 0;
  const take = (length: number): Uint8Array<ArrayBuffer> => {
    const whole = new Uint8Array(size);
    let at = 0;
    for (const part of held) whole.set(part, at), at += part.length;
    held = [whole.subarray(length)];
    size -= length;
    return whole.slice(0, length);
  };
  let wanted: number | undefined;
  for await (const chunk of readable) {
    held.push(chunk);
    size += chunk.length;
    while (true) {
      if (wanted === undefined) {
        if (size < 4) break;
        wanted = new DataView(take(4).buffer).getUint32(0);
        if (wanted > MOST_FRAME) throw bad(`its length is ${wanted}`);
      }
      if (size < wanted) break;
      yield parsed(take(wanted));
      wanted = undefined;
    }
  }
  if (size > 0 || wanted !== undefined) throw bad("it ends in the middle");
}

function parsed(bytes: Uint8Array<ArrayBuffer>): Frame {
  const parts: Uint8Array<ArrayBuffer>[] = [];
  const view = new DataView(bytes.buffer);
  for (let at = 0; at < bytes.length;) {
    const length = at + 4 <= bytes.length ? view.getUint32(at) : Infinity;
    if (at + 4 + length > bytes.length) throw bad("a part is longer than the whole");
    parts.push(bytes.slice(at + 4, at += 4 + length));
  }
  let head: unknown;
  try {
    head = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(parts[0]));
  } catch (error) {
    throw bad("its head is not JSON", error);
  }
  if (typeof head !== "object" || head === null) throw bad("its head is no object");
  return { head: head as Frame["head"], buffers: parts.slice(1) };
}

function bad(why: string, cause?: unknown): AlknetError {
  return new AlknetError("BAD_FRAME", `a message of a guest's process is malformed: ${why}`, { cause });
}
