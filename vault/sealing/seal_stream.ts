/**
 * Sealing and opening streams: backups, large files. Chunks are taken and given as they come, some are worked on at
 * once, and no byte of a chunk is given before the chunk has been verified. `stream_format.ts` has the format.
 *
 * @module
 */
import { TAG_LENGTH } from "./aes_gcm.ts";
import { wipe } from "../secret_bytes.ts";
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
 * A transform from plaintext to its sealed form. It fails with what `keys` throws later on.
 *
 * @param version Version of the sealing key; the header names it.
 * @throws {VaultError} What `keys` throws.
 */
export function sealingStream(keys: SealingKeys, version: number): ByteTransform {
  // Refuses what the header cannot hold, as 2.5, before it is written there.
  keys(version);
  const header = newHeader(version);
  const ready = ChunkCipher.of(keys, header);
  // Whoever uses the stream hears of it.
  ready.catch(() => {});
  const pending = new ChunkBuffer(CHUNK_LENGTH);
  let cipher: ChunkCipher;
  let output: OrderedOutput;
  return new TransformStream({
    async start(controller) {
      output = new OrderedOutput(controller);
      cipher = await ready;
      controller.enqueue(header);
    },
    transform: (bytes) => pending.push(bytes, (chunk) => output.give(() => cipher.seal(chunk, false))),
    async flush() {
      await output.give(() => cipher.seal(pending.rest(), true));
      pending.wipe();
      await output.end();
    },
    async cancel() {
      pending.wipe();
      await output.abandon();
    },
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
  let cipher: ChunkCipher | undefined;
  let output: OrderedOutput;
  return new TransformStream({
    start(controller) {
      output = new OrderedOutput(controller);
    },
    async transform(bytes) {
      const start = Math.min(bytes.length, HEADER_LENGTH - headerLength);
      header.set(bytes.subarray(0, start), headerLength);
      headerLength += start;
      if (headerLength < HEADER_LENGTH) return;
      const ready = cipher ??= await ChunkCipher.of(keys, header);
      await pending.push(bytes.subarray(start), (chunk) => output.give(() => ready.open(chunk, false)));
    },
    async flush() {
      const ready = cipher ?? await ChunkCipher.of(keys, header.subarray(0, headerLength));
      await output.give(() => ready.open(pending.rest(), true));
      await output.end();
    },
    cancel: () => output.abandon(),
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
  keys(version);
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
  const last = body.length - (chunks - 1) * SEALED_CHUNK_LENGTH;
  const plaintext = new Uint8Array((chunks - 1) * CHUNK_LENGTH + Math.max(0, last - TAG_LENGTH));
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
  readonly #controller: Controller;
  readonly #inWork = new Set<Promise<Uint8Array>>();
  readonly #given: Promise<void>[] = [];
  #abandoned = false;

  constructor(controller: Controller) {
    this.#controller = controller;
  }

  /** Begins work, and waits while too much is in work. A failure fails the stream after what came before it. */
  async give(begin: () => Promise<Uint8Array<ArrayBuffer>>): Promise<void> {
    if (this.#abandoned) return;
    const work = begin();
    // It may fail while what came before it is still in work.
    work.catch(() => {});
    this.#inWork.add(work);
    const given = this.#giveAfter(this.#given.at(-1), work);
    given.catch(() => {});
    this.#given.push(given);
    if (this.#given.length >= CHUNKS_AT_ONCE) await this.#given.shift();
  }

  /** Waits until all is given. */
  async end(): Promise<void> {
    await this.#given.at(-1);
  }

  /** Begins nothing more, waits for what is in work and wipes its results. */
  async abandon(): Promise<void> {
    this.#abandoned = true;
    for (const result of await Promise.allSettled(this.#inWork)) {
      if (result.status === "fulfilled") wipe(result.value);
    }
  }

  async #giveAfter(before: Promise<void> | undefined, work: Promise<Uint8Array<ArrayBuffer>>): Promise<void> {
    try {
      await before;
      const chunk = await work;
      if (this.#abandoned) return;
      this.#inWork.delete(work);
      if (chunk.length > 0) this.#controller.enqueue(chunk);
    } catch (error) {
      await this.abandon();
      this.#controller.error(error);
      throw error;
    }
  }
}
