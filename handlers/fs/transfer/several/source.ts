/**
 * One of several providers: its connection, what it has, and what became of what it was asked.
 *
 * @module
 */
import { AlknetError, type BidiStream, type Connection } from "@alknet/core/handler";
import { setTimeout as delay } from "node:timers/promises";
import { shortHash } from "../../errors.ts";
import type { Hash } from "../../wire/hash_text.ts";
import type { Request } from "../../wire/requests.ts";
import { ask, explained } from "../asking.ts";
import type { StreamReader } from "../stream_reader.ts";

/** Who may have a blob. */
export interface Provider {
  /** What it is called in messages. */
  readonly address: string;
  /** Connects to it, over `alknet/blobs` or `/iroh-bytes/4`. */
  dial(signal: AbortSignal): Promise<Connection>;
}

/** How long is waited. Milliseconds. */
export interface Patience {
  /** Without a byte. */
  readonly stall: number;
  /** For what a provider says that it has; who says nothing is taken to have all. */
  readonly observe: number;
  /** After a first failure; after each further one twice as long. */
  readonly backOff: number;
}

/** The defaults. */
export const PATIENCE: Patience = Object.freeze({ stall: 20_000, observe: 2000, backOff: 1000 });
/** The longest back-off, in milliseconds. */
const MAX_BACK_OFF = 30_000;
/** Failures one after the other, with not a byte between them, after which a provider is not asked any more. */
const MAX_FAILURES = 3;
/** Requests at a time: one that runs, and one that waits behind it. */
const LANES = 2;

/** A request that is under way. */
export interface Asked extends AsyncDisposable {
  /** Reads the answer. */
  readonly reader: StreamReader;
}

/** Why a provider is out. */
export type Out = "banned" | "absent" | "failed";

/** A provider, while it is used. */
export class Source implements AsyncDisposable {
  /** What it is called. */
  readonly address: string;
  readonly #provider: Provider;
  readonly #patience: Patience;
  readonly #signal: AbortSignal;
  #connection: Connection | undefined;
  #dialling: Promise<Connection> | undefined;
  #single = false;
  #failures = 0;
  #waitUntil = 0;
  #bytes = 0;
  #time = 0;
  /** Why it is not asked any more. */
  out: Out | undefined;
  /** What it did last that was wrong. */
  fault: unknown;

  /** @param signal Ends all that it is asked. */
  constructor(provider: Provider, patience: Patience, signal: AbortSignal) {
    this.address = provider.address;
    this.#provider = provider;
    this.#patience = patience;
    this.#signal = signal;
  }

  /** How many requests may be under way. */
  get lanes(): number {
    return this.#single ? 1 : LANES;
  }

  /** Whether each request needs a connection of its own. */
  get isSingle(): boolean {
    return this.#single;
  }

  /** Bytes a millisecond, while it answered; 0 where that is not known. */
  get rate(): number {
    return this.#time > 0 ? this.#bytes / this.#time : 0;
  }

  /** Whether it is used. */
  get isUsed(): boolean {
    return this.#connection !== undefined && this.out === undefined;
  }

  /**
   * Asks it.
   *
   * @throws What dialling and opening throw.
   */
  async ask(request: Request, signal: AbortSignal = this.#signal): Promise<Asked> {
    const { stream, connection } = await this.#open();
    const reader = ask(stream, request, signal, this.#patience.stall);
    return {
      reader,
      [Symbol.asyncDispose]: async () => {
        reader[Symbol.dispose]();
        if (connection) await close(connection);
      },
    };
  }

  /** A stream, with its connection where that is for it alone. */
  async open(): Promise<{ readonly stream: BidiStream } & AsyncDisposable> {
    const { stream, connection } = await this.#open();
    return { stream, [Symbol.asyncDispose]: async () => void (connection && await close(connection)) };
  }

  /** What an error of its answer means. */
  explained(error: unknown, hash: Hash, received: number): unknown {
    const why = explained(error, hash, received);
    // Only where a request has a connection of its own is it an answer that this ended.
    if ((error as { code?: unknown }).code !== "CONNECTION_CLOSED" || this.#single) return why;
    return new AlknetError("BLOB_ABSENT", `blob ${shortHash(hash)}: the connection ended`, { cause: error });
  }

  /** Waits until it may be asked again, or until the signal. */
  async ready(signal: AbortSignal): Promise<void> {
    const left = this.#waitUntil - performance.now();
    if (left > 0) await delay(left, undefined, { signal }).catch(() => {});
  }

  /** Tells that it answered well. */
  succeeded(bytes: number, milliseconds: number): void {
    this.#failures = 0;
    this.#bytes += bytes;
    this.#time += milliseconds;
  }

  /** Tells that it did not. */
  failed(error: unknown, received: number): void {
    this.fault = error;
    const { code } = error as { code?: unknown };
    if (code === "HASH_MISMATCH") this.out = "banned";
    else if (code === "BLOB_NOT_FOUND" && received === 0) this.out ??= "absent";
    this.#failures = received > 0 ? 1 : this.#failures + 1;
    if (this.#failures >= MAX_FAILURES) this.out ??= "failed";
    this.#waitUntil = performance.now() + Math.min(MAX_BACK_OFF, this.#patience.backOff * 2 ** (this.#failures - 1));
    // What does not answer may do so over another connection.
    if (code !== "TIMEOUT" && code !== "BLOB_ABSENT") return;
    const connection = this.#connection;
    this.#connection = undefined;
    connection?.close(0, "");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const connection = this.#connection ?? await this.#dialling?.catch(() => undefined);
    if (connection) await close(connection);
  }

  async #open(): Promise<{ readonly stream: BidiStream; readonly connection?: Connection }> {
    if (!this.#single) {
      const connection = await this.#shared();
      try {
        return { stream: await connection.open() };
      } catch (error) {
        const { code } = error as { code?: unknown };
        if (code === "STREAM_UNAVAILABLE") this.#single = true;
        else if (this.#connection === connection) this.#connection = undefined;
        // It ended since it was used last; another may do.
        if (code === "CONNECTION_CLOSED") return { stream: await (await this.#shared()).open() };
        if (code !== "STREAM_UNAVAILABLE") throw error;
      }
    }
    const connection = await this.#provider.dial(this.#signal);
    return { stream: await connection.open(), connection };
  }

  async #shared(): Promise<Connection> {
    if (this.#connection) return this.#connection;
    this.#dialling ??= this.#provider.dial(this.#signal);
    try {
      return this.#connection = await this.#dialling;
    } finally {
      this.#dialling = undefined;
    }
  }
}

async function close(connection: Connection): Promise<void> {
  connection.close(0, "");
  await connection.closed;
}
