/**
 * Traffic that proves itself: on each stream both sides send pseudo-random bytes at once and compare hashes, so that a byte
 * lost, doubled or out of place shows.
 *
 * A stream begins with the client's 8 bytes: seed (u32) and length (u32), big-endian. Then both send `length` bytes that
 * follow from the seed; at the client's end the server adds the SHA-256 of what it received.
 *
 * @module
 */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import type { Connection } from "../../core/handler/connection.ts";
import { defineHandler, type Handler } from "../../core/handler/handler.ts";
import type { BidiStream } from "../../core/handler/stream.ts";
import { type Limits, limitsWith } from "../../core/limits/limits.ts";
import { dialQuic } from "../../core/transports/quic/quic.ts";
import { dialTls } from "../../core/transports/tls/tls.ts";
import type { DialRequest } from "../../core/transports/transport.ts";
import { Random } from "../support/random.ts";

/** The protocol. */
export const TRAFFIC = "test/traffic";

/** What a client asks for. */
export interface Load {
  /** Streams at once. */
  readonly streams: number;
  /** Bytes each way on each stream. */
  readonly bytes: number;
  /** Repeats the bytes. */
  readonly seed: number;
}

/** How to dial a node of these tests. */
export interface TrafficDial {
  readonly hostname: string;
  readonly port: number;
  /** The node's, which is pinned. */
  readonly fingerprint: string;
  /** Default `quic`. */
  readonly transport?: "quic" | "tls";
  /** Default `test/traffic`. */
  readonly alpn?: string;
  /** Longest UDP payload. Default 1350, as on any path but loopback. */
  readonly datagramSize?: number;
  readonly limits?: Partial<Limits>;
  readonly udp?: "linux" | "node";
}

const HEAD = 8;
const HASH = 32;
const CHUNK = 16 * 1024;

/** The server's side. */
export const traffic: Handler<readonly [typeof TRAFFIC]> = defineHandler({
  alpns: [TRAFFIC],
  async handle(connection) {
    const running: Promise<void>[] = [];
    for await (const stream of connection) running.push(answer(stream).catch(ignore));
    await Promise.all(running);
  },
});

/** Dials. */
export function dialTraffic(to: TrafficDial, signal?: AbortSignal): Promise<Connection> {
  const request: DialRequest = {
    address: { hostname: to.hostname, port: to.port },
    alpn: to.alpn ?? TRAFFIC,
    expectation: { kind: "fingerprints", fingerprints: [to.fingerprint] },
    limits: limitsWith(to.limits),
    signal: signal ?? new AbortController().signal,
  };
  if (to.transport === "tls") return dialTls(request);
  return dialQuic(request, { datagramSize: to.datagramSize ?? 1350, udp: to.udp });
}

/**
 * Sends and receives, and checks every byte.
 *
 * @throws Whatever ends a stream, or an AssertionError where bytes are wrong.
 */
export async function exchange(connection: Connection, { streams, bytes, seed }: Load): Promise<void> {
  const running = Array.from({ length: streams }, (_, index) => ask(connection, (seed + index) >>> 0, bytes));
  const results = await Promise.allSettled(running);
  for (const result of results) if (result.status === "rejected") throw result.reason;
}

async function ask(connection: Connection, seed: number, length: number): Promise<void> {
  const stream = await connection.open();
  const sent = createHash("sha256");
  const sending = send(stream, seed, length, sent);
  sending.catch(ignore);
  const received = createHash("sha256");
  const tail = new Uint8Array(HASH);
  let count = 0;
  for await (const chunk of stream.readable) {
    const body = chunk.subarray(0, Math.max(0, Math.min(chunk.byteLength, length - count)));
    received.update(body);
    const rest = chunk.subarray(body.byteLength);
    const at = count + body.byteLength - length;
    assert.ok(rest.byteLength === 0 || at + rest.byteLength <= HASH, "more bytes than were sent");
    if (rest.byteLength > 0) tail.set(rest, at);
    count += chunk.byteLength;
  }
  await sending;
  const expected = createHash("sha256");
  for (const chunk of content(seed + 1, length)) expected.update(chunk);
  assert.equal(count, length + HASH, "bytes received");
  assert.equal(received.digest("hex"), expected.digest("hex"), "bytes from the server");
  assert.equal(tail.toHex(), sent.digest("hex"), "bytes from the client");
}

async function send(stream: BidiStream, seed: number, length: number, hash: Hash): Promise<void> {
  const writer = stream.writable.getWriter();
  try {
    const head = new Uint8Array(HEAD);
    new DataView(head.buffer).setUint32(0, seed);
    new DataView(head.buffer).setUint32(4, length);
    await writer.write(head);
    for (const chunk of content(seed, length)) {
      hash.update(chunk);
      await writer.write(chunk);
    }
    await writer.close();
  } catch (error) {
    // The reader sees the same end, and says so first.
    stream.stop(0);
    throw error;
  }
}

async function answer({ readable, writable }: BidiStream): Promise<void> {
  const reader = readable.getReader();
  const writer = writable.getWriter();
  const hash = createHash("sha256");
  const head = new Uint8Array(HEAD);
  let have = 0;
  let rest: Uint8Array | undefined;
  while (have < HEAD) {
    const { value, done } = await reader.read();
    if (done) return await writer.abort(1);
    const part = value.subarray(0, HEAD - have);
    head.set(part, have);
    have += part.byteLength;
    rest = value.subarray(part.byteLength);
  }
  const view = new DataView(head.buffer);
  const sending = (async () => {
    for (const chunk of content(view.getUint32(0) + 1, view.getUint32(4))) await writer.write(chunk);
  })();
  sending.catch(ignore);
  if (rest) hash.update(rest);
  for (let next = await reader.read(); !next.done; next = await reader.read()) hash.update(next.value);
  await sending;
  await writer.write(hash.digest());
  await writer.close();
}

type Hash = ReturnType<typeof createHash>;

/** Bytes that follow from a seed, in pieces. */
function* content(seed: number, length: number): Iterable<Uint8Array> {
  const random = new Random(seed);
  for (let at = 0; at < length; at += CHUNK) yield random.bytes(Math.min(CHUNK, length - at));
}

function ignore(): void {}
