/**
 * What servers of the benchmarks speak, over any streams.
 *
 * @module
 */
import type { BenchStream } from "./client_tasks.ts";

/** Returns what it is sent; our side serves it with the echo handler. */
export const ECHO_ALPN = "alknet/echo";
/** Counts what it is sent and answers with the number of bytes. */
export const SINK_ALPN = "alknet/bench-sink";
/** Sends from the first byte of input to the end of it. */
export const SOURCE_ALPN = "alknet/bench-source";
/** All of them. */
export const ALPNS: readonly string[] = [ECHO_ALPN, SINK_ALPN, SOURCE_ALPN];
/** The token that servers of calls take over HTTP. */
export const BENCH_TOKEN = "bench-token";
/** Limits of a server that one address dials again and again: with those for strangers it would be refused. */
export const BENCH_LIMITS = { maxConnectionsPerAddress: 10_000, connectionRate: 1_000_000, connectionBurst: 1_000_000 };
/** Bytes of one write of bulk data. */
export const BLOCK = 256 * 1024;

/** Serves one stream of {@linkcode SINK_ALPN}. */
export async function sink({ readable, writable }: BenchStream): Promise<void> {
  let count = 0;
  for await (const chunk of readable) count += chunk.byteLength;
  const writer = writable.getWriter();
  await writer.write(new TextEncoder().encode(String(count)));
  await writer.close();
}

/** Serves one stream of {@linkcode SOURCE_ALPN}. */
export async function source({ readable, writable }: BenchStream): Promise<void> {
  let wanted = true;
  const input = readable.getReader();
  await input.read();
  const ended = input.read().then(() => wanted = false);
  const writer = writable.getWriter();
  const block = new Uint8Array(BLOCK);
  while (wanted) await writer.write(block);
  await writer.close();
  await ended;
}
