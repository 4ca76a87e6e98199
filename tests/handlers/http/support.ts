/**
 * Fronts for tests of the HTTP handler: what stands between a real client and the handler.
 *
 * @module
 */
import {
  type BidiStream,
  type Connection,
  type Handler,
  type Identity,
  type IdentityProvider,
  memoryPair,
} from "@alknet/core/handler";
import { runProgram } from "../../support/process.ts";
import { contextOf } from "../context.ts";

/** A handler that real clients reach over plain TCP. */
export interface Front extends AsyncDisposable {
  /** Plain TCP port. */
  readonly port: number;
  /** Connections accepted and not over. */
  readonly connections: ReadonlySet<Connection>;
  /** Begins the shutdown, as an endpoint would, and waits for every handler. */
  drain(): Promise<void>;
}

/** Options of {@linkcode plainFront}. */
export interface FrontOptions {
  /** What the connections claim to have negotiated. Default `http/1.1`. */
  readonly alpn?: string;
  /** Whether each connection carries one stream, as over TLS. Default `true`. */
  readonly singleStream?: boolean;
  /** Bytes that a stream holds. */
  readonly window?: number;
  /** Who every peer is. */
  readonly identity?: Identity;
  /** Resolves tokens. */
  readonly identityProvider?: IdentityProvider;
}

/** Accepts TCP connections and gives each to the handler as one stream of a pair in memory. */
export function plainFront(handler: Handler, options: FrontOptions = {}): Front {
  const { alpn = "http/1.1", singleStream = true, window } = options;
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const shutdown = new AbortController();
  const connections = new Set<Connection>();
  const running = new Set<Promise<unknown>>();
  const keep = (promise: Promise<unknown>) => {
    const kept = promise.catch(() => {}).finally(() => running.delete(kept));
    running.add(kept);
  };
  const accepting = (async () => {
    for await (const socket of listener) {
      const [client, server] = memoryPair(alpn, { singleStream, window });
      if (options.identity) server.identity = options.identity;
      connections.add(server);
      const handled = Promise.resolve(handler.handle(server, contextOf(shutdown.signal, options.identityProvider)));
      keep(handled.finally(() => connections.delete(server)).finally(() => server[Symbol.asyncDispose]()));
      keep(client.open().then((stream) => carry(socket, stream)));
    }
  })();
  return {
    port: listener.addr.port,
    connections,
    drain: async () => {
      shutdown.abort("shutdown");
      while (connections.size > 0) await Promise.race(running);
    },
    async [Symbol.asyncDispose]() {
      listener.close();
      await accepting;
      shutdown.abort("shutdown");
      for (const connection of connections) connection.close(0, "shutdown");
      while (running.size > 0) await Promise.all(running);
    },
  };
}

/** A plain TCP port whose connections become streams. */
export function bridge(open: () => Promise<BidiStream>): { readonly port: number } & AsyncDisposable {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const running = new Set<Promise<void>>();
  const sockets = new Set<Deno.TcpConn>();
  const accepting = (async () => {
    for await (const socket of listener) {
      sockets.add(socket);
      const carried: Promise<void> = open().then((stream) => carry(socket, stream)).finally(() => {
        sockets.delete(socket);
        running.delete(carried);
      });
      running.add(carried);
    }
  })();
  return {
    port: listener.addr.port,
    async [Symbol.asyncDispose]() {
      listener.close();
      await accepting;
      // Clients keep connections for what they may ask later.
      for (const socket of sockets) closed(socket);
      await Promise.all(running);
    },
  };
}

/** A socket's bytes on a stream; a socket that dies resets it, as a transport would. */
async function carry(socket: Deno.TcpConn, stream: BidiStream): Promise<void> {
  await Promise.all([
    upward(socket, stream.writable.getWriter()).catch(() => stream.reset(0)),
    downward(socket, stream.readable.getReader()).catch(() => stream.stop(0)),
  ]);
  closed(socket);
}

function closed(socket: Deno.TcpConn): void {
  try {
    socket.close();
  } catch { /* it is already */ }
}

async function upward(socket: Deno.TcpConn, writer: WritableStreamDefaultWriter<Uint8Array>): Promise<void> {
  const buffer = new Uint8Array(65536);
  for (let read: number | null; (read = await socket.read(buffer)) !== null;) {
    await writer.write(buffer.subarray(0, read));
  }
  await writer.close();
}

async function downward(socket: Deno.TcpConn, reader: ReadableStreamDefaultReader<Uint8Array>): Promise<void> {
  for (let next; !(next = await reader.read()).done;) {
    for (let at = 0; at < next.value.byteLength;) at += await socket.write(next.value.subarray(at));
  }
  await socket.closeWrite();
}

/** What curl received. */
export interface CurlAnswer {
  /** Status code. */
  readonly status: number;
  /** `2` or `1.1`. */
  readonly version: string;
  /** By lower-case name. */
  readonly headers: Readonly<Record<string, string>>;
  /** Body as text. */
  readonly body: string;
}

/** Runs curl and parses its answer. */
export async function curl(args: readonly string[]): Promise<CurlAnswer> {
  const { code, stdout, stderr } = await runProgram("curl", [
    "--silent",
    "--show-error",
    "--include",
    "--path-as-is",
    "--max-time",
    "20",
    ...args,
  ]);
  if (code !== 0) throw new Error(`curl ${args.join(" ")}: exit ${code}: ${stderr}`);
  return parseAnswer(stdout);
}

/** Parses one HTTP/1.1 response as text. */
export function parseAnswer(text: string): CurlAnswer {
  const end = text.indexOf("\r\n\r\n");
  const [first, ...lines] = text.slice(0, end).split("\r\n");
  const headers: Record<string, string> = {};
  for (const line of lines) {
    headers[line.slice(0, line.indexOf(":")).toLowerCase()] = line.slice(line.indexOf(":") + 1).trim();
  }
  const [, version, status] = /^HTTP\/([\d.]+) (\d+)/.exec(first) ?? [];
  return { status: Number(status), version, headers, body: text.slice(end + 4) };
}

/** Sends raw bytes over TCP and reads what comes back until the other side ends; half-closes after sending unless told not to. */
export async function rawExchange(port: number, request: string | Uint8Array, halfClose = false): Promise<string> {
  using socket = await Deno.connect({ hostname: "127.0.0.1", port });
  const bytes = typeof request === "string" ? new TextEncoder().encode(request) : request;
  for (let at = 0; at < bytes.byteLength;) at += await socket.write(bytes.subarray(at));
  if (halfClose) await socket.closeWrite();
  const buffer = new Uint8Array(65536);
  const decoder = new TextDecoder();
  let text = "";
  for (;;) {
    const read = await socket.read(buffer).catch(() => null);
    if (read === null) return text;
    text += decoder.decode(buffer.subarray(0, read), { stream: true });
  }
}

/** Open file descriptors of this process. */
export function openFiles(): number {
  return [...Deno.readDirSync("/proc/self/fd")].length;
}

/** Waits until something holds; fails after a generous while. */
export async function until(holds: () => boolean, what: string): Promise<void> {
  const start = performance.now();
  while (!holds()) {
    if (performance.now() - start > 20_000) throw new Error(`waited too long until ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
