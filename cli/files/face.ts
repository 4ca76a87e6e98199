/**
 * Branches of the home's own store and of other nodes, asked by the same operations.
 *
 * @module
 */
import { AlknetError, type Connection } from "@alknet/core/handler";
import { CallError, Dispatcher, type JsonObject, type JsonValue, nodeRegistry } from "@alknet/core/operations";
import {
  BLOBS_ALPN,
  type BlobStore,
  type Entry,
  fsOperations,
  getBlob,
  type Held,
  pushBlob,
  type Told,
} from "@alknet/handlers/fs";
import { type BlobHome, type BlobHomeChoice, openBlobHome } from "../blobs/store.ts";
import { prepareReach, type ReachOptions } from "../reaching/reach.ts";
import { openRemote } from "../reaching/remote.ts";
import { ExitCode, printJson } from "../terminal/output.ts";
import { StopSignals } from "../terminal/signals.ts";
import type { FilePlace } from "./place.ts";

/** Codes of a connection that carries no further push. */
const ENDED: readonly unknown[] = ["STREAM_UNAVAILABLE", "CONNECTION_CLOSED"];
const HASH = /^[0-9a-f]{64}$/;

/** What the command line says of every one of these. */
export interface FilesOptions extends BlobHomeChoice, Omit<ReachOptions, "address"> {
  /** Print JSON. */
  readonly json: boolean;
}

/** What the command line says of what is copied. */
export interface CopyOptions extends FilesOptions {
  /** A place, or a local path. */
  readonly from: string;
  /** A place, or a local path. */
  readonly to: string;
  /** Folders with what they hold. */
  readonly recursive: boolean;
  /** Replace what is there. */
  readonly force: boolean;
}

/** How it is copied. */
export interface Copying {
  /** Everyone who is asked. */
  readonly faces: Faces;
  /** What the command line says. */
  readonly options: CopyOptions;
  /** Ends it. */
  readonly signal: AbortSignal;
}

/** Who has branches. */
export interface Face extends AsyncDisposable {
  /** Calls an operation. */
  call(operation: string, input: JsonValue): Promise<JsonObject>;
  /** Follows one. */
  subscribe(operation: string, input: JsonValue): AsyncIterable<JsonObject>;
  /** Brings a blob into a store, where it is not there. */
  bring(hash: string, into: BlobStore, told: Told): Promise<Held>;
  /** Sends it a blob of a store. */
  push(hash: string, from: BlobStore, told: Told): Promise<void>;
}

/** Everyone who is asked by one command. */
export class Faces implements AsyncDisposable {
  readonly #options: FilesOptions;
  readonly #signal: AbortSignal;
  readonly #faces = new Map<string | undefined, Promise<Face>>();
  #home: Promise<BlobHome> | undefined;

  /** @param signal Ends what is asked. */
  constructor(options: FilesOptions, signal: AbortSignal) {
    this.#options = options;
    this.#signal = signal;
  }

  /** Who has a branch: the home's own store, or the node at an address. */
  of({ address }: { readonly address?: string }): Promise<Face> {
    let face = this.#faces.get(address);
    if (!face) {
      face = address === undefined ? this.#own() : this.#remote(address);
      this.#faces.set(address, face);
    }
    return face;
  }

  /** The home's own store. */
  home(): Promise<BlobHome> {
    return this.#home ??= openBlobHome(this.#options);
  }

  /** What is at a place. */
  async stat(place: FilePlace): Promise<Entry> {
    const { branch, version, path } = place;
    const face = await this.of(place);
    return entryOf(await face.call("fs/stat", { branch, path, ...version !== undefined && { version } }));
  }

  /** What is at a place, if anything. */
  async statIfThere(place: FilePlace): Promise<Entry | undefined> {
    return await this.stat(place).catch((error) => {
      if (error instanceof AlknetError && error.code === "PATH_NOT_FOUND") return undefined;
      throw error;
    });
  }

