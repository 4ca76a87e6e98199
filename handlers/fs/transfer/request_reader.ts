/**
 * Reading a request to its end, within a size and a time; of a push what stands before its encodings.
 *
 * @module
 */
import { RequestType } from "../wire/requests.ts";
import { WireReader } from "../wire/varint.ts";
import { WireError } from "../wire/wire_error.ts";

/** What came of a request. */
export interface ReadRequest {
  /** All of it; of a push as much as came with its head. */
  readonly bytes: Uint8Array;
  /** Whether more may come: it is a push. */
  readonly isPush: boolean;
}

/**
 * Everything that comes until the end, or until the head of a push is there.
 *
 * @param most Bytes; of a push those of its head.
 * @param time Milliseconds for all of it.
 * @returns The bytes; `large` and `slow` where it went past those.
 * @throws {WireError} It is a push whose head has no length.
 * @throws What reading throws.
 */
export async function readWhole(
  readable: ReadableStream<Uint8Array>,
  most: number,
  time: number,
): Promise<ReadRequest | "large" | "slow"> {
  const reader = readable.getReader();
  const { promise: late, resolve } = Promise.withResolvers<"slow">();
  const timer = setTimeout(() => resolve("slow"), time);
  const parts: Uint8Array[] = [];
  let length = 0;
  try {
    for (;;) {
      const reading = reader.read();
      reading.catch(() => {});
      const next = await Promise.race([reading, late]);
      if (next === "slow") return next;
      if (next.done) return { bytes: joined(parts, length), isPush: false };
      length += next.value.byteLength;
      if (next.value.byteLength > 0) parts.push(next.value);
      if (parts[0]?.[0] === RequestType.PUSH) {
        const end = headEnd(parts, length);
        if (end > most) return "large";
        if (end <= length) return { bytes: joined(parts, length), isPush: true };
      } else if (length > most) return "large";
    }
  } finally {
    clearTimeout(timer);
    reader.releaseLock();
  }
}

/** Bytes of a push up to its encodings; as far as that is known. */
function headEnd(parts: readonly Uint8Array[], length: number): number {
  const LONGEST = 1 + 10;
  if (length < LONGEST) {
    // Its length may not be there yet. A head has more bytes than these in any case.
    const start = joined(parts, length);
    const isCut = start.subarray(1).every((byte) => byte >= 0x80);
    if (isCut) return length + 1;
    return endOf(start);
  }
  return endOf(parts[0].byteLength >= LONGEST ? parts[0] : joined(parts, length).subarray(0, LONGEST));
}

function endOf(start: Uint8Array): number {
  const from = new WireReader(start.subarray(1));
  const head = from.u64();
  if (head > BigInt(Number.MAX_SAFE_INTEGER)) throw new WireError("its head has no length");
  return start.byteLength - from.left + Number(head);
}

function joined(parts: readonly Uint8Array[], length: number): Uint8Array {
  if (parts.length === 1) return parts[0];
  const whole = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.byteLength;
  }
  return whole;
}
