/**
 * Bodies that nobody read.
 *
 * `Deno.serve` resets an h2 stream whose request body was not read to its end, answer and all; clients report a broken
 * stream instead of the answer. So what is left is read and dropped first, within limits.
 *
 * @module
 */
import { DRAIN_BYTES, DRAIN_TIME } from "../limits.ts";

/**
 * Whether the client sends its body only once it is told to go on (RFC 9110 §10.1.1): reading from it would tell it. In h2,
 * which has no `Host`, a stream whose body was not read is reset.
 */
export function waitsToSend({ headers }: Request): boolean {
  return headers.get("expect")?.toLowerCase() === "100-continue" && headers.has("host");
}

/** Reads and drops what nobody else reads of a request's body. Never rejects. */
export async function drainUnread(request: Request): Promise<void> {
  if (request.bodyUsed || !request.body || request.body.locked) return;
  await drain(request.body);
}

/** Reads and drops the rest of a stream, within limits. Never rejects. */
export async function drain(body: ReadableStream<Uint8Array>): Promise<void> {
  const reader = body.getReader();
  const timer = setTimeout(() => reader.cancel().catch(ignore), DRAIN_TIME);
  try {
    for (let left = DRAIN_BYTES; left > 0;) {
      const { done, value } = await reader.read();
      if (done) return;
      left -= value.byteLength;
    }
    await reader.cancel();
  } catch {
    // The client left.
  } finally {
    clearTimeout(timer);
  }
}

function ignore(): void {}
