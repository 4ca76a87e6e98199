/**
 * Serving blobs: each stream is one request, and its answer (fs.md §3, Serving), or a push (§3, Push).
 *
 * Whoever has no right to a hash is told the same whether it is there or not.
 *
 * @module
 */
import { AlknetError, type BidiStream, type Connection, type HandlerContext, type Slots } from "@alknet/core/handler";
import { EncodingError } from "../bao/encoding_error.ts";
import type { BlobStore } from "../blobs/blob_store.ts";
import { CloseCode, ResetCode } from "../codes.ts";
import { shortHash } from "../errors.ts";
import type { FsLimits } from "../limits.ts";
import { type Asker, mayPush, mayRead, type PushRight, type ReadParts } from "../rights.ts";
import type { Hash } from "../wire/hash_text.ts";
import { asksFrom, rangesAt } from "../wire/range_spec.ts";
import { readRequest, type Request } from "../wire/requests.ts";
import { WireError } from "../wire/wire_error.ts";
import { Answer } from "./answer.ts";
import { observe } from "./observing.ts";
import { Output, SlowError } from "./output.ts";
import { type PushRequest, takePush } from "./pushing/taking.ts";
import { readWhole } from "./request_reader.ts";
import { StreamReader } from "./stream_reader.ts";

/** Seconds for which whoever pushed a blob may read it, if nothing else lets them. */
const PROVEN_FOR = 3600;

/** What serving needs. */
export interface ServeParts extends ReadParts {
  /** The blobs. */
  readonly blobs: BlobStore;
  /** See each. */
  readonly limits: FsLimits;
  /** Of all connections. */
  readonly slots: Slots;
}

/** Serves the streams of a connection until it ends. */
export async function serveConnection(
  connection: Connection,
  context: HandlerContext,
  parts: ServeParts,
): Promise<void> {
  const running = new Set<Promise<void>>();
  const front = new BlobFront(connection, context, parts);
  const drain = (): void => void Promise.allSettled(running).then(() => connection[Symbol.asyncDispose]());
  context.signal.addEventListener("abort", drain);
  try {
    for await (const stream of connection) {
      if (context.signal.aborted) {
        cut(stream, ResetCode.LIMIT);
        continue;
      }
      const run = front.serve(stream).finally(() => running.delete(run));
      running.add(run);
      run.catch(() => {});
    }
    await Promise.allSettled(running);
  } finally {
    context.signal.removeEventListener("abort", drain);
  }
}

/** One connection's requests. */
class BlobFront {
  readonly #connection: Connection;
  readonly #context: HandlerContext;
  readonly #parts: ServeParts;
  #malformed = 0;
  #refused = false;
  #observers = 0;

  constructor(connection: Connection, context: HandlerContext, parts: ServeParts) {
    this.#connection = connection;
    this.#context = context;
    this.#parts = parts;
  }

  /** Serves a stream, and never rejects: a fault costs the stream alone. */
  async serve(stream: BidiStream): Promise<void> {
    const { limits } = this.#parts;
    try {
      const read = await readWhole(stream.readable, limits.request, limits.requestTime);
      if (read === "slow") return cut(stream, ResetCode.LIMIT);
      if (read === "large") throw new WireError(`it has more than ${limits.request} bytes`);
      const request = readRequest(read.bytes);
      if (request.type !== "push") return await this.#answer(stream, request);
      await this.#take(stream, request, read.bytes.subarray(request.encodings));
    } catch (error) {
      this.#failed(stream, error);
    }
  }

