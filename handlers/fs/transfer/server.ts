/**
 * Serving blobs: each stream is one request, and its answer (fs.md §3, Serving).
 *
 * Whoever has no right to a hash is told the same whether it is there or not.
 *
 * @module
 */
import { AlknetError, type BidiStream, type Connection, type HandlerContext, type Slots } from "@alknet/core/handler";
import type { BlobStore } from "../blobs/blob_store.ts";
import { CloseCode, ResetCode } from "../codes.ts";
import { shortHash } from "../errors.ts";
import type { FsLimits } from "../limits.ts";
import { type Asker, mayRead, type ReadParts } from "../rights.ts";
import type { Hash } from "../wire/hash_text.ts";
import { readRequest, type Request } from "../wire/requests.ts";
import { WireError } from "../wire/wire_error.ts";
import { Answer } from "./answer.ts";
import { observe } from "./observing.ts";
import { Output, SlowError } from "./output.ts";
import { readWhole } from "./request_reader.ts";

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
      const bytes = await readWhole(stream.readable, limits.request, limits.requestTime);
      if (bytes === "slow") return cut(stream, ResetCode.LIMIT);
      if (bytes === "large") throw new WireError(`it has more than ${limits.request} bytes`);
      await this.#answer(stream, readRequest(bytes));
    } catch (error) {
      this.#failed(stream, error);
    }
  }

  async #answer(stream: BidiStream, request: Request): Promise<void> {
    if (request.type === "push") return this.#refuse(stream, request.hash.toHex(), "push");
    for (const hash of new Set(hashesOf(request))) {
      if (!await mayRead(hash, this.#asker, this.#parts)) return this.#refuse(stream, hash, "rights");
    }
    if (request.type === "observe") return await this.#observe(stream, request.hash.toHex());
    const { identity, remoteAddress: { hostname } } = this.#connection;
    using slot = this.#parts.slots.take(identity?.id, hostname);
    if (!slot) return cut(stream, ResetCode.LIMIT);
    const began = performance.now();
    const output = new Output(stream.writable, this.#parts.limits.writeStall);
    try {
      await new Answer(output, this.#parts, this.#asker).send(request);
    } finally {
      const milliseconds = Math.round(performance.now() - began);
      const who = { src: hostname, id: identity?.id ?? "-" };
      this.#context.log.info("sent src={src} id={id} hash={hash} bytes={bytes} ms={milliseconds}", {
        ...who,
        hash: shortHash(hashesOf(request)[0] ?? "-"),
        bytes: output.sent,
        milliseconds,
      });
    }
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
    // What the system says names paths.
    const known = error instanceof AlknetError;
    log.error("cannot serve: {why}", { why: known ? error.message : (error as { code?: string }).code ?? "defect" });
    if (!known) log.debug("cannot serve: {message}", { message: (error as Error).message });
    cut(stream, ResetCode.INTERNAL);
  }
}

function hashesOf(request: Exclude<Request, { readonly type: "push" }>): Hash[] {
  return request.type === "getMany" ? request.hashes.map((hash) => hash.toHex()) : [request.hash.toHex()];
}

function cut(stream: BidiStream, code: number): void {
  stream.reset(code);
  stream.stop(code);
}
