/**
 * The server of files on bytes that are there already, right or wrong.
 *
 * @module
 */
import assert from "node:assert/strict";
import { MalformedPacketError } from "../../../handlers/sftp/codec/malformed.ts";
import { serveSftp } from "../../../handlers/sftp/engine/serve.ts";
import type { FileStore } from "../../../handlers/sftp/file_store.ts";

/**
 * Serves these bytes. Fails where the server throws anything but what a malformed packet is.
 *
 * @returns Bytes of its answers.
 */
export async function serveBytes(store: FileStore, bytes: Uint8Array<ArrayBuffer>): Promise<number> {
  let answered = 0;
  const failures: unknown[] = [];
  const readable = new ReadableStream<Uint8Array>({
    start(controller) {
      controller.enqueue(bytes);
      controller.close();
    },
  });
  const writable = new WritableStream<Uint8Array>({ write: (chunk) => void (answered += chunk.length) });
  try {
    await serveSftp({ readable, writable }, { store, failed: (error) => failures.push(error) });
  } catch (error) {
    if (!(error instanceof MalformedPacketError)) throw error;
  }
  assert.deepEqual(failures, []);
  return answered;
}

/** Pieces as one. */
export function joined(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
