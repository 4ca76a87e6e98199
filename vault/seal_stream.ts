/**
 * Sealing and opening streams: backups, large files. Chunks are taken and given as they come, some are worked on at
 * once, and no byte of a chunk is given before the chunk has been verified. `stream_format.ts` has the format.
 *
 * @module
 */
import { TAG_LENGTH } from "./aes_gcm.ts";
import { wipe } from "./secret_bytes.ts";
import {
  CHUNK_LENGTH,
  ChunkCipher,
  CHUNKS_AT_ONCE,
  HEADER_LENGTH,
  newHeader,
  SEALED_CHUNK_LENGTH,
  type SealingKeys,
} from "./stream_format.ts";

/** Bytes in, bytes out. */
export type ByteTransform = TransformStream<Uint8Array, Uint8Array<ArrayBuffer>>;

type Controller = TransformStreamDefaultController<Uint8Array<ArrayBuffer>>;

/**
 * A transform from plaintext to its sealed form. It fails with what `keys` throws.
 *
 * @param version Version of the sealing key; the header names it.
 */
export function sealingStream(keys: SealingKeys, version: number): ByteTransform {
  const header = newHeader(version);
  const ready = ChunkCipher.of(keys, header);
  // Whoever uses the stream hears of it.
  ready.catch(() => {});
  const pending = new ChunkBuffer(CHUNK_LENGTH);
  const output = new OrderedOutput();
  let cipher: ChunkCipher;
  return new TransformStream({
    async start(controller) {
      cipher = await ready;
      controller.enqueue(header);
    },
    transform: (bytes, controller) =>
      pending.push(bytes, (chunk) => output.give(cipher.seal(chunk, false), controller)),
    async flush(controller) {
      await output.give(cipher.seal(pending.rest(), true), controller);
      pending.wipe();
      await output.end();
    },
    cancel: () => pending.wipe(),
  });
}

/**
 * A transform from the sealed form to plaintext. It fails with `INVALID_SEALED_DATA` when the beginning is no header,
 * with `DECRYPTION_FAILED` at the first chunk that does not verify, and with what `keys` throws.
 */
export function openingStream(keys: SealingKeys): ByteTransform {
  const header = new Uint8Array(HEADER_LENGTH);
  let headerLength = 0;
  const pending = new ChunkBuffer(SEALED_CHUNK_LENGTH);
  const output = new OrderedOutput();
  let cipher: ChunkCipher | undefined;
  return new TransformStream({
    async transform(bytes, controller) {
      const start = Math.min(bytes.length, HEADER_LENGTH - headerLength);
      header.set(bytes.subarray(0, start), headerLength);
      headerLength += start;
      if (headerLength < HEADER_LENGTH) return;
      const ready = cipher ??= await ChunkCipher.of(keys, header);
      await pending.push(bytes.subarray(start), (chunk) => output.give(ready.open(chunk, false), controller));
    },
    async flush(controller) {
      const ready = cipher ?? await ChunkCipher.of(keys, header.subarray(0, headerLength));
      await output.give(ready.open(pending.rest(), true), controller);
      await output.end();
    },
  });
}

/**
 * Seals bytes that are in memory, in the form that {@linkcode sealingStream} gives.
 *
 * @param version Version of the sealing key; the header names it.
 * @param plaintext Must not change until the result is there.
 */
export async function sealAll(
  keys: SealingKeys,
  version: number,
  plaintext: Uint8Array,
): Promise<Uint8Array<ArrayBuffer>> {
  const header = newHeader(version);
  const cipher = await ChunkCipher.of(keys, header);
  const chunks = Math.max(1, Math.ceil(plaintext.length / CHUNK_LENGTH));
  const sealed = new Uint8Array(HEADER_LENGTH + plaintext.length + chunks * TAG_LENGTH);
  sealed.set(header);
  await someAtOnce(chunks, async (chunk) => {
    const from = plaintext.subarray(chunk * CHUNK_LENGTH, (chunk + 1) * CHUNK_LENGTH);
    sealed.set(await cipher.seal(from, chunk === chunks - 1), HEADER_LENGTH + chunk * SEALED_CHUNK_LENGTH);
  });
  return sealed;
}

