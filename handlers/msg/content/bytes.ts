/**
 * Bytes in JSON (msg.md §3.2).
 *
 * @module
 */

/** Bytes in JSON. */
export function b64(bytes: Uint8Array): string {
  return bytes.toBase64({ alphabet: "base64url", omitPadding: true });
}

/** Bytes of JSON; nothing where the text is none, or of another length. */
export function bytesOf(text: unknown, length?: number): Uint8Array | undefined {
  if (typeof text !== "string") return undefined;
  try {
    const bytes = Uint8Array.fromBase64(text, { alphabet: "base64url" });
    return length === undefined || bytes.byteLength === length ? bytes : undefined;
  } catch {
    return undefined;
  }
}