  /** The names of a folder. */
  async *list({ branch, version, path, ...place }: FilePlace): AsyncGenerator<Entry> {
    const face = await this.of(place);
    for (let after: JsonValue | undefined = "", isMore = true; isMore;) {
      const input = { branch, path, ...version !== undefined && { version }, ...after !== "" && { after } };
      const page: JsonObject = await face.call("fs/list", input as JsonObject);
      if (!Array.isArray(page.entries)) throw unexpected();
      for (const entry of page.entries) yield entryOf(entry);
      after = page.next;
      isMore = after !== undefined;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const face of this.#faces.values()) await (await face.catch(() => undefined))?.[Symbol.asyncDispose]();
    await (await this.#home?.catch(() => undefined))?.[Symbol.asyncDispose]();
  }

  async #own(): Promise<Face> {
    const { fs } = await this.home();
    const dispatcher = new Dispatcher({ registry: nodeRegistry(fsOperations(fs)) });
    const identity = { id: "local", scopes: ["admin"], resources: {} };
    const signal = this.#signal;
    return {
      call: async (operation, input) =>
        await plainly(() => dispatcher.call({ operation, input, identity })) as JsonObject,
      subscribe: (operation, input) =>
        eachPlainly(
          untilAborted(dispatcher.subscribe({ operation, input, identity }), signal) as AsyncIterable<JsonObject>,
        ),
      bring: (hash) => fs.blobs.hold(hash),
      push: () => Promise.resolve(),
      [Symbol.asyncDispose]: () => Promise.resolve(),
    };
  }

  async #remote(address: string): Promise<Face> {
    const options = { ...this.#options, address };
    const signal = this.#signal;
    const client = await openRemote(options, signal);
    let pushing: Connection | undefined;
    return {
      call: async (operation, input) => await client.call(operation, input, { signal }) as JsonObject,
      subscribe: (operation, input) => client.subscribe(operation, input, { signal }) as AsyncIterable<JsonObject>,
      async bring(hash, into, told) {
        if ((await into.status(hash)).state === "complete") return await into.hold(hash);
        const dial = await prepareReach(options);
        await using connection = await dial(BLOBS_ALPN, signal);
        return await getBlob(connection, hash, into, told);
      },
      async push(hash, from, told) {
        // Many files go over one connection, where it carries several streams.
        if (pushing) {
          const again = await pushBlob(pushing, hash, from, told).then(() => true, (error) => {
            if (!ENDED.includes(error.cause?.code ?? error.code)) throw error;
            return false;
          });
          if (again) return;
          await pushing[Symbol.asyncDispose]();
        }
        const dial = await prepareReach(options);
        pushing = await dial(BLOBS_ALPN, signal);
        await pushBlob(pushing, hash, from, told);
      },
      async [Symbol.asyncDispose]() {
        // Of each push the node has said that it has all: nothing is on its way that a slower end would wait for.
        pushing?.close();
        await pushing?.[Symbol.asyncDispose]();
        await client[Symbol.asyncDispose]();
      },
    };
  }
}

/**
 * Runs what a command does with branches, until it is done or ctrl-C.
 *
 * @returns The exit code.
 */
export async function withFiles(
  options: FilesOptions,
  run: (faces: Faces, signal: AbortSignal) => Promise<number>,
): Promise<number> {
  using signals = new StopSignals();
  const interrupted = new AbortController();
  signals.first.then(() => interrupted.abort());
  try {
    await using faces = new Faces(options, interrupted.signal);
    return await run(faces, interrupted.signal);
  } catch (error) {
    if (interrupted.signal.aborted) return ExitCode.INTERRUPTED;
    throw shownError(error, options.json);
  }
}

/** Where the branches of the home lie, and what is wrong with that, is for its own commands; others are not told. */
async function plainly<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw plainError(error);
  }
}

async function* eachPlainly<T>(values: AsyncIterable<T>): AsyncGenerator<T> {
  try {
    yield* values;
  } catch (error) {
    throw plainError(error);
  }
}

function plainError(error: unknown): unknown {
  const isTree = error instanceof CallError && error.code === "TREE_UNAVAILABLE";
  if (!isTree || !(error.cause instanceof AlknetError)) return error;
  const { cause, retryable } = error;
  const { code, message } = error.cause;
  // Of what may have been done nothing is to be tried again unseen.
  const way = code === "TREE_UNAVAILABLE" && retryable ? "; see handlers.fs.postgres, or ask alknet doctor" : "";
  return new CallError(code, `${message}${way}`, { cause, retryable });
}

/** A failure; for programs it is an answer, which they read where they read the others. */
export function shownError(error: unknown, json: boolean): unknown {
  if (!(error instanceof CallError)) return error;
  const { code, message, retryable, details } = error;
  if (json) printJson({ error: { code, message, retryable, details } });
  return new AlknetError(code, message, { cause: error });
}

/** What another node says is at a path, taken for nothing more. */
function entryOf(answer: JsonValue): Entry {
  const { name, kind, hash, size, target, mode, mtime, seq } = (answer ?? {}) as Record<string, unknown>;
  const numbers = [mode, mtime, seq, ...kind === "file" ? [size] : []].every(Number.isFinite);
  const isWhole = kind === "file"
    ? typeof hash === "string" && HASH.test(hash)
    : kind === "folder" || (kind === "link" && typeof target === "string");
  if (typeof name !== "string" || !numbers || !isWhole) throw unexpected();
  return answer as unknown as Entry;
}

function unexpected(): AlknetError {
  return new AlknetError("UNEXPECTED_ANSWER", "the node's answer says of no file, folder or link what it is");
}

async function* untilAborted<T>(values: AsyncIterableIterator<T>, signal: AbortSignal): AsyncGenerator<T> {
  const stop = (): void => void values.return?.();
  signal.addEventListener("abort", stop, { once: true });
  try {
    yield* values;
  } finally {
    signal.removeEventListener("abort", stop);
  }
}