/**
 * Opens what {@linkcode sealAll} or {@linkcode sealingStream} sealed: all of it, or nothing.
 *
 * @param sealed Must not change until the result is there.
 * @returns The plaintext, which the caller wipes.
 * @throws {VaultError} As {@linkcode openingStream} fails.
 */
export async function openAll(keys: SealingKeys, sealed: Uint8Array): Promise<Uint8Array<ArrayBuffer>> {
  const cipher = await ChunkCipher.of(keys, sealed.subarray(0, HEADER_LENGTH));
  const body = sealed.subarray(HEADER_LENGTH);
  const chunks = Math.max(1, Math.ceil(body.length / SEALED_CHUNK_LENGTH));
  const plaintext = new Uint8Array(Math.max(0, body.length - chunks * TAG_LENGTH));
  try {
    await someAtOnce(chunks, async (chunk) => {
      const from = body.subarray(chunk * SEALED_CHUNK_LENGTH, (chunk + 1) * SEALED_CHUNK_LENGTH);
      const opened = await cipher.open(from, chunk === chunks - 1);
      plaintext.set(opened, chunk * CHUNK_LENGTH);
      wipe(opened);
    });
  } catch (error) {
    wipe(plaintext);
    throw error;
  }
  return plaintext;
}

/** Does the chunks by number, begun in order; after the first failure none is begun, and all that were have ended. */
async function someAtOnce(chunks: number, work: (chunk: number) => Promise<void>): Promise<void> {
  let next = 0;
  async function worker(): Promise<void> {
    try {
      while (next < chunks) await work(next++);
    } catch (error) {
      next = chunks;
      throw error;
    }
  }
  const workers = await Promise.allSettled(Array.from({ length: CHUNKS_AT_ONCE }, worker));
  const failed = workers.find((result) => result.status === "rejected");
  if (failed) throw failed.reason;
}

/** Cuts bytes into chunks. The last chunk is held back, as it is sealed otherwise and only the end tells which it is. */
class ChunkBuffer {
  readonly #bytes: Uint8Array<ArrayBuffer>;
  #length = 0;

  constructor(chunkLength: number) {
    this.#bytes = new Uint8Array(chunkLength);
  }

  /** Gives each chunk that is not the last; it is overwritten when `take` is done with it. */
  async push(bytes: Uint8Array, take: (chunk: Uint8Array<ArrayBuffer>) => Promise<void>): Promise<void> {
    for (let at = 0; at < bytes.length;) {
      if (this.#length === this.#bytes.length) {
        await take(this.#bytes);
        this.#length = 0;
      }
      const part = bytes.subarray(at, at + this.#bytes.length - this.#length);
      this.#bytes.set(part, this.#length);
      this.#length += part.length;
      at += part.length;
    }
  }

  rest(): Uint8Array<ArrayBuffer> {
    return this.#bytes.subarray(0, this.#length);
  }

  wipe(): void {
    wipe(this.#bytes);
  }
}

/** Gives results in the order in which their work began, with a bound to how much is in work. */
class OrderedOutput {
  readonly #given: Promise<void>[] = [];

  /** Waits while too much is in work. A failure fails the stream at once, after what came before it. */
  async give(work: Promise<Uint8Array<ArrayBuffer>>, controller: Controller): Promise<void> {
    work.catch(() => {});
    const given = giveAfter(this.#given.at(-1), work, controller);
    given.catch((error) => controller.error(error));
    this.#given.push(given);
    if (this.#given.length >= CHUNKS_AT_ONCE) await this.#given.shift();
  }

  /** Waits for all of it. */
  async end(): Promise<void> {
    await this.#given.at(-1);
  }
}

async function giveAfter(
  before: Promise<void> | undefined,
  work: Promise<Uint8Array<ArrayBuffer>>,
  controller: Controller,
): Promise<void> {
  await before;
  const chunk = await work;
  if (chunk.length > 0) controller.enqueue(chunk);
}
