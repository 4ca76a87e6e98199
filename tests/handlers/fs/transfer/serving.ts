/**
 * A node that serves blobs over a pair in memory, and one who asks it byte by byte.
 *
 * @module
 */
import { type Connection, type Identity, memoryPair, type Peer } from "@alknet/core/handler";
import { type Fs, fs, type FsHandlerOptions } from "@alknet/handlers/fs";
import { match } from "node:assert/strict";
import { contextOf } from "../../context.ts";

/** How it serves, and whom. */
export interface ServeOptions extends FsHandlerOptions {
  readonly singleStream?: boolean;
  readonly client?: Peer;
  readonly identity?: Identity;
  readonly alpn?: string;
}

/** A connection to a node with these files; the node ends when the test does. */
export function serving(files: Fs, options: ServeOptions = {}): Connection & AsyncDisposable {
  const { singleStream, client, identity, alpn = "alknet/blobs" } = options;
  const [near, far] = memoryPair(alpn, { singleStream, client });
  if (identity) far.identity = identity;
  const stop = new AbortController();
  const serving = Promise.resolve(fs(files, options).handle(far, contextOf(stop.signal)));
  const dispose = near[Symbol.asyncDispose].bind(near);
  near[Symbol.asyncDispose] = async () => {
    await dispose();
    await serving;
  };
  return near;
}

/** An identity. */
export function identityOf(id: string, ...scopes: string[]): Identity {
  return { id, scopes, resources: {} };
}

/** What a request is answered: hex, or how the stream was cut. */
export async function ask(connection: Connection, request: Uint8Array): Promise<string> {
  const stream = await connection.open();
  const sending = send(stream.writable, request).catch(() => {});
  try {
    return (await new Response(stream.readable as ReadableStream<Uint8Array<ArrayBuffer>>).bytes()).toHex();
  } catch (error) {
    const { message } = error as Error;
    match(message, /reset by peer with code \d/);
    return `reset ${/\d+$/.exec(message)![0]}`;
  } finally {
    await sending;
  }
}

/** Sends bytes, and ends. */
export async function send(writable: WritableStream<Uint8Array>, bytes: Uint8Array): Promise<void> {
  const writer = writable.getWriter();
  await writer.write(bytes);
  await writer.close();
}
