/**
 * A client of `alknet/git` in memory, which says exactly what a test wants said.
 *
 * @module
 */
import { type Git, git as gitOf, type GitOptions, pktLine } from "../../../handlers/git/mod.ts";
import { type Packet, PktReader } from "../../../handlers/git/wire/pkt_line.ts";
import {
  type BidiStream,
  type Connection,
  type Identity,
  type IdentityProvider,
  memoryPair,
} from "@alknet/core/handler";
import { contextOf } from "../context.ts";

/** A node that serves a folder, and a way to talk to it. */
export interface GitNode extends AsyncDisposable {
  /** What serves. */
  readonly served: Git;
  /** What an endpoint does when it is asked to end. */
  shutdown(): void;
  /** A new connection, whose end the handler has seen when it is disposed. */
  connect(identity?: Identity, keys?: Pick<IdentityProvider, "resolveFingerprint">): GitConnection;
}

/** A connection to a node. */
export interface GitConnection extends AsyncDisposable {
  /** The client's end. */
  readonly connection: Connection;
  /** Opens a stream and sends bytes. */
  open(bytes: Uint8Array): Promise<BidiStream>;
}

/** A node in memory. */
export function gitNode(options: GitOptions): GitNode {
  // Where a test says nothing of it, folders stay as the test makes them.
  const served = gitOf({ maintenance: false, ...options });
  const shutdown = new AbortController();
  const running = new Set<Promise<void>>();
  return {
    served,
    shutdown: () => shutdown.abort("shutdown"),
    connect(identity, keys) {
      const [connection, far] = memoryPair("alknet/git");
      if (identity) far.identity = identity;
      const run = Promise.resolve(
        served.handler.handle(far, contextOf(shutdown.signal, keys && { ...keys, resolveToken: () => undefined })),
      ).then(() => far[Symbol.asyncDispose]());
      running.add(run);
      return {
        connection,
        async open(bytes) {
          const stream = await connection.open();
          const writer = stream.writable.getWriter();
          await writer.write(bytes).catch(() => {});
          writer.releaseLock();
          return stream;
        },
        async [Symbol.asyncDispose]() {
          connection.close();
          await run;
        },
      };
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(running);
      await served[Symbol.asyncDispose]();
    },
  };
}

/** Whoever may read everything. */
export const READER: Identity = { id: "reader", scopes: ["git:read"], resources: {} };

/** The request line of a fetch. */
export function requestLine(path: string, version = 2, service = "git-upload-pack"): Uint8Array<ArrayBuffer> {
  const extra = version > 0 ? `\0version=${version}\0` : "";
  return pktLine(new TextEncoder().encode(`${service} ${path}\0host=n.example\0${extra}`));
}

/** Text as lines: each an own pkt-line, but for `0000` and `0001`. */
export function request(...lines: readonly string[]): Uint8Array<ArrayBuffer> {
  const parts = lines.map((line) => /^000[01]$/.test(line) ? new TextEncoder().encode(line) : pktLine(line));
  return joined(parts);
}

/** Bytes in one array. */
export function joined(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.byteLength, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.byteLength;
  }
  return whole;
}

/** All that a node answers on a stream, its advertisement included; the client's direction ends first. */
export async function answers(node: GitNode, bytes: Uint8Array, identity?: Identity): Promise<Packet[]> {
  await using connection = node.connect(identity);
  const stream = await connection.open(bytes);
  await stream.writable.close().catch(() => {});
  const reader = new PktReader(stream.readable);
  const packets: Packet[] = [];
  for (let packet = await reader.next(); packet !== undefined; packet = await reader.next()) packets.push(packet);
  return packets;
}

/** Packets as text, those of side bands apart. */
export function textOf(packets: readonly Packet[]): string[] {
  return packets.map((packet) => typeof packet === "string" ? packet : new TextDecoder().decode(packet).trimEnd());
}

/** What is in a fetch's answer: its lines before the pack, and the pack. */
export interface Fetched {
  /** Lines and marks before the pack. */
  readonly lines: string[];
  /** The pack; empty where none was sent. */
  readonly pack: Uint8Array<ArrayBuffer>;
  /** Band 2. */
  readonly progress: string;
  /** Band 3. */
  readonly fatal: string;
}

/** Fetches: the lines are arguments. */
export async function fetched(node: GitNode, name: string, ...args: readonly string[]): Promise<Fetched> {
  const sent = joined([requestLine(`/${name}`), request("command=fetch", "0001", ...args, "0000", "0000")]);
  const packets = await answers(node, sent, READER);
  const from = packets.indexOf("flush") + 1;
  const rest = packets.slice(from);
  const start = textOf(rest).indexOf("packfile");
  const lines = textOf(start < 0 ? rest : rest.slice(0, start + 1));
  const bands = start < 0 ? [] : rest.slice(start + 1).filter((packet) => typeof packet !== "string");
  const band = (number: number) => joined(bands.filter((part) => part[0] === number).map((part) => part.subarray(1)));
  const decoder = new TextDecoder();
  return { lines, pack: band(1), progress: decoder.decode(band(2)), fatal: decoder.decode(band(3)) };
}