  async #answer(stream: BidiStream, request: Exclude<Request, PushRequest>): Promise<void> {
    for (const hash of new Set(hashesOf(request))) {
      const may = await mayRead(hash, this.#asker, this.#parts) ||
        // Whoever was asked to push it may see how far it is.
        request.type === "observe" && (await mayPush(hash, this.#asker, this.#parts))?.isGranted;
      if (!may) return this.#refuse(stream, hash, "rights");
    }
    if (request.type === "observe") return await this.#observe(stream, request.hash.toHex());
    using slot = this.#slot();
    if (!slot) return cut(stream, ResetCode.LIMIT);
    const began = performance.now();
    const output = new Output(stream.writable, this.#parts.limits.writeStall);
    try {
      await new Answer(output, this.#parts, this.#asker).send(request);
    } finally {
      this.#tell("sent", hashesOf(request)[0] ?? "-", output.sent, began);
    }
  }

  async #take(stream: BidiStream, request: PushRequest, first: Uint8Array): Promise<void> {
    const { blobs, limits } = this.#parts;
    const hash = request.hash.toHex();
    const right = await mayPush(hash, this.#asker, this.#parts);
    if (!right || !right.isForSequences && asksFrom(request.seq, 1n)) {
      return this.#refuse(stream, hash, "rights to push");
    }
    using slot = this.#slot();
    if (!slot) return cut(stream, ResetCode.LIMIT);
    const began = performance.now();
    const { signal } = this.#context;
    using reader = new StreamReader(stream.readable, limits.writeStall, signal, first);
    let bytes = 0;
    try {
      bytes = await takePush(request, reader, blobs, {
        owner: right.owner,
        maxSize: limits.maxBlobSize,
        maxBytes: right.bytes ?? Infinity,
        signal,
      });
      await this.#proven(request, right);
    } finally {
      this.#tell("took", hash, bytes, began);
    }
    // Stock pushers do not listen.
    await stream.writable.close().catch(() => {});
  }

  /** Whoever has sent all of a blob knows it: they may read it for a while, to link it, say. */
  async #proven({ hash, seq }: PushRequest, { isForSequences }: PushRight): Promise<void> {
    const { identity } = this.#connection;
    const ranges = rangesAt(seq, 0n);
    if (isForSequences || !identity || ranges.length !== 1 || ranges[0] !== 0n) return;
    const { grants } = this.#parts;
    if (await mayRead(hash.toHex(), this.#asker, this.#parts)) return;
    const expires = Math.floor(Date.now() / 1000) + PROVEN_FOR;
    await grants.grant({ hash: hash.toHex(), subject: `id:${identity.id}`, expires, owner: identity.id });
  }

  #slot(): Disposable | undefined {
    const { identity, remoteAddress: { hostname } } = this.#connection;
    return this.#parts.slots.take(identity?.id, hostname);
  }

  #tell(what: "sent" | "took", hash: Hash, bytes: number, began: number): void {
    const { identity, remoteAddress: { hostname } } = this.#connection;
    this.#context.log.info("{what} src={src} id={id} hash={hash} bytes={bytes} ms={milliseconds}", {
      what,
      src: hostname,
      id: identity?.id ?? "-",
      hash: shortHash(hash),
      bytes,
      milliseconds: Math.round(performance.now() - began),
    });
  }

  async #observe(stream: BidiStream, hash: Hash): Promise<void> {
    const { limits, blobs } = this.#parts;
    if (this.#observers >= limits.observers) return cut(stream, ResetCode.LIMIT);
    this.#observers++;
    try {
      await observe(stream, hash, blobs, { stall: limits.writeStall, signal: this.#context.signal });
    } finally {
      this.#observers--;
    }
  }

  get #asker(): Asker {
    const { identity, peer: { fingerprint } } = this.#connection;
    return { identity, fingerprint };
  }

  #refuse(stream: BidiStream, hash: Hash, reason: string): void {
    const { log } = this.#context;
    // A line for each would let a stranger fill the log over one connection.
    if (!this.#refused) {
      log.warn("not allowed src={src} what={what} key={key} reason={reason}", {
        src: this.#connection.remoteAddress.hostname,
        what: "blobs",
        key: this.#connection.peer.fingerprint ?? "-",
        reason,
      });
    }
    this.#refused = true;
    log.debug("not allowed: hash={hash} reason={reason}", { hash: shortHash(hash), reason });
    cut(stream, ResetCode.PERMISSION);
  }

  #failed(stream: BidiStream, error: unknown): void {
    const { log } = this.#context;
    if (error instanceof SlowError) return cut(stream, ResetCode.LIMIT);
    if (error instanceof WireError) {
      log.debug("malformed request: {why}", { why: error.message });
      cut(stream, ResetCode.INTERNAL);
      if (++this.#malformed < this.#parts.limits.malformed) return;
      return this.#connection.close(CloseCode.LIMIT, "too many malformed requests");
    }
    // The requester has left, or the connection has ended: its business.
    const code = error instanceof AlknetError ? error.code : "";
    if (code === "STREAM_CLOSED" || code === "CONNECTION_CLOSED") return;
    // What is pushed is not taken: it is too much, or not what it was said to be.
    if (code === "QUOTA_EXCEEDED" || code === "STORE_FULL" || code === "TIMEOUT") {
      log.warn("not taken src={src} id={id} reason={reason}", {
        src: this.#connection.remoteAddress.hostname,
        id: this.#connection.identity?.id ?? "-",
        reason: code,
      });
      return cut(stream, ResetCode.LIMIT);
    }
    if (error instanceof EncodingError) {
      log.debug("not taken: {why}", { why: error.message });
      return cut(stream, ResetCode.INTERNAL);
    }
    // What the system says names paths.
    const known = error instanceof AlknetError;
    log.error("cannot serve: {why}", { why: known ? error.message : (error as { code?: string }).code ?? "defect" });
    if (!known) log.debug("cannot serve: {message}", { message: (error as Error).message });
    cut(stream, ResetCode.INTERNAL);
  }
}

function hashesOf(request: Exclude<Request, PushRequest>): Hash[] {
  return request.type === "getMany" ? request.hashes.map((hash) => hash.toHex()) : [request.hash.toHex()];
}

function cut(stream: BidiStream, code: number): void {
  stream.reset(code);
  stream.stop(code);
}
