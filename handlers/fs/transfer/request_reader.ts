/**
 * Reading a request to its end, within a size and a time.
 *
 * @module
 */

/**
 * Everything that comes until the end.
 *
 * @param most Bytes.
 * @param time Milliseconds for all of it.
 * @returns The bytes; `large` and `slow` where it went past those.
 * @throws What reading throws.
 */
export async function readWhole(
  readable: ReadableStream<Uint8Array>,
  most: number,
  time: number,
): Promise<Uint8Array | "large" | "slow"> {
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
      if (next.done) return parts.length === 1 ? parts[0] : joined(parts, length);
      length += next.value.byteLength;
      if (length > most) return "large";
      parts.push(next.value);
    }
  } finally {
    clearTimeout(timer);
    reader.releaseLock();
  }
}

function joined(parts: readonly Uint8Array[], length: number): Uint8Array {
  const whole = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.byteLength;
  }
  return whole;
}
