/**
 * Files too large for messages: sealed into whatever keeps blobs, and got from there (msg.md §3.2).
 *
 * @module
 */
import { wipe } from "@alknet/core/crypto";
import { AlknetError } from "@alknet/core/handler";
import type { Stop } from "../carrier.ts";
import { openAttachment, sealAttachment, sealedLength } from "../content/attachment.ts";
import { Attached, type FileContent, type TextContent } from "../content/content.ts";
import type { Outgoing, OutgoingFile, ReceivedFile } from "../types.ts";
import type { Parts } from "./parts.ts";

/** Bytes of a file that goes in a message: as base64 and in parts. */
export const MOST_FILE = 72_000;

/** Whether a file is given as it is read. */
export function isStreamed(what: Outgoing): what is OutgoingFile {
  return typeof what === "object" && "file" in what;
}

/**
 * Seals a file into the blobs.
 *
 * @throws {AlknetError} `NO_BLOBS`, `CHANGED_MEANWHILE`; what the blobs throw.
 */
export async function attached({ blobs, random }: Parts, what: OutgoingFile, stop: Stop): Promise<FileContent> {
  const { name, mime, size, file } = what;
  if (!blobs) throw noBlobs(size);
  const key = random(32);
  const sealed = ReadableStream.from(sealAttachment(key, size, file));
  const { hash, ticket } = await blobs.put(sealed, stop);
  return { type: "file", name, size, mime, blob: new Attached({ hash, key, ticket }) };
}

/**
 * A file that came, or went.
 *
 * @throws {AlknetError} `NO_BLOBS`.
 */
export function received({ blobs }: Parts, content: FileContent, stop: Stop): ReceivedFile {
  const { name, mime, size, data, blob } = content;
  if (data) return { name, mime, size, bytes: ReadableStream.from([new Uint8Array(data)]) };
  if (!blob || !blobs) throw noBlobs(size);
  const { hash, key, ticket } = blob;
  const sealed = blobs.get(hash, { ...stop, ticket, length: sealedLength(size) });
  return { name, mime, size, bytes: ReadableStream.from(opened()) };

  async function* opened(): AsyncGenerator<Uint8Array<ArrayBuffer>> {
    try {
      yield* openAttachment(key, size, sealed);
    } finally {
      wipe(key);
    }
  }
}

/** Wipes the key of a file, once the message with it is kept. */
export function wipeKey(content: TextContent | FileContent): void {
  if (content.type === "file") wipe(content.blob?.key);
}

/** Said of a file that is too long where nothing keeps blobs. */
export function noBlobs(size: number): AlknetError {
  return new AlknetError(
    "NO_BLOBS",
    `a file of ${size} bytes is too long to be sent in a message, ${MOST_FILE} may be, and nothing here keeps larger ones`,
  );
}
